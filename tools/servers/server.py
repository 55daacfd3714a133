"""What Kafka and PostgreSQL have in common: a name for reports, a life, and the ways to hurt it. All calls block.

In async code call them by `asyncio.to_thread`. `kill` is kill -9, `freeze` and `thaw` are SIGSTOP and SIGCONT, `stop`
is the orderly end; `start` brings it back on the same data, address and port.
"""

import asyncio
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from tools.servers.places import Folder, Kept
from tools.servers.run import NoServer, Runner, until
from tools.speed import patience

PROBE_S = 5.0

S = TypeVar("S", bound="Server")


class Server(ABC):
    """A running server. `source` says where it comes from, `version` is what it told, both for people."""

    name: str
    orderly: signal.Signals = signal.SIGTERM

    def __init__(self, runner: Runner, source: str, version: str, folder: Folder | None = None) -> None:
        self.runner, self.source, self.version, self.folder = runner, source, version, folder

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.source}, {self.address()})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def address(self) -> str:
        """host:port"""

    @abstractmethod
    async def probe(self) -> bool:
        """Whether it answers and is the server we started, not a stranger on its port."""

    def start(self) -> None:
        """Starts it (again) and waits until it answers itself; raises NoServer with the log's end."""
        self.runner.start()
        until(self.answers, self.runner, self.name)

    def stop(self) -> None:
        """The orderly end, waited for."""
        self._end(self.orderly)

    def kill(self) -> None:
        """kill -9 of every process of it."""
        self.runner.signal(signal.SIGKILL)
        self.runner.wait()

    def restart(self) -> None:
        """kill -9, and back on the same data and port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        self.runner.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.runner.signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends it for good, and removes its data unless they are kept."""
        self.runner.close()
        if self.folder:
            self.folder.close()

    def answers(self) -> bool:
        """One bounded look; False when it does not answer, whatever the reason."""
        host, _, port = self.address().split(",")[0].rpartition(":")
        with suppress(OSError, TimeoutError):
            with socket.create_connection((host, int(port)), timeout=patience(PROBE_S)):
                pass
            return in_thread(lambda: asyncio.wait_for(self.probe(), patience(PROBE_S)))
        return False

    def _end(self, number: signal.Signals) -> None:
        self.runner.signal(number, leader_only=True)
        self.runner.wait()


def in_thread(make: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    """Runs a coroutine to its end on a loop of its own, so that callers may have a running one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


def chosen(sources: Mapping[str, Callable[[], S]], kept: Kept | None = None) -> S:
    """The first of the named sources that works; where data is kept, the one that made it. NoServer with every reason."""
    reasons: list[str] = []
    made_by = kept.source() if kept else ""
    for name, source in sources.items():
        try:
            if made_by in ("", name):
                server = source()
                if kept:
                    kept.made_by(name)
                return server
        except NoServer as reason:
            reasons.append(str(reason))
    raise NoServer("; ".join(reasons))
