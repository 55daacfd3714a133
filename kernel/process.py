"""Processes, command execution and clocks: how services move each other without an inbox, a saga table or a reconciler.

A process is a Decider whose commands are other services' events; its guard moves in its append's transaction. The target's
executor runs a request under the message's id; a refusal comes back as a public CommandRefused. Deadlines are rows.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.codec import Codec
from kernel.consume import Guards, Part, Sourced, Topic
from kernel.database import Database
from kernel.decide import Item
from kernel.errors import Fault, Unavailable
from kernel.ids import derived_id
from kernel.lease import Leases
from kernel.log import Log
from kernel.model import Actor, Decider, Fact, Incoming, Inline, Key, Meta, Rows
from kernel.park import Parking
from kernel.projector import POISONOUS
from kernel.signal import wait
from kernel.writer import Fenced, Writer

SYSTEM = frozenset({"system"})
PROCESS_BATCH = 500
DUE_LIMIT = 200
CLOCK_POLL_S = 1.0


@dataclass(frozen=True)
class Process:
    """`decider` is private (published=False) and takes Incoming events; `route` names its stream or None to ignore."""

    name: str
    decider: Decider[Any, Any, Any]
    route: Callable[[Incoming[Any]], str | None]
    own: bool = True
    topics: tuple[Topic, ...] = ()


class ProcessRunner:
    """`handle` of a process's Consumer: decides a batch of causes and moves the guards in one append."""

    def __init__(self, process: Process, database: Database, writer: Writer) -> None:
        self._process, self._database, self._writer = process, database, writer
        self._guards = Guards(database, process.name)
        self._parking = Parking(database, process.name)

    async def handle(self, parts: Sequence[Part]) -> None:
        clean = await self._parking.is_empty() and not any(part.broken for part in parts)
        fresh = [sourced for part in parts for sourced in part.admitted.fresh]
        if clean and all(sourced.error is None for sourced in fresh):
            items = [item for sourced in fresh if (item := self._item(sourced)) is not None]
            if await self._decide(items, lambda connection: self._guards.move(connection, parts)):
                return
        await self._carefully(parts)

    async def _decide(self, items: list[Item], also: Callable[[AsyncConnection], Awaitable[bool]]) -> bool:
        """False when one of the items cannot be decided; nothing was written then."""
        if not items:
            await _commit(self._database, also)
            return True
        outcomes = await self._writer.execute_with(items, also)
        faults = [outcome.fault for outcome in outcomes if outcome.fault is not None]
        for fault in faults:
            if isinstance(fault, Fault) and fault.kind == "unavailable":
                raise fault
        return not faults

    async def _carefully(self, parts: Sequence[Part]) -> None:
        """One cause at a time, under ids that make repeats harmless; a failing key is parked with the guards' move."""
        parking: list[tuple[Part, Sourced, str]] = []
        async with self._database.reading() as connection:
            parked = await self._parking.keys(connection)
        for part in parts:
            for sourced in [*part.broken, *part.admitted.fresh]:
                reason = sourced.error or ("key is parked" if sourced.key in parked else await self._try(sourced))
                if reason is not None:
                    parked.add(sourced.key)
                    parking.append((part, sourced, reason))

        async def also(connection: AsyncConnection) -> bool:
            for part, sourced, reason in parking:
                await self._parking.park(connection, part, sourced, reason)
            return await self._guards.move(connection, parts)

        await _commit(self._database, also)

    async def _try(self, sourced: Sourced) -> str | None:
        item = self._item(sourced)
        if item is None:
            return None
        try:
            await self._writer.execute(item.stream, item.command, item.meta)
        except POISONOUS as error:
            return f"{type(error).__name__}: {error}"[:500]
        except Fault as fault:
            if fault.kind == "unavailable":
                raise
            return f"{type(fault).__name__}: {fault}"[:500]
        return None

    def _item(self, sourced: Sourced) -> Item | None:
        incoming = sourced.incoming
        stream = self._process.route(incoming) if incoming is not None else None
        if incoming is None or stream is None:
            return None
        command = derived_id("process", self._process.name, incoming.source, incoming.id)
        actor = Actor(f"process:{self._process.name}", incoming.tenant, SYSTEM)
        meta = Meta(command, actor, "", incoming.correlation, incoming.id, incoming.traceparent)
        return Item(stream, incoming, meta)


DecodeCommand = Callable[[str, bytes], tuple[str, object] | None]
"""`(ce_type, value) -> (stream, command)` of this service, or None for a type that is not known here (it is parked)."""


class Executor:
    """`handle` of the consumer of `<service>.commands.v1`: each request runs once under its message id."""

    def __init__(self, name: str, database: Database, writer: Writer) -> None:
        self._database, self._writer = database, writer
        self._guards = Guards(database, name)
        self._parking = Parking(database, name)

    async def handle(self, parts: Sequence[Part]) -> None:
        placed = [(part, sourced) for part in parts for sourced in [*part.broken, *part.admitted.fresh]]
        runnable = [sourced for _, sourced in placed if sourced.error is None and sourced.incoming is not None]
        answers = await self._writer.execute_many([_request(sourced) for sourced in runnable])
        reasons = {id(sourced): sourced.error or "unknown command type" for _, sourced in placed}
        for sourced, answer in zip(runnable, answers, strict=True):
            if isinstance(answer, Fault) and answer.kind in {"unavailable", "exhausted"}:
                raise Unavailable(answer.code)
            bug = isinstance(answer, BaseException) and not isinstance(answer, Fault)
            reasons[id(sourced)] = f"{type(answer).__name__}: {answer}"[:500] if bug else ""

        async def also(connection: AsyncConnection) -> bool:
            for part, sourced in placed:
                if reasons[id(sourced)]:
                    await self._parking.park(connection, part, sourced, reasons[id(sourced)])
            return await self._guards.move(connection, parts)

        await _commit(self._database, also)


def _request(sourced: Sourced) -> Item:
    assert sourced.incoming is not None
    incoming = sourced.incoming
    stream, command = incoming.event
    actor = Actor(f"service:{incoming.source}", incoming.tenant, SYSTEM)
    meta = Meta(incoming.id, actor, "", incoming.correlation, incoming.id, incoming.traceparent)
    return Item(stream, command, meta, (), sourced.requester)


async def _commit(database: Database, also: Callable[[AsyncConnection], Awaitable[bool]]) -> None:
    async with database.transaction() as connection:
        if not await also(connection):
            raise Fenced


@dataclass(frozen=True, slots=True)
class Deadline:
    """An inline row: at `due_at` (UTC) the clock executes the stored command `command` with canonical JSON `data`."""

    stream: str
    name: str
    due_at: datetime
    command: str
    data: str


def deadlines(
    events: tuple[type, ...], fold: Callable[[Fact[Any], Rows], Iterable[tuple[Key, Deadline | None]]]
) -> Inline[Deadline]:
    """The service's `deadlines` inline table: `fold` sets, moves (same stream and name) or clears rows from events."""
    return Inline("deadlines", Deadline, ("stream", "name"), events, fold)


class DeadlineClock:
    """Executes what is due under the uuid5 of the deadline, and deletes the row on any answer but `unavailable`."""

    def __init__(self, database: Database, log: Log, writer: Writer, codec: Codec) -> None:
        self._database, self._log, self._writer, self._codec = database, log, writer, codec
        self._table = database.metadata.tables["deadlines"]

    async def run(self, stop: asyncio.Event) -> None:
        lease = Leases(self._database, "clock", ["clock"])
        woken = self._log.signal.listen()
        try:
            while not stop.is_set():
                woken.clear()
                await wait(woken, await self._tick(lease))
        finally:
            self._log.signal.leave(woken)
            await lease.release()

    async def _tick(self, lease: Leases) -> float:
        """Runs what is due; returns how long until something may be due again, at most CLOCK_POLL_S."""
        try:
            return await self.run_due() if await lease.held() else CLOCK_POLL_S
        except Fault as fault:
            if fault.kind != "unavailable":
                raise
            return CLOCK_POLL_S * random.random()

    async def run_due(self) -> float:
        now = await self._log.now()
        async with self._database.reading() as connection:
            query = sa.select(self._table).order_by(self._table.c.due_at).limit(DUE_LIMIT)
            rows = [Deadline(**row) for row in (await connection.execute(query)).mappings()]
        due = [row for row in rows if row.due_at <= now]
        if due:
            await self._execute(due)
            return 0.0
        return min(CLOCK_POLL_S, (rows[0].due_at - now) / timedelta(seconds=1)) if rows else CLOCK_POLL_S

    async def _execute(self, due: Sequence[Deadline]) -> None:
        answers = await self._writer.execute_many([self._item(row) for row in due])
        done = []
        for row, answer in zip(due, answers, strict=True):
            if isinstance(answer, BaseException) and not isinstance(answer, Fault):
                raise answer
            if not (isinstance(answer, Fault) and answer.kind in {"unavailable", "exhausted"}):
                done.append(row)
        async with self._database.transaction() as connection:
            columns = sa.tuple_(self._table.c.stream, self._table.c.name, self._table.c.due_at)
            await connection.execute(sa.delete(self._table).where(columns.in_([_deadline_key(row) for row in done])))

    def _item(self, row: Deadline) -> Item:
        command = self._codec.decode(row.command, row.data.encode())
        identity = derived_id("deadline", row.stream, row.name, row.due_at.isoformat())
        return Item(row.stream, command, Meta(identity, Actor("clock", "platform", SYSTEM)))


def _deadline_key(row: Deadline) -> tuple[str, str, datetime]:
    return row.stream, row.name, row.due_at


@dataclass(frozen=True)
class Effect:
    """Calls to the world outside for intents in the own log: at least once, with the intent's id as idempotency key.

    `perform` calls the port and executes the resulting command; Unavailable from it waits and is tried again.
    """

    name: str
    events: tuple[type, ...]
    perform: Callable[[Incoming[Any]], Awaitable[None]]


class EffectRunner:
    """`handle` of an effect's Consumer over the own log."""

    CONCURRENT = 16

    def __init__(self, effect: Effect, database: Database) -> None:
        self._effect, self._database = effect, database
        self._guards = Guards(database, effect.name)
        self._slots = asyncio.Semaphore(self.CONCURRENT)

    async def handle(self, parts: Sequence[Part]) -> None:
        wanted = [
            sourced.incoming
            for part in parts
            for sourced in part.admitted.fresh
            if sourced.incoming is not None and isinstance(sourced.incoming.event, self._effect.events)
        ]
        await asyncio.gather(*[self._perform(incoming) for incoming in wanted])
        await _commit(self._database, lambda connection: self._guards.move(connection, parts))

    async def _perform(self, incoming: Incoming[Any]) -> None:
        async with self._slots:
            await self._effect.perform(incoming)
