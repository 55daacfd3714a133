"""execute(): what is queued is decided in memory and appended once (group commit); nobody is answered before.

One writer task per process takes what is queued, without a timer, and decides the next batch while one is being appended
(kernel.eventlog.speculation). Behind, it decides anew under the head row's lock: a compare-and-set alone starves a replica.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.decider import Meta
from kernel.core.events import Receipt
from kernel.core.faults import BUGS, Exhausted, Fault, Internal, Unavailable
from kernel.eventlog.commands import (
    AtomicGroup,
    CommandResult,
    DeciderRegistry,
    Fenced,
    InTransaction,
    QueuedCommand,
    count_results,
    fail_all,
    moves_with_append,
    receipt,
)
from kernel.eventlog.decide import Decisions, with_repeats
from kernel.eventlog.log import Head, Log
from kernel.eventlog.speculation import BATCH_LIMIT, NextBatch, Speculation, is_plain, share
from kernel.eventlog.state_cache import StateCache, both
from kernel.runtime import telemetry

QUEUE_LIMIT, LOST_DEADLINE_S = 10_000, 30.0
SHARED_TURNS = STALE_TURNS = 16


class _Behind(Exception):
    """The head has moved: what was decided is stale."""


class _Unknown(Unavailable):
    """The outcome cannot be told now; the same command id may be sent again."""


class Writer:
    """The only way into the log. `run()` must be running for `execute` to be answered.

    `admit` raises the Fault with which commands are turned away before they are queued (kernel.eventlog.backpressure).
    """

    def __init__(
        self, service: str, log: Log, deciders: DeciderRegistry, admit: Callable[[], None] = lambda: None
    ) -> None:
        self.service, self.log, self._admit = service, log, admit
        self._queue: deque[AtomicGroup] = deque()
        self._woken = asyncio.Event()
        self._known = StateCache(log, deciders)
        self._attempted: int | None = None  # where the append whose outcome is not known would stand
        self._shared = 0  # turns left in contended mode: another replica appended recently, so the lock comes first
        self._stale = 0  # turns left in which nothing is decided before the lock is there: others change the same
        self._closed = False
        self._overlap = Speculation(self._known, self._queue)
        self._kept: Decisions | None = None  # the batch appended last, as it was decided

    async def execute(
        self, stream: str, command: object, meta: Meta, sealed: Sequence[Any] = (), requester: str | None = None
    ) -> Receipt:
        """Decides and appends one command; returns its receipt or raises the Fault it was refused with."""
        (outcome,) = await self._queued([QueuedCommand(stream, command, meta, sealed, requester)], None)
        if outcome.fault is not None:
            raise outcome.fault
        return receipt(self.service, stream, outcome)

    async def execute_many(self, items: Sequence[QueuedCommand]) -> list[Receipt | BaseException]:
        """Independent commands queued at once (an import): one answer each, in order."""
        calls = [self.execute(one.stream, one.command, one.meta, one.sealed, one.requester) for one in items]
        return await asyncio.gather(*calls, return_exceptions=True)

    async def execute_with(self, items: list[QueuedCommand], also: InTransaction) -> list[CommandResult]:
        """Commands that stand or fall together with `also` in one transaction; raises Fenced when `also` says False."""
        return await self._queued(items, also)

    async def now(self) -> datetime:
        """Database time (UTC) that no later decision of this writer is before."""
        return self._known.now() if self._known.is_timed else await self.log.now()

    def _queued(self, items: list[QueuedCommand], also: InTransaction | None) -> asyncio.Future[list[CommandResult]]:
        if self._closed:
            raise Unavailable("writer.stopping", retry_after_s=1)
        self._admit()
        if len(self._queue) >= QUEUE_LIMIT:
            raise Exhausted("writer.queue_full", limit=QUEUE_LIMIT, retry_after_s=1)
        unit = AtomicGroup(items, also, asyncio.get_running_loop().create_future(), monotonic())
        self._queue.append(unit)
        self._woken.set()
        self._overlap.notice()
        return unit.done

    async def run(self, stop: asyncio.Event) -> None:
        """Serves the queue until `stop`; then finishes what was accepted and takes nothing more."""
        waking = asyncio.create_task(self._wake_at(stop))
        try:
            while self._queue or not self._overlap.is_empty or not self._closed:
                self._closed = stop.is_set()
                following = self._overlap.take()
                if following is not None:
                    await self._serve(following.units, following)
                elif self._queue:
                    await self._serve(await self._taken())
                elif not self._closed:
                    self._woken.clear()
                    await self._woken.wait()
        finally:
            waking.cancel()
            self._closed = True
            self._overlap.give_back()
            while self._queue:
                self._queue.popleft().fail(Unavailable("writer.stopped", retry_after_s=1))

    async def _taken(self) -> list[AtomicGroup]:
        """Of one batch. Where others append too the lock is taken for each: the fewer the better."""
        if self._shared:
            await asyncio.sleep(0)  # whoever was answered just now may ask again in the same batch
        count = min(len(self._queue), BATCH_LIMIT) if self._shared else share(len(self._queue))
        return [self._queue.popleft() for _ in range(count)]

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    async def _serve(self, units: list[AtomicGroup], following: NextBatch | None = None) -> None:
        """Answers every unit, whatever happens."""
        try:
            await self._turn(units, following)
        except (Fenced, Fault, DBAPIError, *BUGS) as error:
            self._known.forget()
            self._kept = None
            await self._isolate(units, error)
        except BaseException:
            for unit in units:
                unit.fail(_Unknown("command.outcome_unknown", do="send the same idempotency key again"))
            raise

    async def _isolate(self, units: list[AtomicGroup], error: BaseException) -> None:
        """What breaks a constraint, has lost its guard or has a stream that cannot be read is halved until it is alone."""
        if len(units) > 1 and not (isinstance(error, Fault) and error.kind == "unavailable"):
            middle = len(units) // 2
            await self._serve(units[:middle])
            await self._serve(units[middle:])
            return
        if isinstance(error, DBAPIError):
            error = Internal("command.breaks_constraint", why=str(error.orig).partition("\n")[0][:200])
        fail_all(units, error)

    async def _turn(self, units: list[AtomicGroup], following: NextBatch | None) -> None:
        """First at the head as known; behind, lost or a repeated id: under the head row's lock, deciding anew."""
        started = monotonic()
        self._attempted = None
        try:
            await self._known.start()
            if following is not None and self._stands(following):
                decided = await self._at_head(units, following.batch.decided)
            else:
                decided = await (self._shared_turn(units) if self._shared else self._optimistic(units))
        except (_Behind, IntegrityError):
            telemetry.count("writer_behind_total")
            self._attempted = None
            decided = await self._until_known(units)
        except _Unknown:
            raise
        except Unavailable:
            decided = await self._until_known(units)
        self._settle(units, decided, monotonic() - started)

    def _stands(self, following: NextBatch) -> bool:
        """What it was decided on was appended as it was, and nothing since: that the head is there says less."""
        return following.base is self._kept

    async def _optimistic(self, units: list[AtomicGroup]) -> Decisions:
        asked = [item.pair for unit in units for item in unit.commands if item.requester is not None]
        known = await self.log.find_commands(asked)  # a request come again must not be refused: that is an event
        return await self._at_head(units, await self._known.decide([unit.commands for unit in units], known, None))

    async def _at_head(self, units: list[AtomicGroup], decided: Decisions) -> Decisions:
        """Appends what was decided on all that is known, or proves that it still is all there is."""
        if decided.pending or moves_with_append(units, decided.outcomes):
            async with self._overlap.during(decided):
                appended = await self._append(units, decided)
            self._known.stand(appended)
        elif (await self.log.head()).position != self._known.position:
            raise _Behind
        self._known.keep(decided)  # at once: when the next question fails, what is known must be of one moment
        return with_repeats([unit.commands for unit in units], decided, await self.log.find_commands(decided.quiet))

    async def _until_known(self, units: list[AtomicGroup]) -> Decisions:
        """After a lost connection an id's absence is final only under the lock (an orphaned backend may still commit)."""
        deadline, pause = min(unit.queued_at for unit in units) + LOST_DEADLINE_S, 0.05
        while True:
            try:
                return await self._locked_turn(units)
            except _Unknown:
                raise
            except Unavailable as error:
                if monotonic() > deadline:
                    raise _Unknown("command.outcome_unknown", do="send the same idempotency key again") from error
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, 2.0)

    async def _locked_turn(self, units: list[AtomicGroup]) -> Decisions:
        """Reads as much as it can before it takes the lock: what is read under it, all others wait for."""
        earlier = await self._known.catch_up()
        pairs, items = [item.pair for unit in units for item in unit.commands], [unit.commands for unit in units]
        known = await self.log.find_commands(pairs)
        await self._known.load(items)
        async with self.log.locked() as connection:
            missed = await self._known.read_on(connection)
            if missed is None:
                known = await self.log.find_commands(pairs, connection)
            else:
                known |= {(event.stream, event.command): event for event in missed if event.command is not None}
            self._met(bool(earlier or missed))
            decided = await self._known.decide(items, known, connection)
            if not decided.pending and self._known.position == self._attempted:
                raise _Unknown("command.outcome_unknown", do="send the same idempotency key again")
            moves = decided.pending or moves_with_append(units, decided.outcomes)
            appended = await self._append(units, decided, connection) if moves else None
        if appended is not None:
            self._known.stand(appended)
        self._known.keep(decided)
        return decided

    async def _shared_turn(self, units: list[AtomicGroup]) -> Decisions:
        """Decides while the lock is waited for, and looks under it whether that still holds."""
        if self._stale or not self.log.is_shared or not all(map(is_plain, units)):
            self._stale = max(0, self._stale - 1)
            return await self._until_known(units)
        async with AsyncExitStack() as stack:
            locking = stack.enter_async_context(self.log.locked())
            connection, ahead = await both(locking, self._known.ahead([unit.commands for unit in units]))
            missed = None if ahead is None else await self._known.missed(ahead)
            if ahead is not None and missed is not None:
                self._met(bool(missed))
                self._known.fold(missed)
                ahead.decided.shift(len(missed))
                appended = await self._append(units, ahead.decided, connection)
        if ahead is None or missed is None:
            self._stale = STALE_TURNS
            return await self._until_known(units)
        self._known.stand(appended)
        self._known.keep(ahead.decided)
        return ahead.decided

    def _met(self, others: bool) -> None:
        self._shared = SHARED_TURNS if others else max(0, self._shared - 1)

    async def _append(
        self, units: list[AtomicGroup], decided: Decisions, connection: AsyncConnection | None = None
    ) -> Head:
        """In the caller's transaction, or in its own: one statement, where no guard has to move with it."""
        moving = moves_with_append(units, decided.outcomes)
        if connection is None and moving:
            async with self.log.transaction() as connection:
                return await self._append(units, decided, connection)
        self._attempted = self._known.position if decided.pending else None
        appended = await self._known.append(connection, decided)
        if appended is None:
            raise _Behind
        for also in moving:
            if connection is None or not await also(connection):
                raise Fenced
        return appended

    def _settle(self, units: list[AtomicGroup], decided: Decisions, took_s: float) -> None:
        """Answers each caller; where another batch is ready, that is sent first."""
        self._kept = decided
        if self._overlap.is_empty:
            self._answer(units, decided, took_s)
        else:
            asyncio.get_running_loop().call_soon(self._answer, units, decided, took_s)

    def _answer(self, units: list[AtomicGroup], decided: Decisions, took_s: float) -> None:
        for unit, outcomes in zip(units, decided.outcomes, strict=True):
            unit.resolve(outcomes)
        if decided.pending:
            self.log.signal.notify()
        # two rounds later: who was answered has asked again, and the database works
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._tell, units, decided, took_s, monotonic())

    def _tell(self, units: list[AtomicGroup], decided: Decisions, took_s: float, answered_at: float) -> None:
        telemetry.observe("append_seconds", took_s)
        telemetry.gauge("writer_queue", len(self._queue))
        count_results(units, decided.outcomes, [row.name for row in decided.pending], answered_at)
