"""Projector: commits a batch's read model rows, parked events and guards in one transaction, by set-wise statements.

A projection does not know whether an event came from the service's own log or from a topic. `apply` uses no clock, random
number, float or personal data: a rebuild must give the live rows byte for byte.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, in_key_order
from kernel.adapters.database import Database, Entry, WriteTransaction
from kernel.adapters.disconnects import is_lost
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.faults import Poison
from kernel.eventlog.commands import Fenced
from kernel.runtime.wakeup import Wakeup
from kernel.streams.checkpoints import Checkpoints, moves_of
from kernel.streams.parked import ParkedKeys, Parking, Redecode, SetAside, reason_of
from kernel.streams.records import BATCH_RECORDS, PartitionBatch, Topic, placed

logger = logging.getLogger(__name__)

TRIES = 3
POISONOUS = (Poison, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, DBAPIError)


class Superseded(Exception):
    """A rebuild has replaced this generation: its projector ends, and one for the new generation starts."""


@dataclass(frozen=True)
class Projection:
    """Projection: declares a read model, its `tables`, and how events change their rows.

    An implementer promises:
    - `apply(target, events)` gets events in the order of their partition, and writes through `target` only. The projector
      calls it in the transaction that moves the guard, so every event is applied exactly once.
    - The rows depend on the events alone, and not on how batches cut them. A rebuild must give the same rows, therefore
      `apply` reads no clock, no randomness, no other table and no float.
    - An exception parks the event that caused it, and later events of its key, until an operator retries them.
    - `version` goes up whenever `apply` or a column changes, so that the service asks for a rebuild.
    `tables` are base tables: each generation has copies of them behind views of their names. `own` subscribes to the service's
    own log, `topics` to topics of other services.

    A read model that counts a counter's changes:

        def fold(row: dict[str, Any] | None, event: Delivered[Any]) -> dict[str, Any]:
            return {"counter": event.stream, "changes": (row["changes"] if row else 0) + 1}

        async def apply(target: Target, events: Sequence[Delivered[Any]]) -> None:
            await fold_rows(target, COUNTERS, events, lambda event: (event.stream,), fold)

        PROJECTION = Projection("counters", 1, (COUNTERS,), apply)
    """

    name: str
    version: int
    tables: tuple[sa.Table, ...]
    apply: Callable[["Target", Sequence[Delivered[Any]]], Awaitable[None]]
    own: bool = True
    topics: tuple[Topic, ...] = ()
    batch_records: int = BATCH_RECORDS
    """Most records in one transaction; set lower where a record holds many rows."""


class Target:
    """Target of `apply`: the batch's transaction, and the tables of one generation by their base tables.

    `is_live` is False while a rebuild fills the generation.
    """

    def __init__(
        self, transaction: WriteTransaction, tables: Mapping[str, BulkStatements], is_live: bool = True
    ) -> None:
        self._transaction, self._tables, self._is_live = transaction, tables, is_live

    @property
    def connection(self) -> AsyncConnection:
        return self._transaction.connection

    def __getitem__(self, table: sa.Table) -> sa.Table:
        return self._tables[table.name].table

    async def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, add: Sequence[str] = ()) -> None:
        """Upserts rows by one statement; columns in `add` are added to the stored values, the others replace them.

        Rows must have the same columns and distinct primary keys. They are sorted by key, because unsorted upserts deadlocked.
        """
        if rows:
            known, ordered = self._tables[table.name], in_key_order(table, rows)
            columns = {name: [row[name] for row in ordered] for name in ordered[0]}
            await self._transaction.upsert(known, columns, add)

    async def upsert_columns(
        self, table: sa.Table, columns: Mapping[str, list[Any]], *, add: Sequence[str] = ()
    ) -> None:
        """Upserts rows given as columns, sorted by primary key: without a dict per row."""
        await self._transaction.upsert(self._tables[table.name], columns, add)

    async def upsert_beside(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Upserts rows of a table that is no part of a read model, as the live generation alone does: a rebuild beside it would
        wait for the locks of the same rows."""
        if rows and self._is_live:
            known, ordered = BulkStatements(table, table.c.keys()), in_key_order(table, rows)
            await self._transaction.upsert(known, {name: [row[name] for row in ordered] for name in ordered[0]}, ())

    async def rows(self, table: sa.Table, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """Rows of the given primary keys, 5,000 a query; keys without a row are absent."""
        known, wanted = self._tables[table.name], sorted(set(keys))
        found: dict[Key, dict[str, Any]] = {}
        for start in range(0, len(wanted), 5_000):
            for row in await self._transaction.select(known, wanted[start : start + 5_000]):
                found[tuple(row[name] for name in known.key)] = row
        return found

    async def delete(self, table: sa.Table, keys: Iterable[Key]) -> None:
        if gone := sorted(set(keys)):
            await self._transaction.delete(self._tables[table.name], gone)


Fold = Callable[[dict[str, Any] | None, Delivered[Any]], dict[str, Any] | None]


async def fold_rows(
    target: Target,
    table: sa.Table,
    events: Sequence[Delivered[Any]],
    key: Callable[[Delivered[Any]], Key | None],
    fold: Fold,
) -> None:
    """Folds events into rows: loads the rows that a batch touches, folds in memory, and writes each row once.

    `fold(row, event)` returns the whole new row (all columns), or None to delete it. An event whose `key` is None is skipped.
    """
    touched = [(where, incoming) for incoming in events if (where := key(incoming)) is not None]
    if not touched:
        return
    stored = await target.rows(table, (where for where, _ in touched))
    rows: dict[Key, dict[str, Any] | None] = dict(stored)
    for where, incoming in touched:
        row = rows.get(where)
        rows[where] = fold(dict(row) if row is not None else None, incoming)
    await target.delete(table, (where for where, row in rows.items() if row is None and where in stored))
    await target.upsert(table, [row for row in rows.values() if row is not None])


class Projector:
    """Applies batches of one projection's one generation; `handle` is what its Consumer calls.

    `is_live` is False for a rebuild.
    """

    def __init__(
        self, projection: Projection, generation: int, database: Database, progress: Wakeup | None = None, *,
        is_live: bool = True,
    ) -> None:  # fmt: skip
        self.projection, self.generation, self._database, self._is_live = projection, generation, database, is_live
        self.consumer = consumer_name(projection.name, generation)
        copies = {table.name: physical(table, generation) for table in projection.tables}
        self._tables = {
            name: BulkStatements(copy, [column.name for column in copy.columns]) for name, copy in copies.items()
        }
        self._guards = Checkpoints(database, self.consumer)
        self._parking = Parking(database, self.consumer)
        self.progress = progress or Wakeup()

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        """Tries the whole batch three times, with jitter; then applies event by event and parks the keys that fail."""
        for attempt in range(TRIES):
            try:
                await self._commit(parts, one_by_one=False)
                return
            except POISONOUS as error:
                logger.warning(
                    "projector: batch failed, will retry, then event by event",
                    exc_info=error,
                    extra={"projection": self.projection.name},
                )
                await asyncio.sleep(0.02 * 2**attempt * random.random())
        await self._commit(parts, one_by_one=True)

    async def _commit(self, parts: Sequence[PartitionBatch], one_by_one: bool) -> None:
        async with self._entered(parts) as (target, parked):
            await self._apply(target, parts, parked, one_by_one)
        self.progress.notify()

    @asynccontextmanager
    async def _entered(self, parts: Sequence[PartitionBatch]) -> AsyncIterator[tuple[Target, ParkedKeys]]:
        """Opens a transaction under the projection's lock, moves the guards in it, and gives the parked keys.

        Raises Fenced or Superseded before an event of the batch is applied.
        """
        entry = Entry(self.consumer, moves_of(parts), self.projection.name, self.generation)
        async with self._database.exclusive(self.consumer, entry) as transaction:
            parked = ParkedKeys() if transaction.entered else await self._enter(transaction.connection, parts)
            yield Target(transaction, self._tables, self._is_live), parked

    async def _enter(self, connection: AsyncConnection, parts: Sequence[PartitionBatch]) -> ParkedKeys:
        """Moves the guards, then reads the parked keys: another replica may have parked a key before the guards moved."""
        await self._check_live(connection)
        if not await self._guards.move(connection, parts):
            raise Fenced
        return await self._parking.standing((inbound.key for _, inbound in placed(parts)), connection)

    async def _check_live(self, connection: AsyncConnection) -> None:
        live = self._database.metadata.tables["projections"]
        query = sa.select(live.c.generation).where(live.c.name == self.projection.name)
        if ((await connection.execute(query)).scalar() or 0) > self.generation:
            raise Superseded(self.consumer)

    async def _apply(
        self, target: Target, parts: Sequence[PartitionBatch], parked: ParkedKeys, one_by_one: bool
    ) -> None:
        """Parks unreadable records and all later events of their keys; applies the other events, set-wise or one by one."""
        parking: list[SetAside] = []
        whole: list[Delivered[Any]] = []
        for part, inbound in placed(parts):
            reason = parked.reason(inbound)
            if reason is None and inbound.incoming is not None:
                if one_by_one:
                    reason = await self._try(target, inbound.incoming)
                else:
                    whole.append(inbound.incoming)
            if reason is not None:
                parking.append(parked.set_aside(part, inbound, reason))
        if whole:
            await self.projection.apply(target, whole)
        await self._parking.park(target.connection, parking)

    async def _try(self, target: Target, incoming: Delivered[Any]) -> str | None:
        """Applies one event in a savepoint, so that a failure leaves none of its rows; None, or why the event failed."""
        try:
            async with target.connection.begin_nested():
                await self.projection.apply(target, [incoming])
        except POISONOUS as error:
            if is_lost(error):
                raise
            return reason_of(error)
        return None

    async def retry(self, key: str, redecode: Redecode) -> int:
        """Applies the parked events of a key in order, in one transaction; returns how many, and raises an event's error."""
        async with self._database.exclusive(self.consumer) as transaction:
            target = Target(transaction, self._tables, self._is_live)
            await self._check_live(target.connection)
            waiting = await self._parking.waiting(key, target.connection)
            decoded = [await redecode(source, inbound) for _, source, inbound in waiting]
            events = [incoming for incoming in decoded if incoming is not None]
            if events:
                await self.projection.apply(target, events)
            await self._parking.remove(target.connection, [place for place, _, _ in waiting])
        self.progress.notify()
        return len(waiting)


def consumer_name(name: str, generation: int) -> str:
    return f"{name}_g{generation}"


def physical(table: sa.Table, generation: int) -> sa.Table:
    """One generation's copy of a read model table: same columns, own names for it and its indexes."""
    copy = table.to_metadata(sa.MetaData(), name=f"{table.name}_g{generation}")
    for index in copy.indexes:
        index.name = sa.quoted_name(f"{index.name}_g{generation}", None)
    return copy
