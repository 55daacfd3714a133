"""project(): read model rows, parked poison and guard commit together, batch by batch, set-wise.

A projection does not know whether an event came from the service's own log or from a topic. `apply` uses no clock, random,
float or personal data: a rebuild must equal live byte for byte.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.consume import BATCH_RECORDS, Guards, Part, Topic, placed
from kernel.database import Database, is_lost, upsert
from kernel.errors import Invalid, Poison, Unavailable
from kernel.model import Incoming, Key
from kernel.park import KEY_IS_PARKED, Again, Parking, reason_of
from kernel.signal import Signal
from kernel.writer import Fenced

logger = logging.getLogger(__name__)

TRIES = 3
POISONOUS = (Poison, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, DBAPIError)
WAIT_LIMIT_S = 5.0


class Superseded(Exception):
    """A rebuilt generation took this one's place: follow that one."""


@dataclass(frozen=True)
class Projection:
    """A read model: `tables` (base names; each generation has its own copies behind views), and how events change them.

    `apply(target, events)` gets events in partition order. `version` goes up when `apply` or a table changes: the operator
    rebuilds. `own` says whether it follows its service's own log, `topics` which others.
    """

    name: str
    version: int
    tables: tuple[sa.Table, ...]
    apply: Callable[["Target", Sequence[Incoming[Any]]], Awaitable[None]]
    own: bool = True
    topics: tuple[Topic, ...] = ()
    batch_records: int = BATCH_RECORDS
    """At most so many records in one transaction; fewer where a record holds many rows."""


class Target:
    """What `apply` writes to: the connection of the batch's transaction and one generation's tables by base name."""

    def __init__(self, connection: AsyncConnection, tables: Mapping[str, sa.Table]) -> None:
        self.connection = connection
        self._tables = tables

    def __getitem__(self, table: sa.Table) -> sa.Table:
        return self._tables[table.name]

    async def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, add: Sequence[str] = ()) -> None:
        """One set-wise upsert; columns in `add` are summed onto what stands there, the others replaced."""
        await upsert(self.connection, self[table], rows, add=add)

    async def rows(self, table: sa.Table, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """The rows of the given primary keys in one query."""
        physical, wanted = self[table], sorted(set(keys))
        names = [column.name for column in physical.columns]
        places = [names.index(column.name) for column in physical.primary_key.columns]
        found: dict[Key, dict[str, Any]] = {}
        for start in range(0, len(wanted), 5_000):
            query, bound = self._keyed(physical, wanted[start : start + 5_000])
            for row in await self.connection.execute(query, bound):
                found[tuple(row[place] for place in places)] = dict(zip(names, row, strict=True))
        return found

    def _keyed(self, physical: sa.Table, wanted: Sequence[Key]) -> tuple[sa.Select[Any], dict[str, Any]]:
        """On PostgreSQL keys travel as arrays: one statement of fixed text whatever their number."""
        columns = list(physical.primary_key.columns)
        if self.connection.dialect.name == "sqlite":
            return sa.select(physical).where(sa.tuple_(*columns).in_(wanted)), {}
        arrays = [
            sa.bindparam(f"k_{column.name}", type_=postgresql.ARRAY(column.type, dimensions=1)) for column in columns
        ]
        asked = sa.func.unnest(*arrays).table_valued(*(column.name for column in columns), name="u").render_derived()
        same = sa.and_(*(column == asked.c[column.name] for column in columns))
        bound = {f"k_{column.name}": list(of) for column, of in zip(columns, zip(*wanted, strict=True), strict=True)}
        return sa.select(physical).join(asked, same), bound

    async def delete(self, table: sa.Table, keys: Iterable[Key]) -> None:
        physical, gone = self[table], sorted(set(keys))
        columns = list(physical.primary_key.columns)
        if gone:
            await self.connection.execute(sa.delete(physical).where(sa.tuple_(*columns).in_(gone)))


Fold = Callable[[dict[str, Any] | None, Incoming[Any]], dict[str, Any] | None]


async def fold_rows(
    target: Target,
    table: sa.Table,
    events: Sequence[Incoming[Any]],
    key: Callable[[Incoming[Any]], Key | None],
    fold: Fold,
) -> None:
    """The usual projection: loads the rows the batch touches in one query, folds in memory, writes them in one upsert.

    `fold(row, incoming)` returns the whole new row (all columns) or None to delete; `key` None skips the event.
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
    """Applies batches of one projection's one generation; `handle` is what its Consumer calls."""

    def __init__(
        self, projection: Projection, generation: int, database: Database, progress: Signal | None = None
    ) -> None:
        self.projection, self.generation, self._database = projection, generation, database
        self.consumer = consumer_name(projection.name, generation)
        self._tables = {table.name: physical(table, generation) for table in projection.tables}
        self._guards = Guards(database, self.consumer)
        self._parking = Parking(database, self.consumer)
        self.progress = progress or Signal()

    async def handle(self, parts: Sequence[Part]) -> None:
        """Three tries with jitter for the batch as a whole; then event by event, parking the keys that fail."""
        for attempt in range(TRIES):
            try:
                await self._commit(parts, one_by_one=False)
                return
            except POISONOUS as error:
                logger.warning("a batch failed", exc_info=error, extra={"projection": self.projection.name})
                await asyncio.sleep(0.02 * 2**attempt * random.random())
        await self._commit(parts, one_by_one=True)

    async def _commit(self, parts: Sequence[Part], one_by_one: bool) -> None:
        async with self._database.transaction() as connection:
            await self._serialise(connection)
            await self._apply(Target(connection, self._tables), parts, one_by_one)
            if not await self._guards.move(connection, parts):
                raise Fenced
        self.progress.notify()

    async def _serialise(self, connection: AsyncConnection) -> None:
        """Replicas own different partitions but may fold into the same row: one transaction of a projection at a time."""
        live = self._database.metadata.tables["projections"]
        generation = sa.select(live.c.generation).where(live.c.name == self.projection.name).scalar_subquery()
        query = sa.select(generation)
        if not self._database.is_sqlite:
            query = query.add_columns(
                sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(self.consumer, 0)),
                # A crash of the database may take back the last moments, rows and guard alike: they are read once more.
                sa.func.set_config("synchronous_commit", "off", True),
            )
        if ((await connection.execute(query)).scalar() or 0) > self.generation:
            raise Superseded(self.consumer)

    async def _apply(self, target: Target, parts: Sequence[Part], one_by_one: bool) -> None:
        """What cannot be read and all later events of its key are parked; the rest is applied, set-wise or singly."""
        parked, parking = await self._parking.keys(target.connection), []
        whole: list[Incoming[Any]] = []
        for part, sourced in placed(parts):
            reason = sourced.error or (KEY_IS_PARKED if sourced.key in parked else None)
            if reason is None and sourced.incoming is not None:
                if one_by_one:
                    reason = await self._try(target, sourced.incoming)
                else:
                    whole.append(sourced.incoming)
            if reason is not None:
                parked.add(sourced.key)
                parking.append((part, sourced, reason))
        if whole:
            await self.projection.apply(target, whole)
        await self._parking.park(target.connection, parking)

    async def _try(self, target: Target, incoming: Incoming[Any]) -> str | None:
        """None when applied, else why not; in a savepoint, so that half of it does not stay."""
        try:
            async with target.connection.begin_nested():
                await self.projection.apply(target, [incoming])
        except POISONOUS as error:
            if is_lost(error):
                raise
            return reason_of(error)
        return None

    async def retry(self, key: str, again: Again) -> int:
        """Applies the parked events of a key in order in one transaction; returns how many, raises what still fails."""
        async with self._database.transaction() as connection:
            await self._serialise(connection)
            waiting = await self._parking.waiting(key, connection)
            decoded = [await again(source, sourced) for _, source, sourced in waiting]
            events = [incoming for incoming in decoded if incoming is not None]
            if events:
                await self.projection.apply(Target(connection, self._tables), events)
            await self._parking.remove(connection, [place for place, _, _ in waiting])
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


def parse_token(token: str) -> tuple[str, int, int | None]:
    """`(service, position, partition)` of a receipt's token; Invalid `at_least.malformed`."""
    parts = token.split(":")
    if len(parts) != 3 or not parts[1].isdigit() or not (parts[2] == "" or parts[2].isdigit()):
        raise Invalid("at_least.malformed", expected="the token of a receipt")
    return parts[0], int(parts[1]), int(parts[2]) if parts[2] else None


async def wait_for(
    database: Database, service: str, consumer: str, token: str, progress: Signal, limit_s: float = WAIT_LIMIT_S
) -> None:
    """Read-your-writes: returns when the consumer has applied the token's event; Unavailable after `limit_s`."""
    source, position, partition = parse_token(token)
    table = database.metadata.tables["guards"]
    where = table.c.consumer == consumer
    if source == service:
        where &= table.c.source == "log"
    else:
        where &= (table.c.source == f"{source}.events.v1") & (table.c.partition == (partition or 0))
    woken = progress.listen()
    try:
        async with asyncio.timeout(limit_s):
            while not await _reached(database, where, table, position):
                await _nap(woken)
    except TimeoutError:
        raise Unavailable("at_least.not_reached", token=token, retry_after_s=1) from None
    finally:
        progress.leave(woken)


async def _reached(database: Database, where: Any, table: sa.Table, position: int) -> bool:
    async with database.reading() as connection:
        last = (await connection.execute(sa.select(table.c.last_position).where(where))).scalar()
    return last is not None and last >= position


async def _nap(woken: asyncio.Event) -> None:
    """Woken by progress in this process; other processes' progress is looked for every 25 ms."""
    woken.clear()
    try:
        await asyncio.wait_for(woken.wait(), 0.025)
    except TimeoutError:
        return
