"""Processes, deadlines and effects: how services react to each other and to time, without an inbox, a saga table or a reconciler.

A process is a Decider whose commands are events. Its guard moves in the transaction of its append. A command that it requests
of another service is executed there under the message's id, and a refusal comes back as a public CommandRefused.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor, DecidedEvent, Decider, InlineTable, Key, Meta, Rows
from kernel.core.events import Delivered
from kernel.core.faults import BUGS, WAITING, Fault
from kernel.core.ids import SYSTEM_ROLE, derived_id
from kernel.eventlog.commands import Fenced, InTransaction, QueuedCommand
from kernel.eventlog.writer import Writer
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import Parking, Redecode, reason_of
from kernel.streams.records import PartitionBatch, Topic, placed

SYSTEM = frozenset({SYSTEM_ROLE})
PROCESS_BATCH = 500


def waits(error: BaseException) -> bool:
    """True for a transient fault of what all commands need. One that a Decider raised concerns its own command alone."""
    return isinstance(error, Fault) and error.kind in WAITING and not error.decided


@dataclass(frozen=True)
class Process:
    """Process (process manager): a Decider whose commands are events of its own log and of other services' topics.

    An implementer promises:
    - `route(event)` names the stream that an event belongs to, or None for an event that does not concern the process. It
      depends on the event alone: the same event always goes to the same stream.
    - `decider` takes Delivered events as commands. It is a Decider like any other: pure, and it returns [] for an event whose
      effect is already in the state. The runner decides every event under an id derived from the event's, so a repeat
      appends nothing.
    - It does not refuse an event. What has happened cannot be refused, so a Fault parks the event and later events of its
      key; only Unavailable and Exhausted make the process wait.
    `own` subscribes to the service's own log, `topics` to topics of other services.

    A process that watches a post from its publication on:

        def route(event: Delivered[Any]) -> str | None:
            return f"look-{event.event.about.deliverable_id}" if isinstance(event.event, ContentPublished) else None

        def decide(cause: Delivered[Any], state: State, context: Context) -> Sequence[LooksScheduled]:
            return [] if state.scheduled else [LooksScheduled(first_at=cause.at + HOUR)]

        LOOKS = Process("looks", Decider("look", State(), decide, evolve), route, own=False, topics=(CAMPAIGNS,))
    """

    name: str
    decider: Decider[Any, Any, Any]
    route: Callable[[Delivered[Any]], str | None]
    own: bool = True
    topics: tuple[Topic, ...] = ()


class ProcessRunner:
    """Runner of a process: `handle`, which its Consumer calls, decides a batch of events and moves the guards in one append."""

    def __init__(self, process: Process, database: Database, writer: Writer) -> None:
        self._process, self._database, self._writer = process, database, writer
        self._guards = Checkpoints(database, process.name)
        self.parking = Parking(database, process.name)

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        """Decides all causes in one append, and parks unreadable records and parked keys; one cause at a time when that fails."""
        records, parking, causes = placed(parts), [], []
        parked = await self.parking.standing(inbound.key for _, inbound in records)
        for part, inbound in records:
            reason = parked.reason(inbound)
            if reason is None:
                causes.append(inbound.incoming)
            else:
                parking.append(parked.set_aside(part, inbound, reason))

        async def in_transaction(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        if not await self._decide(causes, in_transaction):
            await self._one_by_one(parts)

    async def _decide(self, causes: Sequence[Delivered[Any] | None], in_transaction: InTransaction) -> bool:
        """Decides the causes and appends; False, with nothing written, when one of the causes cannot be decided."""
        try:
            items = [item for cause in causes if (item := self._item(cause)) is not None]
        except BUGS:
            return False
        if not items:
            await commit(self._database, in_transaction)
            return True
        faults = [
            result.fault
            for result in await self._writer.execute_group(items, in_transaction)
            if result.fault is not None
        ]
        for fault in filter(waits, faults):
            raise fault
        return not faults

    async def _one_by_one(self, parts: Sequence[PartitionBatch]) -> None:
        """Decides one cause at a time, under ids that make repeats harmless; parks the failing keys when it moves the guards."""
        records, parking = placed(parts), []
        parked = await self.parking.standing(inbound.key for _, inbound in records)
        for part, inbound in records:
            reason = parked.reason(inbound) or await self._try(inbound.incoming)
            if reason is not None:
                parking.append(parked.set_aside(part, inbound, reason))

        async def in_transaction(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        await commit(self._database, in_transaction)

    async def _try(self, cause: Delivered[Any] | None) -> str | None:
        try:
            await self._execute(cause)
        except (Fault, *BUGS) as error:
            if waits(error):
                raise
            return reason_of(error)
        return None

    async def _execute(self, cause: Delivered[Any] | None) -> None:
        item = self._item(cause)
        if item is not None:
            await self._writer.execute(item.stream, item.command, item.meta)

    def _item(self, cause: Delivered[Any] | None) -> QueuedCommand | None:
        stream = self._process.route(cause) if cause is not None else None
        if cause is None or stream is None:
            return None
        command = derived_id("process", self._process.name, cause.source, cause.id)
        actor = Actor(f"process:{self._process.name}", cause.tenant, SYSTEM)
        return QueuedCommand(stream, cause, Meta(command, actor, "", cause.correlation, cause.id, cause.traceparent))

    async def retry(self, key: str, redecode: Redecode) -> int:
        """Decides a key's parked causes in order; returns how many, and raises the error of one that still fails."""
        waiting = await self.parking.waiting(key)
        for place, source, inbound in waiting:
            await self._execute(await redecode(source, inbound))
            async with self._database.transaction() as connection:
                await self.parking.remove(connection, [place])
        return len(waiting)


async def commit(database: Database, in_transaction: InTransaction) -> None:
    """Runs `in_transaction` in a transaction of its own; raises Fenced when another replica has moved the guard."""
    async with database.grouped() as connection:
        if not await in_transaction(connection):
            raise Fenced


@dataclass(frozen=True, slots=True)
class Deadline:
    """Deadline, a row of an inline table: at `due_at` (UTC) the scheduler executes `command` with the JSON `data`."""

    stream: str
    name: str
    due_at: datetime
    command: str
    data: str


def deadlines(
    events: tuple[type, ...], fold: Callable[[DecidedEvent[Any], Rows], Iterable[tuple[Key, Deadline | None]]]
) -> InlineTable[Deadline]:
    """Inline table `deadlines` of a service: `fold` sets, moves (same stream and name) or deletes deadlines from events."""
    return InlineTable("deadlines", Deadline, ("stream", "name"), events, fold)


@dataclass(frozen=True)
class Effect:
    """Effect: calls a system outside for each intent in the service's log, at least once.

    `perform` calls the port, with the intent's id as idempotency key, and executes the resulting command. Unavailable,
    Exhausted and a timeout say that there is no answer yet: the stream is tried again, for about a day. Any other exception is
    final and parks the stream, and so is any fault that a Decider raised.
    """

    name: str
    events: tuple[type, ...]
    perform: Callable[[Delivered[Any]], Awaitable[None]]
