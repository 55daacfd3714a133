"""Standing of a service: what `lag`, `dlq list` and the operator's queries read of its database and bus, by the same SQL."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import TopicPartition
from kernel.edge.page_tokens import Cursor
from kernel.host.app import App
from kernel.host.gauges import LATE
from kernel.processors.keyset import Keyset, Page
from kernel.streams import halted
from kernel.streams.records import OWN_LOG

CONSUMERS_LIMIT = 500


class ConsumerLag(NamedTuple):
    """A consumer behind one of its sources, whose partitions are added up.

    `behind_s` is the age of the oldest event of the own log that it has not handled; `halted` is the code of the fault for which
    it waits for a person.
    """

    consumer: str
    source: str
    behind: int
    behind_s: float = 0.0
    halted: str = ""


class Counts(NamedTuple):
    """Parked keys that need a person, records of calls outside that wait for an answer, deadlines, and those that are late."""

    parked_keys: int
    effects_pending: int
    deadlines: int
    late_deadlines: int


async def consumer_lags(app: App) -> list[ConsumerLag]:
    """Every consumer with its sources, by name."""
    guards, head = app.metadata.tables["guards"], await app.log.head()
    now = await app.log.now()
    next_offset, last = sa.func.sum(guards.c.next_offset), sa.func.max(guards.c.last_position)
    query = sa.select(guards.c.consumer, guards.c.source, next_offset.label("next"), last.label("last"))
    query = query.group_by(guards.c.consumer, guards.c.source).order_by(guards.c.consumer, guards.c.source)
    async with app.database.reading() as connection:
        found = (await connection.execute(query.limit(CONSUMERS_LIMIT))).all()
        times = await _times(app, connection, {row.last + 1 for row in found if row.source == OWN_LOG})
        stopped = await halted.halted_consumers(app.database, connection)
    totals = _totals(await app.bus.end_offsets(sorted({row.source for row in found} - {OWN_LOG})))
    return [
        ConsumerLag(
            row.consumer,
            row.source,
            head.position - row.last if row.source == OWN_LOG else totals.get(row.source, 0) - int(row.next),
            _age_s(times.get(row.last + 1), now) if row.source == OWN_LOG else 0.0,
            stopped.get(row.consumer, ""),
        )
        for row in found
    ]


async def _times(app: App, connection: AsyncConnection, positions: set[int]) -> Mapping[int, datetime]:
    """When the events at these positions were recorded."""
    events = app.metadata.tables["log_events"].c
    query = sa.select(events.position, events.recorded_at).where(events.position.in_(sorted(positions)))
    return {row[0]: row[1] for row in await connection.execute(query)}


def _age_s(at: datetime | None, now: datetime) -> float:
    return max(0.0, (now - at) / timedelta(seconds=1)) if at else 0.0


def _totals(ends: Mapping[TopicPartition, int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (topic, _), end in ends.items():
        totals[topic] = totals.get(topic, 0) + end
    return totals


async def counts(app: App) -> Counts:
    """How much waits."""
    parked, deadlines = app.metadata.tables["parked"].c, app.metadata.tables["deadlines"].c
    late = deadlines.due_at < await app.log.now() - LATE
    keys = sa.select(parked.consumer, parked.key).where(parked.retry_at.is_(None)).distinct().subquery("keys")
    asked = (
        sa.select(sa.func.count()).select_from(keys),
        sa.select(sa.func.count(parked.retry_at)),
        sa.select(sa.func.count(deadlines.stream)),
        sa.select(sa.func.count(deadlines.stream)).where(late),
    )
    async with app.database.reading() as connection:
        row = (await connection.execute(sa.select(*(one.scalar_subquery() for one in asked)))).one()
    return Counts(*map(int, row))


class ParkedQuery(NamedTuple):
    """Which parked keys: of one consumer ("": all), with those that are tried again by themselves or without."""

    consumer: str = ""
    include_retried: bool = False
    falling: bool = False
    after: Cursor | None = None
    limit: int = 50


async def parked_keys(app: App, asked: ParkedQuery) -> Page:
    """Parked keys with the reason of their first event, by the time since which they are parked."""
    parked = app.metadata.tables["parked"].c
    keys = sa.select(
        parked.consumer,
        parked.key,
        sa.func.min(parked.parked_at).label("parked_at"),
        sa.func.min(parked.reason).label("reason"),
        sa.func.min(parked.tenant).label("tenant"),
        sa.func.count().label("events"),
        sa.func.max(parked.tries).label("tries"),
        sa.func.max(parked.retry_at).label("retry_at"),
    ).group_by(parked.consumer, parked.key)
    if asked.consumer:
        keys = keys.where(parked.consumer == asked.consumer)
    found = keys.subquery("keys").c
    query: sa.Select[Any] = sa.select(*found)
    if not asked.include_retried:
        query = query.where(found.retry_at.is_(None))
    order = Keyset(found.parked_at, found.consumer, found.key, falling=asked.falling)
    async with app.database.reading() as connection:
        return await order.read(connection, query, asked.after, asked.limit)


async def late_deadlines(app: App, falling: bool, after: Cursor | None, limit: int) -> Page:
    """Deadlines whose command should have been carried out, by the time they were due."""
    deadlines = app.metadata.tables["deadlines"].c
    query = sa.select(deadlines.stream, deadlines.name, deadlines.due_at, deadlines.command)
    query = query.where(deadlines.due_at < await app.log.now() - LATE)
    order = Keyset(deadlines.due_at, deadlines.stream, deadlines.name, falling=falling)
    async with app.database.reading() as connection:
        return await order.read(connection, query, after, limit)
