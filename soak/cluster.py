"""What a cluster does for its processes: starts again what has ended. What ended for no reason is a finding."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cli.distributed import STREAM, Distributed
from cli.platform import Name, NotReady
from tools.servers.run import Process
from tools.speed import patience

WATCH_EVERY_S = 0.5
DISTURBED_S = 45.0
"""So long after Kafka or PostgreSQL was hurt, a process may still fail to start, or Faust's worker may end."""
BACK_S = 180.0
RESTART_PAUSE_S = 1.0
LAST_LINES = 6


class Broken(Exception):
    """An invariant does not hold; the text names it and says what was seen."""


class Cluster:
    """The processes of a platform, each under one fault at a time."""

    def __init__(self, platform: Distributed) -> None:
        self.platform = platform
        self.restarts: Counter[Name] = Counter()
        """Processes that ended by themselves while a dependency was away and were started again, as a cluster would."""
        self._locks: dict[object, asyncio.Lock] = {}
        self._disturbed_at = float("-inf")
        self._disturbing = 0
        self._started: set[Name] = set()
        """Processes that were started again and have not been ready since."""

    @asynccontextmanager
    async def holding(self, *what: object) -> AsyncIterator[None]:
        """Nobody else hurts (or judges) these until the end of the block."""
        locks = [self._locks.setdefault(one, asyncio.Lock()) for one in sorted(set(what), key=str)]
        for taken, lock in enumerate(locks):
            try:
                await lock.acquire()
            except BaseException:
                for held in locks[:taken]:
                    held.release()
                raise
        try:
            yield
        finally:
            for lock in locks:
                lock.release()

    @asynccontextmanager
    async def disturbing(self) -> AsyncIterator[None]:
        """Kafka or PostgreSQL is hurt until the end of the block."""
        self._disturbing += 1
        try:
            yield
        finally:
            self._disturbing -= 1
            self._disturbed_at = time.monotonic()

    def disturbed(self) -> bool:
        """Whether a dependency is away or was a moment ago."""
        return self._disturbing > 0 or time.monotonic() - self._disturbed_at < patience(DISTURBED_S)

    async def start(self, names: Sequence[Name]) -> None:
        for name in names:
            self._started.add(name)
            await asyncio.to_thread(self.platform.restart, name)

    async def second(self, name: Name) -> Name:
        """Another replica of the same role; its name."""
        other = await asyncio.to_thread(self.platform.second, name)
        self._started.add(other)
        return other

    async def back(self, names: Sequence[Name]) -> None:
        """Until all of them are ready; starts those again that could not start because a dependency was away."""
        until = time.monotonic() + patience(BACK_S)
        while True:
            try:
                await self.platform.wait(names)
                self._started -= set(names)
                return
            except NotReady as problem:
                ended = [name for name in names if name in self.platform.ended()]
                if not ended or time.monotonic() > until:
                    raise Broken(f"every process comes back: {problem}") from problem
                for name in ended:
                    self._judge(name)
                await asyncio.sleep(RESTART_PAUSE_S)
                await self.start(ended)

    def _judge(self, name: Name) -> None:
        """While Kafka or PostgreSQL is away a process may fail to start, and Faust's worker may end; nothing else may."""
        process = self.platform.processes[name]
        code = process.child.returncode if process.child else None
        if not self.disturbed() or not (name in self._started or name == STREAM):
            what = " ".join(name)
            raise Broken(f"no process ends by itself: {what} left with {code}\n{self._last_words(process)}")
        self.restarts[name] += 1

    def _last_words(self, process: Process) -> str:
        """What it logged last, without the Kafka client's many lines."""
        lines = process.log.read_text(errors="replace").splitlines()
        return "\n".join([line[:1_500] for line in lines if '"logger": "aiokafka' not in line][-LAST_LINES:])

    async def watch(self) -> None:
        """For ever: what nobody hurts must run."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for name in self.platform.ended():
                lock = self._locks.setdefault(name, asyncio.Lock())
                if lock.locked() or name[1].endswith("-2"):
                    continue
                async with self.holding(name):
                    self._judge(name)
                    await self.start([name])
                    await self.back([name])


def rss_bytes(cluster: Cluster) -> dict[Name, int]:
    """Resident memory of every process that runs."""
    found = {}
    for name, process in list(cluster.platform.processes.items()):
        if process.alive():
            found[name] = _rss(process.pid())
    return found


def _rss(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as status:
            kilobytes = [line.split()[1] for line in status if line.startswith("VmRSS:")]
    except OSError:
        return 0
    return 1024 * int(kilobytes[0]) if kilobytes else 0
