"""The writer: commands are queued, decided in memory and appended in batches, and answered only after the append (group commit).

One task per process serves the queue without a timer, one batch a turn. There are four turns. Two take the head's lock, because
a compare-and-set alone starves a replica that others are ahead of:

| turn | when | holds the head's lock | decides | appends |
| --- | --- | --- | --- | --- |
| plain | alone on the log | no | on the cache | compare-and-set |
| pipelined | decided while the batch before was appended, which succeeded as decided | no | already done | compare-and-set |
| contended | others appended within the last turns | yes | waiting for the lock; anew where others changed it | under the lock |
| recovery | head moved, id repeated, connection lost | yes | anew, after catching up and looking up all ids | under the lock |
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from sqlalchemy.exc import DBAPIError, IntegrityError

from kernel.adapters.vault.personal import Sealed, SubjectKey
from kernel.core.decider import Meta
from kernel.core.events import Receipt
from kernel.core.faults import BUGS, Fault, Unavailable
from kernel.eventlog.command_queue import CommandBatch, CommandQueue, Groups, count_results, halves_of, ids_of, moves_of
from kernel.eventlog.commands import CommandResult, DeciderRegistry, Fenced, InTransaction, QueuedCommand
from kernel.eventlog.decide import Decisions, with_repeats
from kernel.eventlog.log import Log
from kernel.eventlog.speculation import EarlyDecision, Speculation
from kernel.eventlog.state_cache import HeadMoved, OutcomeUnknown, StateCache
from kernel.runtime import telemetry

LOST_DEADLINE_S, CONTENDED_TURNS = 30.0, 16


class Writer:
    """The only way into the log: `execute` queues, `run` answers. `admit` may refuse; only speculation makes pipelined turns."""

    def __init__(
        self, service: str, log: Log, deciders: DeciderRegistry, admit: Callable[[], None] = lambda: None, *,
        speculates: bool = True,
    ) -> None:  # fmt: skip
        self.service, self.log = service, log
        self._queue, self._cache = CommandQueue(admit), StateCache(log, deciders)
        self._speculation = Speculation(self._cache, self._queue) if speculates else None
        self._last: Decisions | None = None  # the batch appended last, as it was decided
        self._unsure_at: int | None = None  # the position behind which this turn's append may have happened
        self._contended = 0  # turns left in contended mode

    async def execute(
        self, stream: str, command: object, meta: Meta, sealed: Sequence[Sealed] = (), requester: str | None = None,
        key: SubjectKey | None = None,
    ) -> Receipt:  # fmt: skip
        """Decides and appends one command; returns its receipt or raises the Fault it was refused with."""
        (result,) = await self._queue.put([QueuedCommand(stream, command, meta, sealed, requester, key)])
        return result.receipt(self.service, stream)

    async def execute_many(self, items: Sequence[QueuedCommand]) -> list[Receipt | BaseException]:
        """Queues independent commands at once (an import); one receipt or error each, in order."""
        calls = [self.execute(one.stream, one.command, one.meta, one.sealed, one.requester, one.key) for one in items]
        return await asyncio.gather(*calls, return_exceptions=True)

    async def execute_group(self, items: list[QueuedCommand], in_transaction: InTransaction) -> list[CommandResult]:
        """Appends all commands or none, in one transaction with `in_transaction`; raises Fenced where that returns False."""
        return await self._queue.put(items, in_transaction)

    async def now(self) -> datetime:
        """Database time (UTC) that no later decision of this writer is before."""
        return self._cache.now() if self._cache.is_timed else await self.log.now()

    async def run(self, stop: asyncio.Event) -> None:
        """Serves the queue until `stop`, then finishes what was accepted and takes nothing more."""
        closing = asyncio.create_task(self._queue.close_at(stop))
        try:
            while batch := await self._queue.next_batch(halves=self._speculation is not None and not self._contended):
                await self._serve(batch)
        finally:
            closing.cancel()
            self._queue.fail_rest()

    async def _serve(self, batch: CommandBatch) -> None:
        """Resolves or fails every group, whatever happens."""
        try:
            await self._turn(batch)
        except (Fenced, Fault, DBAPIError, *BUGS) as error:
            self._cache.clear()
            self._last = None
            self._queue.drop_ahead()
            for half in halves_of(batch.groups, error):
                await self._serve(CommandBatch(half))
        except BaseException:
            for group in batch.groups:
                group.fail(OutcomeUnknown())
            raise

    async def _turn(self, batch: CommandBatch) -> None:
        """Takes the turn that the table names, then a recovery turn where the first one has not appended for certain."""
        started = monotonic()
        self._unsure_at = None
        try:
            await self._cache.initialize()
            if batch.decisions is not None and batch.is_on(self._last):
                decisions = await self._pipelined_turn(batch.groups, batch.decisions)
            else:
                decisions = await (self._contended_turn if self._contended else self._plain_turn)(batch.groups)
        except (HeadMoved, IntegrityError):
            telemetry.count("writer_behind_total")
            self._unsure_at = None
            decisions = await self._recovery_turn(batch.groups)
        except Unavailable:
            decisions = await self._recovery_turn(batch.groups)
        self._last = decisions
        if self._queue.has_ahead:  # the append of the batch ahead is sent before these callers are answered
            asyncio.get_running_loop().call_soon(self._answer, batch.groups, decisions, monotonic() - started)
        else:
            self._answer(batch.groups, decisions, monotonic() - started)

    async def _plain_turn(self, groups: Groups) -> Decisions:
        """Looks up the ids of requests before it decides: a repeated request must not be refused, as a refusal is an event."""
        earlier = await self.log.find_commands(ids_of(groups, only_requests=True))
        return await self._append_at_head(groups, await self._cache.decide_batch(groups, earlier))

    async def _pipelined_turn(self, groups: Groups, decisions: Decisions) -> Decisions:
        return await self._append_at_head(groups, decisions)

    async def _contended_turn(self, groups: Groups) -> Decisions:
        return await self._append_locked(groups, ids_of(groups, only_requests=True), False)

    async def _recovery_turn(self, groups: Groups) -> Decisions:
        """Tries until the outcome is known: an id's absence is final only under the lock, as a lost backend may still commit."""
        self._queue.drop_ahead()  # it was decided on this batch, which is decided anew
        deadline, pause = min(group.queued_at for group in groups) + LOST_DEADLINE_S, 0.05
        while True:
            try:
                missed = await self._cache.catch_up()
                return await self._append_locked(groups, ids_of(groups), bool(missed))
            except OutcomeUnknown:
                raise
            except Unavailable as error:
                if monotonic() > deadline:
                    raise OutcomeUnknown from error
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, 2.0)

    async def _append_at_head(self, groups: Groups, decisions: Decisions) -> Decisions:
        """Appends by compare-and-set, then looks up the id of each command that appends nothing: it may be a repeat."""
        self._unsure_at = self._cache.position if decisions.pending else None
        append = self._cache.append(None, decisions, moves_of(groups, decisions.results))
        head = await (self._speculation.append(decisions, append) if self._speculation else append)
        self._cache.cache(head, decisions)  # before the next query, which may fail: the cache is as of one position
        return with_repeats(groups, decisions, await self.log.find_commands(decisions.unappended))

    async def _append_locked(self, groups: Groups, ids: list[tuple[str, str]], others_appended: bool) -> Decisions:
        """Decides and appends under the head's lock; reads all it can before, because every other replica waits for the lock."""
        earlier = await self.log.find_commands(ids)
        early = await EarlyDecision.of(self._cache, groups, earlier)
        async with self.log.locked() as connection:
            missed, rows = await self._cache.catch_up_locked(groups, connection)
            earlier |= {(event.stream, event.command): event for event in missed if event.command is not None}
            self._contended = CONTENDED_TURNS if missed or others_appended else max(0, self._contended - 1)
            decisions = (early and early.behind(missed, rows)) or await self._cache.decide_batch(
                groups, earlier, connection
            )
            if not decisions.pending and self._cache.position == self._unsure_at:
                raise OutcomeUnknown
            self._unsure_at = self._cache.position if decisions.pending else None
            head = await self._cache.append(connection, decisions, moves_of(groups, decisions.results))
            earlier = await self.log.find_commands(decisions.unappended, connection)
        self._cache.cache(head, decisions)
        return with_repeats(groups, decisions, earlier)

    def _answer(self, groups: Groups, decisions: Decisions, took_s: float) -> None:
        for group, results in zip(groups, decisions.results, strict=True):
            group.resolve(results)
        if decisions.pending:
            self.log.signal.notify()
        telemetry.observe("append_seconds", took_s)
        telemetry.gauge("writer_queue", len(self._queue))
        # two rounds of the loop later: callers have sent their next commands by then, and the database works
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, count_results, groups, decisions, monotonic())
