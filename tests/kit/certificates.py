"""Certificates in a folder: of a server, of its authority, and of callers whom it is to believe or not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kernel.runtime.tls.material import EdgeTls, TlsFiles
from sandbox.certificates import Pair, issue, new_authority

NOW = datetime.now(UTC)
NAMES = ("localhost", "127.0.0.1")
DAY = timedelta(days=1)


class Files:
    """Certificates in a folder: of the server, of its authority, and of those whom it is to believe or not."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES, life: timedelta = DAY) -> None:
        self.folder, self.ca, self.clients_ca = folder, new_authority("edges", NOW), new_authority("gateway", NOW)
        self.put("ca.crt", self.ca.certificate)
        self.put("clients.crt", self.clients_ca.certificate)
        self.put("stranger.crt", new_authority("edges", NOW).certificate)
        self.serve(issue(self.ca, names, NOW, life))
        self.pair("gateway", issue(self.clients_ca, ["gateway"], NOW))
        self.pair("ended", issue(self.clients_ca, ["gateway"], NOW, -DAY))
        self.pair("other", issue(self.ca, ["gateway"], NOW))

    def put(self, name: str, content: bytes) -> Path:
        """Whole or not at all, as a mounted Secret changes."""
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(content)
        return fresh.replace(self.folder / name)

    def pair(self, name: str, made: Pair) -> None:
        self.put(f"{name}.crt", made.certificate)
        self.put(f"{name}.key", made.key)

    def serve(self, made: Pair) -> None:
        self.pair("server", made)

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    def tls(self, clients: bool = False) -> EdgeTls:
        return EdgeTls(TlsFiles(self["server.crt"], self["server.key"], self["clients.crt"] if clients else None))
