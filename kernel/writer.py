"""execute(): what is queued is decided in memory and appended once (group commit); nobody is answered before.

One writer task per process takes what is queued, without a timer. When the head has moved it reads what it missed, the
rest of it under the head row's lock, decides anew and appends: retrying the compare-and-set alone starves a replica.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.database import is_lost, upsert
from kernel.decide import (
    REFUSAL,
    Batch,
    Decided,
    Deciders,
    Entry,
    Item,
    Outcome,
    Recent,
    receipt,
    repeated,
)
from kernel.errors import Exhausted, Fault, Internal, Unavailable
from kernel.log import Head, Log
from kernel.model import Key, Meta, Receipt, Recorded

BATCH_LIMIT = 512
QUEUE_LIMIT = 10_000
STATES_LIMIT = 50_000
ROWS_LIMIT = 200_000
FAR_BEHIND = 20_000
LOST_DEADLINE_S = 30.0
LOSABLE = (DBAPIError, OSError, Unavailable, sa.exc.TimeoutError)
Also = Callable[[AsyncConnection], Awaitable[bool]]
"""Runs in the append's transaction (a guard's move); False means somebody else owns it: the unit is dropped."""


class Fenced(Exception):
    """The unit's guard belongs to somebody else by now: nothing of it was written."""


class _Behind(Exception):
    """The head has moved: what was decided is stale."""


@dataclass(slots=True)
class _Unit:
    items: list[Item]
    also: Also | None
    done: asyncio.Future[list[Outcome]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def answer(self, outcomes: list[Outcome]) -> None:
        if not self.done.done():
            self.done.set_result(outcomes)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """The only way into the log. `run()` must be running for `execute` to be answered."""

    def __init__(self, service: str, log: Log, deciders: Deciders, observe: Callable[[int, float], None] | None = None):
        self.service, self.log, self._deciders = service, log, deciders
        self._database = log.database
        self._queue: asyncio.Queue[_Unit] = asyncio.Queue(QUEUE_LIMIT)
        self._states: Recent = Recent(STATES_LIMIT)
        self._rows: Recent = Recent(ROWS_LIMIT)
        self._head: Head | None = None
        self._read_at = 0.0
        self._observe = observe or (lambda _size, _seconds: None)
        self._closed = False

    async def execute(
        self, stream: str, command: object, meta: Meta, sealed: Sequence[Any] = (), requester: str | None = None
    ) -> Receipt:
        """Decides and appends one command; returns its receipt or raises the Fault it was refused with."""
        outcome = (await self._submit([Item(stream, command, meta, sealed, requester)], None))[0]
        if outcome.fault is not None:
            raise outcome.fault
        return receipt(self.service, stream, outcome)

    async def execute_many(self, items: Sequence[Item]) -> list[Receipt | BaseException]:
        """Independent commands queued at once (an import): one answer each, in order."""
        asked = [asyncio.ensure_future(self._submit([item], None)) for item in items]
        answers: list[Receipt | BaseException] = []
        for item, outcomes in zip(items, await asyncio.gather(*asked), strict=True):
            answers.append(outcomes[0].fault or receipt(self.service, item.stream, outcomes[0]))
        return answers

    async def execute_with(self, items: list[Item], also: Also) -> list[Outcome]:
        """Commands that stand or fall together with `also` in one transaction; raises Fenced when `also` says False."""
        return await self._submit(items, also)

    async def _submit(self, items: list[Item], also: Also | None) -> list[Outcome]:
        if self._closed:
            raise Unavailable("writer.stopping", retry_after_s=1)
        unit = _Unit(items, also)
        try:
            self._queue.put_nowait(unit)
        except asyncio.QueueFull:
            raise Exhausted("writer.queue_full", limit=QUEUE_LIMIT, retry_after_s=1) from None
        return await unit.done

    async def run(self, stop: asyncio.Event) -> None:
        """Serves the queue until `stop`; then finishes what was accepted."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not (stopping.done() and self._queue.empty()):
                units = await self._take(stopping)
                if units:
                    await self._serve(units)
        finally:
            self._closed = True
            stopping.cancel()
            while not self._queue.empty():
                self._queue.get_nowait().fail(Unavailable("writer.stopped", retry_after_s=1))

    async def _take(self, stopping: "asyncio.Future[Any]") -> list[_Unit]:
        if self._queue.empty():
            first = asyncio.ensure_future(self._queue.get())
            await asyncio.wait({first, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                first.cancel()
                self._closed = True
                return []
            units = [first.result()]
        else:
            units = [self._queue.get_nowait()]
        while len(units) < BATCH_LIMIT and not self._queue.empty():
            units.append(self._queue.get_nowait())
        return units

    async def _serve(self, units: list[_Unit]) -> None:
        """Answers every unit, whatever happens; a batch that breaks a constraint is halved until the culprit is alone."""
        started = monotonic()
        try:
            await self._turn(units)
        except Fenced:
            await self._one_by_one(units)
        except DBAPIError as error:
            await self._halve(units, error)
        except (Fault, OSError) as error:
            self._fail(units, error)
        except BaseException as error:
            self._fail(units, error)
            raise
        self._observe(len(units), monotonic() - started)

    def _fail(self, units: list[_Unit], error: BaseException) -> None:
        self._forget()
        for unit in units:
            unit.fail(error)

    async def _one_by_one(self, units: list[_Unit]) -> None:
        self._forget()
        if len(units) == 1:
            units[0].fail(Fenced())
            return
        for unit in units:
            await self._serve([unit])

    async def _halve(self, units: list[_Unit], error: DBAPIError) -> None:
        self._forget()
        if len(units) == 1:
            units[0].fail(Internal("command.breaks_constraint", why=str(error.orig)[:200]))
            return
        middle = len(units) // 2
        await self._serve(units[:middle])
        await self._serve(units[middle:])

    async def _turn(self, units: list[_Unit]) -> None:
        """First at the head as known; behind, lost or a repeated id: under the head row's lock, deciding anew."""
        try:
            await self._optimistic(units)
        except (_Behind, IntegrityError):
            await self._until_known(units)
        except LOSABLE as error:
            if not _is_lost(error):
                raise
            await self._until_known(units)

    async def _optimistic(self, units: list[_Unit]) -> None:
        if self._head is None:
            await self._start()
        assert self._head is not None
        head, at = self._head, self._now()
        decided = await self._decide(units, {}, head.position, at, None)
        quiet = [pair for pair in _pairs(units, decided) if not pair[1].appended]
        if not decided.pending and not any(unit.also for unit in units):
            if (await self.log.head()).position != head.position:
                raise _Behind
        else:
            await self._write(units, decided, head.position)
        known = await self.log.find_commands([(item.stream, item.meta.command_id) for item, _ in quiet])
        if known:
            decided.outcomes = _with_repeats(units, decided, known)
        self._settle(units, decided)

    async def _until_known(self, units: list[_Unit]) -> None:
        """After a lost connection an id's absence is final only under the lock (an orphaned backend may still commit)."""
        deadline, pause = monotonic() + LOST_DEADLINE_S, 0.05
        while True:
            try:
                return await self._locked_turn(units)
            except LOSABLE as error:
                if not _is_lost(error):
                    raise
                if monotonic() > deadline:
                    raise Unavailable("command.outcome_unknown", do="send the same idempotency key again") from error
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, 2.0)

    async def _locked_turn(self, units: list[_Unit]) -> None:
        await self._read_on((await self.log.head()).position, None)
        async with self.log.locked() as (connection, head):
            await self._read_on(head.position, connection)
            asked = [(item.stream, item.meta.command_id) for unit in units for item in unit.items]
            known = await self.log.find_commands(asked, connection)
            self._stand_at(head)
            decided = await self._decide(units, known, head.position, self._now(), connection)
            appended = head
            if decided.pending or any(unit.also for unit in units):
                appended = await self._append(connection, units, decided, head.position)
        self._stand_at(appended)
        self._settle(units, decided)

    async def _write(self, units: list[_Unit], decided: Decided, expected: int) -> None:
        async with self._database.write.begin() as connection:
            appended = await self._append(connection, units, decided, expected)
        self._stand_at(appended)

    async def _append(self, connection: AsyncConnection, units: list[_Unit], decided: Decided, expected: int) -> Head:
        at = await self.log.append(connection, decided.pending, expected)
        if at is None:
            raise _Behind
        await self._write_rows(connection, decided)
        for unit in units:
            if unit.also is not None and not await unit.also(connection):
                raise Fenced
        return Head(expected + len(decided.pending), at)

    async def _write_rows(self, connection: AsyncConnection, decided: Decided) -> None:
        by_table: dict[str, dict[Key, Any]] = {}
        for (table, key), row in decided.rows.items():
            by_table.setdefault(table, {})[key] = row
        for name in sorted(by_table):
            await self._write_table(connection, name, by_table[name])
        if decided.sealed:
            personal = self._database.metadata.tables["personal"]
            latest = {(sealed.subject, sealed.field): asdict(sealed) for sealed in decided.sealed}
            await upsert(connection, personal, list(latest.values()))

    async def _write_table(self, connection: AsyncConnection, name: str, rows: Mapping[Key, Any]) -> None:
        table, inline = self._database.metadata.tables[name], self._deciders.inlines[name]
        gone = sorted(key for key, row in rows.items() if row is None)
        if gone:
            columns = sa.tuple_(*[table.c[column] for column in inline.key])
            await connection.execute(sa.delete(table).where(columns.in_(gone)))
        await upsert(connection, table, [asdict(row) for row in rows.values() if row is not None])

    async def _decide(
        self,
        units: list[_Unit],
        known: Mapping[tuple[str, str], Recorded],
        head: int,
        at: datetime,
        connection: AsyncConnection | None,
    ) -> Decided:
        """Loads what is missing in one query each, then decides; a row nobody announced is loaded and all decided anew."""
        entries = await self._load_states(units, head, connection)
        rows = {key: self._rows[key] for key in self._announced(units, entries) if key in self._rows}
        wanted = [key for key in self._announced(units, entries) if key not in rows]
        while True:
            rows.update(await self._load_rows(wanted, connection))
            batch = Batch(self._deciders, entries, rows, head, at)
            for unit in units:
                batch.add(unit.items, known)
            if not batch.missing:
                self._rows.keep(rows)
                return batch.decided
            wanted = list(batch.missing)

    def _announced(self, units: list[_Unit], entries: Mapping[str, Entry]) -> list[tuple[str, Key]]:
        wanted: dict[tuple[str, Key], None] = {}
        for unit in units:
            for item in unit.items:
                reads = self._deciders.of(item.stream).reads
                for inline, key in reads(item.command, entries[item.stream].state):
                    wanted[inline.name, key] = None
        return list(wanted)

    async def _load_states(self, units: list[_Unit], head: int, connection: AsyncConnection | None) -> dict[str, Entry]:
        streams = {item.stream for unit in units for item in unit.items}
        streams |= {f"{REFUSAL}-{item.meta.command_id}" for unit in units for item in unit.items if item.requester}
        entries = {stream: self._states[stream] for stream in streams if stream in self._states}
        missing = sorted(streams - entries.keys())
        if missing:
            loaded = {stream: self._deciders.blank(stream) for stream in missing}
            for recorded in await self.log.load(missing, head, connection):
                self._deciders.evolve(loaded[recorded.stream], recorded)
            self._states.keep(loaded)
            entries.update(loaded)
        return entries

    async def _load_rows(
        self, wanted: Sequence[tuple[str, Key]], connection: AsyncConnection | None
    ) -> dict[tuple[str, Key], Any]:
        if not wanted:
            return {}
        found: dict[tuple[str, Key], Any] = dict.fromkeys(wanted)
        async with self._reading(connection) as reading:
            for name in sorted({table for table, _ in wanted}):
                keys = [key for table, key in wanted if table == name]
                found.update(await self._select_rows(reading, name, keys))
        return found

    async def _select_rows(
        self, reading: AsyncConnection, name: str, keys: Sequence[Key]
    ) -> dict[tuple[str, Key], Any]:
        table, inline = self._database.metadata.tables[name], self._deciders.inlines[name]
        columns = sa.tuple_(*[table.c[column] for column in inline.key])
        selected = [table.c[column] for column in inline.row.__dataclass_fields__]
        result = await reading.execute(sa.select(*selected).where(columns.in_(keys)))
        rows = [inline.row(**row) for row in result.mappings()]
        return {(name, tuple(getattr(row, column) for column in inline.key)): row for row in rows}

    @asynccontextmanager
    async def _reading(self, connection: AsyncConnection | None) -> AsyncIterator[AsyncConnection]:
        if connection is not None:
            yield connection
        else:
            async with self._database.reading() as reading:
                yield reading

    async def _start(self) -> None:
        self._stand_at(Head((await self.log.head()).position, await self.log.now()))

    def _stand_at(self, head: Head) -> None:
        """A head read, not appended, may be old: time never falls behind the estimate that was running."""
        at = head.at if self._head is None else max(head.at, self._now())
        self._head, self._read_at = Head(head.position, at), monotonic()

    def _now(self) -> datetime:
        """Database time as of the last append or read, plus what has passed since: no machine's clock is asked."""
        assert self._head is not None
        return self._head.at + timedelta(seconds=monotonic() - self._read_at)

    def _forget(self) -> None:
        self._head = None
        self._states.clear()
        self._rows.clear()

    async def _read_on(self, upto: int, connection: AsyncConnection | None) -> None:
        """Folds what others appended into the cached states; inline rows are dropped, they are read again."""
        if self._head is None or upto - self._head.position > FAR_BEHIND:
            self._forget()
            self._stand_at(Head(upto, await self.log.now()))
            return
        while self._head.position < upto:
            missed = await self.log.read(self._head.position, upto=upto, connection=connection)
            for recorded in missed:
                entry = self._states.get(recorded.stream)
                if entry is not None and recorded.version == entry.version + 1:
                    self._deciders.evolve(entry, recorded)
            self._rows.clear()
            self._stand_at(Head(missed[-1].position, missed[-1].recorded_at))

    def _settle(self, units: list[_Unit], decided: Decided) -> None:
        self._states.keep(decided.entries)
        self._rows.keep(decided.rows)
        for unit, outcomes in zip(units, decided.outcomes, strict=True):
            unit.answer(outcomes)
        if decided.pending:
            self.log.signal.notify()


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, Unavailable) or is_lost(error)


def _pairs(units: list[_Unit], decided: Decided) -> list[tuple[Item, Outcome]]:
    return [
        pair
        for unit, outcomes in zip(units, decided.outcomes, strict=True)
        for pair in zip(unit.items, outcomes, strict=True)
    ]


def _with_repeats(
    units: list[_Unit], decided: Decided, known: Mapping[tuple[str, str], Recorded]
) -> list[list[Outcome]]:
    """A command that decided nothing (or was refused) and had been appended before answers its first receipt."""

    def settled(item: Item, outcome: Outcome) -> Outcome:
        first = known.get((item.stream, item.meta.command_id))
        return outcome if outcome.appended or first is None else repeated(item, first)

    return [
        [settled(item, outcome) for item, outcome in zip(unit.items, outcomes, strict=True)]
        for unit, outcomes in zip(units, decided.outcomes, strict=True)
    ]
