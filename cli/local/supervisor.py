"""Keeps a platform's processes alive: one that ends by itself is started again after a pause that grows, and it is said."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.servers import NoServer
from tools.servers.run import Process, Runner

FILE = "processes.json"
WATCH_EVERY_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 60.0
"""After so long a life the next end begins with the first pause again."""
Say = Callable[[str], None]


@dataclass
class Watched:
    """A process or server by name; `start` blocks and raises NoServer or OSError. `log` is "" where others keep it."""

    name: str
    runner: Runner
    start: Callable[[], None]
    log: str = ""
    probe: int = 0
    restarts: int = 0
    started_at: float = field(default_factory=time.monotonic)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    pause_s: float = FIRST_PAUSE_S

    def next_pause_s(self) -> float:
        """1, 2, 4, ... up to LONGEST_PAUSE_S; 1 again after a steady life."""
        if time.monotonic() - self.started_at >= STEADY_S:
            self.pause_s = FIRST_PAUSE_S
        now_s, self.pause_s = self.pause_s, min(2 * self.pause_s, LONGEST_PAUSE_S)
        return now_s

    def pid(self) -> int:
        """0 for a container, and before the first start."""
        return self.runner.child.pid if isinstance(self.runner, Process) and self.runner.child else 0

    def how_it_ended(self) -> str:
        code = self.runner.child.returncode if isinstance(self.runner, Process) and self.runner.child else None
        if code is None:
            return "ended"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class Supervisor:
    """Watches until it is told to stop. `processes.json` of the folder tells other commands who runs, under which pid."""

    def __init__(self, folder: Path, watched: Sequence[Watched], say: Say) -> None:
        self.watched, self._say, self._path = watched, say, folder / FILE

    async def run(self, stopping: asyncio.Event) -> None:
        """Returns when `stopping` is set; a start that goes on then is waited for, so that nothing starts behind the end."""
        self.write()
        mending: dict[str, asyncio.Task[None]] = {}
        while not stopping.is_set():
            for one in self.watched:
                if one.name not in mending and not await asyncio.to_thread(one.runner.alive):
                    mending[one.name] = asyncio.create_task(self._mend(one, stopping))
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), WATCH_EVERY_S)
            for name in [name for name, task in mending.items() if task.done()]:
                mending.pop(name).result()
        await asyncio.gather(*mending.values())

    async def _mend(self, one: Watched, stopping: asyncio.Event) -> None:
        pause_s = one.next_pause_s()
        more = f" (log: {one.log})" if one.log else ""
        self._say(f"{one.name} {one.how_it_ended()}; it starts again in {pause_s:g} s{more}")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause_s)
        if stopping.is_set():
            return
        one.restarts, one.started_at, one.since = one.restarts + 1, time.monotonic(), datetime.now(UTC)
        try:
            await asyncio.to_thread(one.start)
        except (NoServer, OSError) as problem:
            self._say(f"{one.name} could not be started again: {problem}")
        else:
            self._say(f"{one.name} runs again (pid {one.pid()}, restart {one.restarts})")
        self.write()

    def write(self) -> None:
        """Writes `processes.json` anew."""
        fresh = self._path.with_name(f"{FILE}.new")
        fresh.write_text(json.dumps([_row(one) for one in self.watched], indent=1))
        fresh.replace(self._path)


def _row(one: Watched) -> dict[str, Any]:
    return {
        "name": one.name,
        "pid": one.pid(),
        "since": one.since.isoformat(timespec="seconds"),
        "restarts": one.restarts,
        "probe": one.probe,
        "log": one.log,
    }
