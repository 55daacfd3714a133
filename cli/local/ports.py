"""The ports of a platform that is kept: drawn once, written to `ports.json` of its folder, and the same at every start."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cli.layout import Ports
from kernel.core.faults import Refused
from tools.servers.holders import taken
from tools.servers.places import free_port
from tools.speed import patience

FILE = "ports.json"
SERVERS = ("kafka", "kafka_controller", "postgres")
FREED_S = 10.0
"""So long a port may still be held by what an earlier start left and the kernel is ending."""
LOOK_EVERY_S = 0.2
DRAWS = 1_000
"""Ports that are looked at for one process before the file is said to leave none."""


@dataclass(frozen=True, slots=True)
class KeptPorts:
    """Every TCP port of a platform on 127.0.0.1: `probes` by process ("campaigns relay"), `servers` by SERVERS."""

    edges: Ports
    probes: Mapping[str, int] = field(default_factory=dict)
    servers: Mapping[str, int] = field(default_factory=dict)

    def named(self) -> dict[str, int]:
        """All of them, by what each is for."""
        edges = self.edges
        return {
            **{f"HTTP of {name}": port for name, port in edges.http.items()},
            **{f"gRPC of {name}": port for name, port in edges.rpc.items()},
            "HTTP of sandbox": edges.sandbox,
            "HTTP of identity": edges.identity,
            "HTTP of console": edges.console,
            **{f"probe of {name}": port for name, port in self.probes.items()},
            **self.servers,
        }


def kept_ports(folder: Path, processes: Sequence[str], draw: Callable[[], int] = free_port) -> KeptPorts:
    """The ports of the folder's `ports.json`; those that it does not name yet are drawn and added to it.

    Raises Refused `ports.wrong` for a file that is no such thing.
    """
    path = folder / FILE
    known = _read(path)
    given = set(known.named().values())

    def drawn() -> int:
        """None that the file gives to another process, which may not listen yet."""
        for port in (draw() for _ in range(DRAWS)):
            if port not in given:
                given.add(port)
                return port
        raise Refused("ports.wrong", file=str(path), why="it names every port that is free", do="remove ports from it")

    fresh = KeptPorts(
        known.edges,
        {name: known.probes.get(name) or drawn() for name in processes},
        {name: known.servers.get(name) or drawn() for name in SERVERS},
    )
    _check(path, fresh)
    written = path.with_name(f"{FILE}.new")
    written.write_text(json.dumps({**asdict(fresh.edges), "probes": fresh.probes, "servers": fresh.servers}, indent=1))
    written.replace(path)
    return fresh


def _read(path: Path) -> KeptPorts:
    if not path.exists():
        return KeptPorts(Ports())
    try:
        saved = json.loads(path.read_text())
        probes, servers = dict(saved.pop("probes", {})), dict(saved.pop("servers", {}))
        return KeptPorts(Ports(**saved), probes, servers)
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("ports.wrong", file=str(path), why=str(error), do="mend the file, or remove it") from error


def _check(path: Path, ports: KeptPorts) -> None:
    """Every port is one and each belongs to one process."""
    seen: dict[int, str] = {}
    for name, port in ports.named().items():
        if not isinstance(port, int) or not 1 <= port <= 65_535:
            raise Refused("ports.wrong", file=str(path), why=f"{name}: {port} is no port", do="write 1 to 65535")
        if port in seen:
            why = f"{name} and {seen[port]} have both {port}"
            raise Refused("ports.wrong", file=str(path), why=why, do="give each a port of its own")
        seen[port] = name


def demand_free(folder: Path, ports: Mapping[str, int]) -> None:
    """Raises Refused `ports.taken`, which names every port that is taken and who holds it. Blocks up to FREED_S."""
    until = time.monotonic() + patience(FREED_S)
    while found := taken(ports):
        if time.monotonic() > until:
            do = f"end that process, or write other ports into {folder / FILE}"
            raise Refused("ports.taken", taken="; ".join(found), do=do)
        time.sleep(LOOK_EVERY_S)
