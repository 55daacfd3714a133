"""`dandelion keys FOLDER [DEALT]` makes what an organisation would bring, once: keys, passwords, certificates, an issuer.

For `docker compose` and the dev overlay only. What exists is kept, so data stays readable; whoever reads the folder is anybody.
With DEALT each container of docker compose is dealt its own files into `DEALT/<container>` (sandbox/secret_files.py).
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from kernel.core.clock import system_clock
from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.certificates import Pair, ends_at, issue, new_authority
from sandbox.secret_files import OTHERS, SERVICES, containers

TOKEN_ISSUER = "http://127.0.0.1:8111"
TOKEN_AUDIENCE = "dandelion"
OWNER_ONLY, ALL = 0o400, 0o444
FOREIGN = frozenset({"postgres", "grafana"})
"""Containers that run as a user of their own image: what they are dealt may be read by all, and is mounted there only."""
RENEWED_BEFORE = timedelta(days=30)


def make(folder: Path) -> None:
    """Fills the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _once(folder / "fingerprint.key", OWNER_ONLY, lambda: os.urandom(32))
    _once(folder / "master.keys", OWNER_ONLY, lambda: b"k1 " + base64.b64encode(os.urandom(32)) + b"\n")
    for who in ("postgres", "grafana"):
        _once(folder / f"{who}.password", OWNER_ONLY, _text)
    for who in ("owner", "app"):
        for service in SERVICES:
            _once(folder / f"{service}.{who}.password", OWNER_ONLY, _shared_before(folder / f"{who}.password"))
    _once(folder / "session.keys", OWNER_ONLY, lambda: b"k1 " + base64.b64encode(os.urandom(32)) + b"\n")
    _once(folder / "psp.key", OWNER_ONLY, _text)
    _once(folder / "webhook.secrets", OWNER_ONLY, lambda: b"whsec_" + base64.b64encode(os.urandom(32)))
    # under the names by which the stand-in reads its settings from files
    for name, source in OTHERS["sandbox"].items():
        if name.startswith("sandbox_"):
            _once(folder / name, OWNER_ONLY, (folder / source).read_bytes)
    Issuer.at(folder / "issuer", TOKEN_ISSUER, TOKEN_AUDIENCE)
    _make_certificates(folder / "tls", system_clock())


def _text() -> bytes:
    return secrets.token_hex(24).encode()


def _shared_before(file: Path) -> Callable[[], bytes]:
    """The password that all services of an older folder share, as their databases know it; else a new one."""
    return file.read_bytes if file.exists() else _text


def _make_certificates(folder: Path, now: datetime) -> None:
    """An authority, and a certificate for the edges of each service, made anew a month before it ends."""
    folder.mkdir(mode=0o700, exist_ok=True)
    authority = folder / "authority.crt"
    if not authority.exists():
        _keep(folder / "authority", new_authority("Dandelion for trying out", now))
    signer = Pair(authority.read_bytes(), (folder / "authority.key").read_bytes())
    for service in SERVICES:
        file = folder / f"{service}.crt"
        if not file.exists() or ends_at(file.read_bytes()) - now < RENEWED_BEFORE:
            _keep(folder / service, issue(signer, [service, "localhost", "127.0.0.1"], now))


def _keep(path: Path, made: Pair) -> None:
    _put(path.with_suffix(".key"), OWNER_ONLY, made.key)
    _put(path.with_suffix(".crt"), OWNER_ONLY, made.certificate)


def deal(folder: Path, dealt: Path) -> None:
    """Gives every container of docker compose the files that it reads, and takes any other file from it."""
    for container, files in containers().items():
        place = dealt / container
        place.mkdir(exist_ok=True)
        for name, source in files.items():
            _put(place / name, ALL if container in FOREIGN else OWNER_ONLY, (folder / source).read_bytes())
        for extra in place.iterdir():
            if extra.name not in files:
                extra.unlink()


def _once(path: Path, mode: int, content: Callable[[], bytes]) -> None:
    if not path.exists():
        _put(path, mode, content())


def _put(path: Path, mode: int, content: bytes) -> None:
    """Whole or not at all: a killed run leaves no half key."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)


def main(arguments: list[str]) -> int:
    """Exit code 2 for any but one or two folders. Files are their maker's alone until they get their mode (umask)."""
    os.umask(0o077)
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: dandelion keys FOLDER [DEALT]\n")
        return 2
    make(Path(arguments[0]))
    if len(arguments) == 2:
        deal(Path(arguments[0]), Path(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
