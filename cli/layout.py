"""Layout of a local platform: its folder, ports, keys (made on first use), stores, and the settings of each service."""

import base64
import errno
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kernel.core.faults import Refused
from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.secret_files import SERVICES as SERVICES
from sandbox.secret_files import TABLE

HOST = "127.0.0.1"
HTTP_PORTS = {name: 8101 + number for number, name in enumerate(SERVICES)}
RPC_PORTS = {name: 9101 + number for number, name in enumerate(SERVICES)}
SANDBOX_PORT, IDENTITY_PORT, CONSOLE_PORT = 8110, 8111, 8100
TOKEN_AUDIENCE = "dandelion"
OWNER_ONLY = 0o700
COMPOSE = "compose"
"""Mode of a platform that docker compose runs: no process here started it."""
OTHERS = ("sandbox", "identity", "console")
"""What answers over HTTP beside the services."""
ROOT = Path(__file__).resolve().parent.parent


class NoPlatform(FileNotFoundError):
    """No platform was started in a folder; `strerror` says what to do."""

    def __init__(self, folder: Path) -> None:
        do = f"no platform was started in {folder}: start one with `make up`, or name its folder with --data"
        super().__init__(errno.ENOENT, do, str(folder / "platform.json"))


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1 by service; `sandbox` is the payment provider and social platform, `identity` who signs in."""

    http: Mapping[str, int] = field(default_factory=lambda: dict(HTTP_PORTS))
    rpc: Mapping[str, int] = field(default_factory=lambda: dict(RPC_PORTS))
    sandbox: int = SANDBOX_PORT
    identity: int = IDENTITY_PORT
    console: int = CONSOLE_PORT

    @classmethod
    def free(cls, free_port: Callable[[], int]) -> "Ports":
        """Ports that are free now, so that a demo never meets a platform that runs already."""
        http, rpc = ({name: free_port() for name in SERVICES} for _ in range(2))
        return cls(http, rpc, *[free_port() for _ in OTHERS])

    def of(self, name: str) -> int:
        """The HTTP port of a service, or of one of OTHERS."""
        return self.http[name] if name in self.http else int(getattr(self, name))


@dataclass(frozen=True, slots=True)
class Stores:
    """URLs of the stores: a database by service, and the bus.

    `folder`: what belongs to just these databases and lies beside them, such as anchors; "" for the platform's own folder.
    """

    databases: Mapping[str, str]
    bus: str
    folder: str = ""

    @classmethod
    def embedded(cls, folder: Path) -> "Stores":
        """One SQLite file per service and one for the bus, in the folder."""
        urls = {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in SERVICES}
        return cls(urls, f"local:///{str(folder / 'bus.db').lstrip('/')}")


@dataclass(frozen=True, slots=True)
class Layout:
    """One local platform. `folder` holds its keys, its logs and, embedded, its data."""

    folder: Path
    ports: Ports
    stores: Stores
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings that every service of this platform gets beside the usual ones."""

    @classmethod
    def at(cls, folder: Path, ports: Ports | None = None, stores: Stores | None = None) -> "Layout":
        """The platform of a folder, which is made with its keys if missing and closed to all users but its owner."""
        folder = folder.resolve()
        folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        _close(folder)
        made = cls(folder, ports or Ports(), stores or Stores.embedded(folder))
        made._make_keys()
        return made

    def _make_keys(self) -> None:
        _secret(self.folder / "fingerprint.key", lambda: os.urandom(32))
        _secret(self.folder / "master.keys", lambda: b"k1 " + base64.b64encode(os.urandom(32)) + b"\n")
        _secret(self.folder / "psp.key", lambda: secrets.token_hex(16).encode())
        _secret(self.folder / "session.keys", lambda: b"k1 " + base64.b64encode(os.urandom(32)) + b"\n")
        _secret(self.folder / "webhook.secrets", lambda: b"whsec_" + base64.b64encode(os.urandom(32)) + b"\n")
        (self.beside() / "anchors").mkdir(parents=True, exist_ok=True)
        self.issuer()

    def beside(self) -> Path:
        """The folder of what belongs to the databases and to no others: anchors, and what the world outside remembers."""
        return Path(self.stores.folder) if self.stores.folder else self.folder

    def issuer(self) -> Issuer:
        """Who signs this platform's development tokens, in the name of the provider that people sign in at."""
        return Issuer.at(self.folder / "issuer", self.http("identity"), TOKEN_AUDIENCE)

    def http(self, service: str) -> str:
        """Base URL of a service's HTTP API, or of one of OTHERS."""
        return f"http://{HOST}:{self.ports.of(service)}"

    def rpc(self, service: str) -> str:
        """`host:port` of a service's gRPC queries."""
        return f"{HOST}:{self.ports.rpc[service]}"

    def settings(self, service: str) -> dict[str, str]:
        """A service's settings by name; the service ignores the names it does not know."""
        return {
            "database_url": self.stores.databases[service],
            "development": "true",
            "bus_url": self.stores.bus,
            "jwks": str(self.folder / "issuer" / "jwks.json"),
            "token_issuer": self.http("identity"),
            "token_audience": TOKEN_AUDIENCE,
            "fingerprint_key_file": str(self.folder / "fingerprint.key"),
            "host": HOST,
            "http_port": str(self.ports.http[service]),
            "rpc_port": str(self.ports.rpc[service]),
            "psp_url": self.http("sandbox"),
            **{one.setting: str(self.folder / one.name) for one in TABLE if service in one.services},
            "anchor_dir": str(self.beside() / "anchors"),
            "platform_url": self.http("sandbox"),
            "mail_url": self.http("sandbox"),
            "web_stand_in_url": self.http("sandbox"),
            "reflection": "true",
            "hand_limit_minor": "2000000000",
            "short_clocks": "true",
            "four_eyes": "false",
            "clicks_per_s": "200",
            "clicks_burst": "2000",
            "clicks_per_address_in_all": "1000000",
            **self.more,
        }

    def environment(self, service: str) -> dict[str, str]:
        """The same as environment variables of a process of its own."""
        named = {f"DANDELION_{name.upper()}": value for name, value in self.settings(service).items()}
        return {**named, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'contracts'}"}

    def sandbox(self) -> dict[str, str]:
        """The stand-ins' settings: slow answers, busy moments, lost answers, webhooks twice and out of order, but none
        lost for good (the ledger asks after those two minutes later, longer than a demo lasts)."""
        return {
            "host": HOST,
            "port": str(self.ports.sandbox),
            "store": str(self.beside() / "sandbox.db"),
            "api_key": (self.folder / "psp.key").read_text(),
            "webhook_url": f"{self.http('ledger')}/webhooks/psp",
            "webhook_secret": (self.folder / "webhook.secrets").read_text().strip(),
            "delay_ms": "50",
            "lost_webhook_bps": "0",
        }

    def identity(self) -> dict[str, str]:
        """The identity provider's settings: its key is that of `issuer`, so `dandelion token` signs as it does."""
        return {
            "host": HOST,
            "port": str(self.ports.identity),
            "url": self.http("identity"),
            "key_file": str(self.folder / "issuer" / "key.pem"),
            "audience": TOKEN_AUDIENCE,
            "store": str(self.beside() / "identity.db"),
            "console_url": self.http("console"),
        }

    def console(self) -> dict[str, str]:
        """The console's settings: a public client of the identity provider, as the provider has it."""
        return {
            "host": HOST,
            "port": str(self.ports.console),
            "base_url": self.http("console"),
            "http": ",".join(f"{name}={self.http(name)}" for name in SERVICES),
            "rpc": ",".join(f"{name}={self.rpc(name)}" for name in SERVICES),
            "issuer": self.http("identity"),
            "session_keys_file": str(self.folder / "session.keys"),
        }

    def save(self, pid: int, mode: str) -> None:
        """Writes `platform.json`, by which the other commands find the platform."""
        saved = {
            "pid": pid,
            "since": started(pid),
            "mode": mode,
            "ports": asdict(self.ports),
            "stores": asdict(self.stores),
        }
        fresh = self.folder / "platform.json.new"
        fresh.write_text(json.dumps(saved, indent=1))
        fresh.replace(self.folder / "platform.json")

    @classmethod
    def load(cls, folder: Path) -> "Layout":
        """The platform that was last started in the folder; raises NoPlatform without one."""
        try:
            saved = json.loads((folder / "platform.json").read_text())
        except FileNotFoundError as missing:
            raise NoPlatform(folder) from missing
        return cls.at(folder, Ports(**saved["ports"]), Stores(**saved["stores"]))


def running(folder: Path) -> int | None:
    """The pid that the platform's starter left in the folder, if that process lives; another one under its pid is not it."""
    try:
        saved = json.loads((folder / "platform.json").read_text())
        if saved["mode"] == COMPOSE:
            return None
        os.kill(int(saved["pid"]), 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(saved["pid"]) if saved.get("since", "") in ("", started(int(saved["pid"]))) else None


def started(pid: int) -> str:
    """When the process was started, in clock ticks since boot (proc(5), field 22 of stat); "" where /proc does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _close(folder: Path) -> None:
    """Takes a folder's rights from all users but its owner; raises Refused for one that many users share, such as /tmp."""
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:
        raise Refused("folder.shared", folder=str(folder), do="give --data a folder of its own")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        folder.chmod(OWNER_ONLY)


def _secret(path: Path, make: Callable[[], bytes]) -> None:
    """A file that only its owner may read, made once."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
