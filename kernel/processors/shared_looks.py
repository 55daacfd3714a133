"""Shared looks: all who watch one thing share one loop that reads it, so that a thousand watchers cost what one costs."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from kernel.runtime.wakeup import Wakeup, wait

T = TypeVar("T")
LOOK_AGAIN_S = 1.0
"""Interval between two looks where the projector runs in another process; one in this process wakes them."""
PAUSE = 4
"""Pause after a look, as a multiple of its time, before the next thing's look: all looks together take a fifth of the loop."""


@dataclass(slots=True, eq=False)
class _Look(Generic[T]):
    """One thing's loop: `number` counts what it found anew."""

    read: Callable[[], Awaitable[T]]
    changed: Wakeup = field(default_factory=Wakeup)
    watchers: int = 0
    number: int = 0
    found: T | None = None
    error: BaseException | None = None
    task: "asyncio.Task[None] | None" = None

    def ended(self, task: "asyncio.Task[None]") -> None:
        """A look that fails ends, and its watchers with it."""
        if not task.cancelled():
            self.error = task.exception()
            self.changed.notify()


class SharedLooks(Generic[T]):
    """The looks of one kind of thing. The key of a thing holds what may be seen of it, e.g. the watcher's tenant and roles."""

    def __init__(self, progress: Wakeup, gather_s: float) -> None:
        """`progress` wakes the looks; commits within `gather_s` are one look."""
        self._progress, self._gather_s = progress, gather_s
        self._looks: dict[Hashable, _Look[T]] = {}
        self._turn = asyncio.Lock()

    async def watch(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> AsyncGenerator[T, None]:
        """What `read` returns, now and after each change of it; the first watcher's `read` serves all of the key."""
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = _Look(read)
            look.task = asyncio.create_task(self._run(look), name="shared look")
            look.task.add_done_callback(look.ended)
        look.watchers += 1
        woken, seen = look.changed.listen(), 0
        try:
            while True:
                woken.clear()
                if look.error is not None:
                    raise copy.copy(look.error)
                if look.number != seen and look.found is not None:
                    seen = look.number
                    yield look.found
                await wait(woken, LOOK_AGAIN_S)
        finally:
            look.changed.leave(woken)
            look.watchers -= 1
            if not look.watchers:
                self._end(key, look)

    def _end(self, key: Hashable, look: _Look[T]) -> None:
        if self._looks.get(key) is look:
            del self._looks[key]
        if look.task is not None:
            look.task.cancel()

    async def _read(self, look: _Look[T]) -> None:
        """Reads the thing in its turn among all, and tells its watchers of a change."""
        async with self._turn:
            started = monotonic()
            found = await look.read()
            if found != look.found:
                look.found, look.number = found, look.number + 1
                look.changed.notify()
            if len(self._looks) > 1:
                await asyncio.sleep(PAUSE * (monotonic() - started))

    async def _run(self, look: _Look[T]) -> None:
        woken = self._progress.listen()
        try:
            while True:
                woken.clear()
                await self._read(look)
                await wait(woken, LOOK_AGAIN_S)
                await asyncio.sleep(self._gather_s)
        finally:
            self._progress.leave(woken)
