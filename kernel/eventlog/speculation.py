"""Speculation: while one batch is being appended, the next one is decided on top of what that append will make true.

The next batch counts only if the append under it succeeds exactly as it was decided (`CommandBatch.base`); otherwise its
commands are decided anew. Without speculation the process idles during each append, and the database during each decision.
Likewise a batch is decided while the writer waits for the lock that another replica holds.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy.exc import DBAPIError

from kernel.core.events import Recorded
from kernel.core.faults import BUGS, Fault
from kernel.eventlog.command_queue import CommandBatch, CommandQueue, batch_size
from kernel.eventlog.commands import AtomicGroup
from kernel.eventlog.decide import BatchDecider, Decisions, Earlier, RowKey
from kernel.eventlog.log import Head
from kernel.eventlog.state_cache import StateCache


class Speculation:
    """Takes groups from the queue while an append is under way, and puts them back as a batch that was decided ahead."""

    def __init__(self, cache: StateCache, queue: CommandQueue) -> None:
        self._cache, self._queue = cache, queue
        self._appending: Decisions | None = None

    async def append(self, base: Decisions, append: Coroutine[Any, Any, Head]) -> Head:
        """Awaits `append`, which appends `base`, and decides the next batch meanwhile."""
        self._queue.drop_ahead()  # decided on another base: while a batch is halved, each half is appended for itself
        self._appending = base
        deciding = asyncio.create_task(self._decide_next(base))
        try:
            return await append
        finally:
            self._appending = None
            self._queue.wake()
            await deciding

    async def _decide_next(self, base: Decisions) -> None:
        """Decides the groups that wait, and those that arrive until the append ends."""
        decider, groups = self._cache.batch_decider({}, {}, base), list[AtomicGroup]()
        try:
            while self._appending is base:
                await asyncio.sleep(0)  # groups that arrive in the same moment are decided together
                count = batch_size(len(groups) + len(self._queue), len(base.results)) - len(groups)
                more = self._queue.take(count, can_speculate)
                groups += more
                if more and not await self._is_decided(decider, more, base):
                    break
                if not more and self._appending is base:
                    await self._queue.change()
            else:
                if groups:
                    self._queue.put_ahead(CommandBatch(groups, decider.decisions, base))
                    groups = []
        finally:
            self._queue.put_back(groups)

    async def _is_decided(self, decider: BatchDecider, groups: list[AtomicGroup], base: Decisions) -> bool:
        """False where the groups cannot be decided ahead: their own turn meets the same error and answers it."""
        try:
            states, rows = await self._cache.load(groups, None, base)
            decider.add_loaded(states, rows, self._cache.now())
            for group in groups:
                decider.add(group.commands, {})
            if not decider.missing_rows and not len(self._queue):
                self._cache.prepare_append(decider.decisions, base)
        except (Fault, DBAPIError, *BUGS):
            return False
        return not decider.missing_rows


@dataclass(frozen=True, slots=True)
class EarlyDecision:
    """A batch that was decided while the writer waited for the head's lock, and what it was decided on."""

    decisions: Decisions
    rows: Mapping[RowKey, Any]
    streams: frozenset[str]

    @classmethod
    async def of(cls, cache: StateCache, groups: Sequence[AtomicGroup], earlier: Earlier) -> Self | None:
        """Loads what the groups need, and decides them; None where an id came before or a row is needed that none announced."""
        states, rows = await cache.load(groups)
        if earlier:
            return None
        decider = cache.batch_decider(states, rows, on_announced=True)
        for group in groups:
            decider.add(group.commands, earlier)
        return None if decider.missing_rows else cls(decider.decisions, rows, frozenset(states))

    def behind(self, missed: Sequence[Recorded], rows: Mapping[RowKey, Any]) -> Decisions | None:
        """The decisions behind the events that others appended meanwhile; None where a stream or row was changed by those."""
        if self.rows != rows or not self.streams.isdisjoint([event.stream for event in missed]):
            return None
        for result in [result for results in self.decisions.results for result in results if result.position]:
            result.position += len(missed)
        return self.decisions


def can_speculate(group: AtomicGroup) -> bool:
    """True for a group that may be decided before the batch below it is appended.

    Groups with `in_transaction` take a turn of their own, and so do requests: a request that came before must not be refused,
    and its id cannot be looked up in an append that is still under way.
    """
    return group.in_transaction is None and all(command.requester is None for command in group.commands)
