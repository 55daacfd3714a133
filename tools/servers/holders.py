"""Who holds a TCP port of this machine, by /proc: pid and command line of the process that listens there."""

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"
COMMAND_CHARS = 120


def taken(ports: Mapping[str, int]) -> list[str]:
    """A sentence for each named port of 127.0.0.1 that nobody can listen on now, with who holds it; [] when all are free."""
    return [f"port {port} ({name}) is taken by {holder(port)}" for name, port in ports.items() if not _free(port)]


def _free(port: int) -> bool:
    """A connection that lingers from an earlier listener takes no port, hence SO_REUSEADDR."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
            return True
    return False


def holder(port: int) -> str:
    """E.g. `pid 4711 (python -m http.server 8101)`; a process of another user shows neither, which is said."""
    inodes = set(_inodes(port))
    for folder in PROC.glob("[0-9]*"):
        if inodes and _owns(folder, inodes):
            return f"pid {folder.name} ({_command(folder)})"
    return "a process that this user may not see" if inodes else "a process that /proc does not show"


def _inodes(port: int) -> Iterable[str]:
    """Inodes of the sockets that listen on the port; the lines of /proc/net/tcp are described in proc(5)."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    yield words[9]


def _owns(folder: Path, inodes: set[str]) -> bool:
    with suppress(OSError):
        for entry in (folder / "fd").iterdir():
            with suppress(OSError):
                if os.readlink(entry).removeprefix("socket:[").rstrip("]") in inodes:
                    return True
    return False


def _command(folder: Path) -> str:
    with suppress(OSError):
        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return words[:COMMAND_CHARS]
    return "command line not readable"
