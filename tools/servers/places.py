"""Free ports, temporary folders, folders that are kept, and the cache folder of servers."""

import fcntl
import os
import random
import shutil
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

PREFIX = "dandelion-"
PORTS = range(15_000, 30_000)
SHARE = "DANDELION_PORTS"
"""`<number>/<of how many>`: which part of PORTS is this process's and its children's; two that run beside each other must
not find the same port free."""
SETTLED_S = 60.0
DRAWN_LIMIT = 1_000
_drawn: deque[int] = deque(maxlen=DRAWN_LIMIT)
"""Ports that this process has drawn: whoever is to listen on one may not have started yet, so that it still looks free."""


def free_port() -> int:
    """A free TCP port on 127.0.0.1 below the ephemeral range, so that no outgoing connection takes it in a restart.

    It is none of the last DRAWN_LIMIT ports that this process has drawn.
    """
    share = _share()
    tried = min(len(share), DRAWN_LIMIT + 200)
    for port in random.sample(share, tried):
        if port in _drawn:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _drawn.append(port)
            return port
    raise OSError(f"no free port among {tried} tried")


def _share() -> range:
    number, _, count = os.environ.get(SHARE, "0/1").partition("/")
    return PORTS[int(number) :: int(count)]


class Folder:
    """A temporary folder that is removed by `close`, or by a later run when this one was killed (its lock is free)."""

    def __init__(self, name: str) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-"))
        self._lock: IO[bytes] = (self.path / "lock").open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a server keeps its data over restarts, and the TCP ports of 127.0.0.1 that are its own."""

    folder: Path
    port: int
    controller_port: int = 0
    """Of Kafka alone."""

    def name(self) -> str:
        """The same for the same folder: of what stands outside it (a container's volume, a folder of another user)."""
        place = self.folder.parent.resolve() / self.folder.name
        return f"{PREFIX}{self.folder.name}-{sha256(str(place).encode()).hexdigest()[:12]}"

    def source(self) -> str:
        """Which source made the data ("" before the first start): a later start must be of the same source."""
        mark = self.mark()
        return mark.read_text() if mark.exists() else ""

    def mark(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.source")

    def made_by(self, source: str) -> None:
        self.mark().parent.mkdir(parents=True, exist_ok=True)
        self.mark().write_text(source)


def whole_copy(source: Path, place: Path, change: Callable[[Path], None]) -> None:
    """Copies a folder and changes the copy; `place` is there whole or not at all, also when this process is killed."""
    fresh = place.with_name(f"{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh)
    change(fresh)
    fresh.rename(place)


def sweep() -> None:
    """Removes what killed runs left."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/lock"):
        if _abandoned(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)


def _abandoned(lock: Path) -> bool:
    try:
        if time.time() - lock.stat().st_mtime < SETTLED_S:
            return False
        with lock.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def cache() -> Path:
    """Where downloads are kept between runs: DANDELION_CACHE, else the user's cache folder."""
    given = os.environ.get("DANDELION_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "dandelion"


def made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """`folder`, filled on first use under a file lock: of several runs one fills it, and the others wait."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _fill(folder, fill)
    return folder


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    work = Path(tempfile.mkdtemp(prefix="fill-", dir=folder.parent))
    try:
        work.chmod(0o755)
        fill(work)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
