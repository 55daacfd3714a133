"""Where Kafka is and how one gets in: `kafka://host:port[,host:port]?replication=3&user=ledger&password_file=...&ca_file=...`.

With `user` the client says who it is by SCRAM-SHA-512, with `ca_file` it speaks TLS and believes that authority only. The
files are read anew for every client that is opened, so a rotated password or authority needs no restart.
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
    """`bootstrap` is `host:port[,host:port]`; `replication` is how many copies a topic gets that has to be made."""

    bootstrap: str
    replication: int = 1
    user: str = ""
    password_file: str = ""
    ca_file: str = ""

    @classmethod
    def of(cls, url: str) -> "Brokers":
        """Raises Internal `bus.unknown_option` or `bus.no_password_file` for a URL that says something else."""
        parts = urlsplit(url)
        told = dict(parse_qsl(parts.query))
        if unknown := sorted(set(told) - KNOWN):
            raise Internal("bus.unknown_option", options=",".join(unknown), known=",".join(sorted(KNOWN)))
        if "user" in told and "password_file" not in told:
            raise Internal("bus.no_password_file", user=told["user"])
        texts = {name: told[name] for name in ("user", "password_file", "ca_file") if name in told}
        return cls(parts.netloc, int(told.get("replication", "1")), **texts)

    @property
    def protocol(self) -> str:
        """As Kafka names it."""
        return ("SASL_" if self.user else "") + ("SSL" if self.ca_file else "PLAINTEXT")

    def password(self) -> str:
        """The password as the file has it now."""
        return Path(self.password_file).read_text().strip()

    def tls(self) -> ssl.SSLContext | None:
        """What to believe, as the file has it now; None for plaintext."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None

    def client(self) -> dict[str, Any]:
        """Arguments of every aiokafka client; raises OSError when a file cannot be read."""
        made: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        if self.ca_file:
            made["ssl_context"] = self.tls()
        if self.user:
            made |= {"sasl_mechanism": MECHANISM, "sasl_plain_username": self.user}
            made["sasl_plain_password"] = self.password()
        return made
