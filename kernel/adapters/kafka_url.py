"""URL of Kafka's brokers: `kafka://host:port[,host:port]?replication=3&user=ledger&password_file=...&ca_file=...`.

`user` authenticates by SCRAM-SHA-512. `ca_file` switches TLS on and trusts that authority only. Both files are read for
every client that is opened, so a rotated password or authority needs no restart.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kernel.core.faults import Internal

MECHANISM = "SCRAM-SHA-512"
KNOWN = frozenset({"replication", "user", "password_file", "ca_file"})


@dataclass(frozen=True, slots=True)
class Brokers:
    """Brokers of a URL: `bootstrap` is `host:port[,host:port]`, `replication` the replication factor of new topics."""

    bootstrap: str
    replication: int = 1
    user: str = ""
    password_file: str = ""
    ca_file: str = ""

    @classmethod
    def of(cls, url: str) -> "Brokers":
        """Parses a URL; raises Internal `bus.unknown_option`, or `bus.no_password_file` for a user without a password."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        if unknown := sorted(set(options) - KNOWN):
            raise Internal("bus.unknown_option", options=",".join(unknown), known=",".join(sorted(KNOWN)))
        if "user" in options and "password_file" not in options:
            raise Internal("bus.no_password_file", user=options["user"])
        texts = {name: options[name] for name in ("user", "password_file", "ca_file") if name in options}
        return cls(parts.netloc, int(options.get("replication", "1")), **texts)

    @property
    def protocol(self) -> str:
        """Security protocol, as Kafka names it."""
        return ("SASL_" if self.user else "") + ("SSL" if self.ca_file else "PLAINTEXT")

    def password(self) -> str:
        """Password, as the file holds it now."""
        return Path(self.password_file).read_text().strip()

    def tls(self) -> ssl.SSLContext | None:
        """TLS context that trusts the authority in the file as it is now; None for plaintext."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None

    def client(self) -> dict[str, Any]:
        """Arguments of every aiokafka client; raises OSError when a file cannot be read."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        if self.ca_file:
            arguments["ssl_context"] = self.tls()
        if self.user:
            arguments |= {"sasl_mechanism": MECHANISM, "sasl_plain_username": self.user}
            arguments["sasl_plain_password"] = self.password()
        return arguments
