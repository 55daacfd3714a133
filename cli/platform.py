"""Local platforms as child processes: `Embedded` is one process, `Distributed` one for each service and role.

A platform knows its addresses (`layout`), starts, waits until it is ready, and ends its processes by pid. Tests kill and restart
single processes.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.layout import HOST, Layout, Ports, Stores
from cli.readiness import http_ready, rpc_ready
from tools.servers.places import Folder, free_port
from tools.servers.run import Process
from tools.speed import patience

READY_S = 120.0
STOP_S = 25.0
LOOK_EVERY_S = 0.1
END_LOOK_S = 0.02
SAY_EVERY_S = 1.0
Name = tuple[str, str]
"""(service, role); of the embedded platform ("embedded", "all")."""
Say = Callable[[str, int, int], None]
"""(what, done, total) while a platform starts."""


class NotReady(Exception):
    """A process did not come up; the text ends with the last lines of its log."""


def _silent(what: str, done: int, total: int) -> None:
    pass


@dataclass
class LocalPlatform:
    """Child processes by name, with a readiness probe for each."""

    layout: Layout
    processes: dict[Name, Process] = field(default_factory=dict)
    folder: Folder | None = None
    """The temporary folder of a platform, removed with it."""
    probes: dict[Name, int] = field(default_factory=dict)
    """Ports of the probes, by process."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def names(self) -> list[Name]:
        return list(self.processes)

    def kill(self, name: Name) -> None:
        """kill -9, waited for."""
        self.processes[name].signal(signal.SIGKILL)
        self.processes[name].wait()

    def restart(self, name: Name) -> None:
        """Starts a process that has ended; `wait` says when it is ready."""
        self.processes[name].start()

    async def wait(self, names: Sequence[Name] | None = None, say: Say = _silent) -> None:
        """Until all (or the named) processes are ready; raises NotReady."""
        open_ = list(names if names is not None else self.processes)
        total, until = len(open_), asyncio.get_running_loop().time() + patience(READY_S)
        while open_:
            for name in open_:
                self._check_alive(name)
            ready = await asyncio.gather(*[self._ready(name) for name in open_])
            open_ = [name for name, is_ready in zip(open_, ready, strict=True) if not is_ready]
            say(" ".join(open_[0]) if open_ else "ready", total - len(open_), total)
            if open_ and asyncio.get_running_loop().time() > until:
                raise NotReady(
                    f"{' '.join(open_[0])} is not ready after {patience(READY_S):.0f} s\n{self._tail(open_[0])}"
                )
            await asyncio.sleep(LOOK_EVERY_S if open_ else 0)

    def _check_alive(self, name: Name) -> None:
        if not self.processes[name].alive():
            raise NotReady(f"{' '.join(name)} ended\n{self._tail(name)}")

    def ended(self) -> list[Name]:
        """Processes that have ended, whoever ended them."""
        return [name for name, process in list(self.processes.items()) if not process.alive()]

    def complaints(self, most: int = 10) -> list[str]:
        """The newest lines that processes logged as errors, each with whose it is."""
        found = []
        for name, process in self.processes.items():
            lines = process.log.read_text(errors="replace").splitlines() if process.log.exists() else []
            found += [f"{' '.join(name)}: {line[:2_000]}" for line in lines if '"level": "error"' in line]
        return found[-most:]

    def _tail(self, name: Name) -> str:
        return self.processes[name].log_tail()

    async def _ready(self, name: Name) -> bool:
        service, role = name
        match role:
            case "rest" | "sandbox" | "identity":
                return await asyncio.to_thread(http_ready, self.layout.http(service))
            case "rpc":
                return await rpc_ready(self.layout.rpc(service))
            case _:
                return await asyncio.to_thread(http_ready, f"http://{HOST}:{self.probes[name]}")

    def close(self, say: Callable[[str], None] = lambda _line: None) -> None:
        """SIGTERM for all at once, then kill -9 for those that did not end in time; removes what was temporary.

        `say` hears every second or so which processes are still waited for.
        """
        for process in self.processes.values():
            if process.alive():
                with suppress(ProcessLookupError):
                    process.signal(signal.SIGTERM, leader_only=True)
        self._await_end(say)
        for process in self.processes.values():
            process.close()
        if self.folder:
            self.folder.close()

    def _await_end(self, say: Callable[[str], None]) -> None:
        began, said = time.monotonic(), 0.0
        while waiting := [" ".join(name) for name, process in self.processes.items() if process.alive()]:
            waited_s = time.monotonic() - began
            if waited_s > patience(STOP_S):
                say(f"killing what did not end within {STOP_S:.0f} s: {', '.join(waiting)}")
                return
            if waited_s - said >= SAY_EVERY_S:
                said = waited_s
                say(f"waiting for {len(waiting)} of {len(self.processes)} processes to end: {', '.join(waiting)}")
            time.sleep(END_LOOK_S)


EMBEDDED: Name = ("embedded", "all")


class Embedded(LocalPlatform):
    """All services in one child process, on the stores given (SQLite and the local bus in the folder by default)."""

    @classmethod
    def start(
        cls, folder: Path, stores: Stores | None = None, temporary: Folder | None = None, with_console: bool = False
    ) -> "Embedded":
        """Starts the child on free ports; `temporary` is removed when the platform is closed."""
        layout = Layout.at(folder, Ports.free(free_port), stores)
        layout.save(os.getpid(), "embedded")
        command = [
            sys.executable,
            "-m",
            "cli",
            "serve",
            "--data",
            str(layout.folder),
            *(["--console"] if with_console else []),
        ]
        process = Process(command, layout.folder / "embedded.log", env=layout.environment("discovery"))
        process.start()
        return cls(layout, {EMBEDDED: process}, temporary)

    async def _ready(self, name: Name) -> bool:
        """One probe after another, ended by the first that fails: while the child starts, a look costs one probe."""
        layout = self.layout
        for service in ("sandbox", "identity", *layout.ports.http):
            if not await asyncio.to_thread(http_ready, layout.http(service)):
                return False
        return all(await asyncio.gather(*[rpc_ready(layout.rpc(service)) for service in layout.ports.rpc]))
