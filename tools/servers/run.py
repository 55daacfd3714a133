"""How a server runs: as our process, as a container, or elsewhere. Signals by pid, never by name.

A `Runner` knows nothing of Kafka or PostgreSQL; the servers know nothing of pids and containers.
"""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tools.speed import patience

LEASH = Path(__file__).with_name("leash.py")
TAIL_LINES = 20
START_S = 90.0
STOP_S = 30.0

# The death signal follows the thread that forked, so one thread that lives as long as the interpreter starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


class NoServer(Exception):
    """This source cannot give a server; the text says why, for people."""


class Runner(Protocol):
    """One server's life. `signal` reaches every process of it; `start` after an end keeps data, address and ports."""

    def start(self) -> None: ...
    def signal(self, number: signal.Signals, *, leader_only: bool = False) -> None: ...
    def wait(self, timeout_s: float = STOP_S) -> None: ...
    def alive(self) -> bool: ...
    def log_tail(self) -> str: ...
    def close(self) -> None: ...


@dataclass
class Process:
    """A server as our own child process, on a leash. `user` is the name to run as, or None for our own."""

    command: Sequence[str]
    log: Path
    user: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    death_signal: signal.Signals = signal.SIGKILL
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.child = _starter.submit(self._fork).result()
        atexit.register(self.close)

    def _fork(self) -> subprocess.Popen[bytes]:
        head = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(self.death_signal)), self.user or "-"]
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [*head, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                cwd=self.log.parent,
                start_new_session=True,
            )

    def pid(self) -> int:
        """The server's first process."""
        if self.child is None:
            raise RuntimeError("the server was never started")
        return self.child.pid

    def signal(self, number: signal.Signals, *, leader_only: bool = False) -> None:
        for pid in [self.pid()] if leader_only else family(self.pid()):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def wait(self, timeout_s: float = STOP_S) -> None:
        """Until it has ended; raises TimeoutError."""
        if self.child is not None:
            try:
                self.child.wait(patience(timeout_s))
            except subprocess.TimeoutExpired as late:
                raise TimeoutError(f"pid {self.child.pid} did not end within {timeout_s} s") from late

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-TAIL_LINES:])

    def close(self) -> None:
        """Ends whatever still runs, frozen or not."""
        atexit.unregister(self.close)
        if self.alive():
            self.signal(signal.SIGKILL)
            self.wait()


@dataclass
class Elsewhere:
    """A server that others run: it can be used, never hurt."""

    where: str

    def start(self) -> None:
        raise NoServer(f"{self.where} is not ours to start")

    def signal(self, number: signal.Signals, *, leader_only: bool = False) -> None:
        raise NoServer(f"{self.where} is not ours to send {number.name}")

    def wait(self, timeout_s: float = STOP_S) -> None:
        raise NoServer(f"{self.where} is not ours to wait for")

    def alive(self) -> bool:
        return True

    def log_tail(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing: it stays as it was."""


def family(pid: int) -> list[int]:
    """The process and all below it, parents first; where /proc is missing, the process alone."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for member in found:
        found.extend(children.get(member, []))
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])


def until(ready: Callable[[], bool], runner: Runner, what: str, timeout_s: float = START_S) -> None:
    """Polls `ready`; raises NoServer with the log's end when the server has ended or the time is over."""
    deadline = time.monotonic() + patience(timeout_s)
    while not ready():
        if not runner.alive():
            raise NoServer(f"{what} ended while starting\n{runner.log_tail()}".rstrip())
        if time.monotonic() > deadline:
            raise NoServer(f"{what} did not answer within {timeout_s:.0f} s\n{runner.log_tail()}".rstrip())
        time.sleep(0.05)
