"""The next batch, decided while the one before it is being appended, on top of what that one appends.

It counts only if that append succeeds as it was decided (`NextBatch.base`); otherwise its commands are queued again. Without
it the process waits for the database while it has nothing to decide, and the database for the process.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from kernel.core.faults import BUGS, Fault
from kernel.eventlog.commands import AtomicGroup
from kernel.eventlog.decide import Batch, Decisions
from kernel.eventlog.state_cache import StateCache

BATCH_LIMIT = 512
TOGETHER = 16
"""So few are not parted: a batch of its own costs more than waiting for the other's end."""


@dataclass(slots=True)
class NextBatch:
    """Units decided on top of `base`, in order."""

    base: Decisions
    batch: Batch
    units: list[AtomicGroup] = field(default_factory=list)


def share(waiting: int, under_way: int = 0) -> int:
    """How many of those that wait one batch takes: half of all there are, so that two batches of a size take turns."""
    everyone = waiting + under_way
    return min(BATCH_LIMIT, waiting, everyone if everyone <= TOGETHER else (everyone + 1) // 2)


class Speculation:
    """Takes from the writer's queue while an append is under way. Units that move a guard, and requests (an id that came
    before must not be refused, and what is under way cannot be looked up), are left for a turn of their own."""

    def __init__(self, known: StateCache, queue: deque[AtomicGroup]) -> None:
        self._known, self._queue = known, queue
        self._under_way: Decisions | None = None
        self._size = 0
        self._following: NextBatch | None = None
        self._task: asyncio.Task[None] | None = None

    def notice(self) -> None:
        """Something was queued."""
        if self._under_way is not None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(self._under_way))

    def take(self) -> NextBatch | None:
        """What was decided meanwhile; the caller looks whether its base was appended."""
        following, self._following = self._following, None
        return following

    @property
    def is_empty(self) -> bool:
        return self._following is None

    def give_back(self) -> None:
        """To the queue's beginning, where its units came from."""
        following = self.take()
        if following is not None:
            self._queue.extendleft(reversed(following.units))

    @asynccontextmanager
    async def during(self, decided: Decisions) -> AsyncIterator[None]:
        """The block appends `decided`; what came before it and was never taken is not touched."""
        if self._following is None:
            self._under_way, self._size = decided, len(decided.outcomes)
        if self._queue:
            self.notice()
        try:
            yield
        except BaseException:
            self._under_way = None
            await self._ended()
            self.give_back()
            raise
        self._under_way = None
        await self._ended()

    async def _ended(self) -> None:
        if self._task is not None:
            await self._task
            self._task = None

    async def _work(self, base: Decisions) -> None:
        """What is queued now, and what came while it was loaded; `notice` begins it again for what comes later."""
        while self._under_way is base and self._queue:
            await asyncio.sleep(0)  # what comes in the same moment is decided together
            units = self._taken()
            if not units:
                return
            await self._add(base, units)

    def _taken(self) -> list[AtomicGroup]:
        before = 0 if self._following is None else len(self._following.units)
        count = share(before + len(self._queue), self._size) - before
        units: list[AtomicGroup] = []
        while self._queue and len(units) < count and is_plain(self._queue[0]):
            units.append(self._queue.popleft())
        return units

    async def _add(self, base: Decisions, units: list[AtomicGroup]) -> None:
        """Where it cannot be decided here, whoever decides it in its turn meets the same and answers for it."""
        following = self._following = self._following or NextBatch(base, self._known.following(base))
        following.units += units
        try:
            is_decided = await self._known.add(following.batch, [unit.commands for unit in units], base)
            if is_decided and not self._queue:
                self._known.prepare(following.batch.decided, base)
        except (Fault, DBAPIError, *BUGS):
            is_decided = False
        if not is_decided:
            self._under_way = None
            self.give_back()


def is_plain(unit: AtomicGroup) -> bool:
    """What may be decided before it is known what it will stand on."""
    return unit.in_transaction is None and all(item.requester is None for item in unit.commands)
