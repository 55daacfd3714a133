"""The history of a content's measured counters, as the caller may see the content."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.core.faults import NotFound, Refused
from kernel.processors.access import may_read, reading_as
from services.metrics.domain.engagement import Metric
from services.metrics.domain.payable import HOUR_MS, Counter, Payable, payable_of
from services.metrics.domain.totals import MINUTE_MS, cell_parts
from services.metrics.reads.returns import MEASURED, SERVICE
from services.metrics.tables import CELLS, CONTENTS, MINUTES, READINGS, RELEASED_EXCESS

STEPS_LIMIT = 100_000
"""Hours of history over all counters of a content: more than a year of each."""
MINUTES_AN_HOUR = HOUR_MS // MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PayableNumbers:
    """The numbers of one content and whose it is; `fresh_ms` as everywhere in metrics."""

    content: Mapping[str, Any]
    numbers: list[Payable]
    fresh_ms: int


@dataclass(frozen=True, slots=True)
class PayableReads:
    """Reads as the caller who asks."""

    database: Database

    async def content(self, content_id: str, actor: Actor) -> PayableNumbers:
        """Raises NotFound `content.not_found` also where the caller may see nothing of it."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            wanted = (CONTENTS.c.content_id == content_id) & may_read(CONTENTS, actor)
            content = (await connection.execute(sa.select(CONTENTS).where(wanted))).mappings().first()
            if content is None:
                raise NotFound("content.not_found")
            cells = (await connection.execute(sa.select(CELLS).where(CELLS.c.content == content["number"]))).mappings()
            rows = [dict(row) for row in cells]
            readings = await _readings(connection, content["number"])
            added = await _added(connection, content["number"])
            released = await _released(connection, content_id, actor)
        counters = [_counter(row, readings.get(row["cell"], ()), added.get(row["cell"], ())) for row in rows]
        numbers = await asyncio.to_thread(payable_of, counters, _ms(content["published_at"]), released)
        return PayableNumbers(dict(content), numbers, max((row["fresh_ms"] for row in rows), default=0))


def _ms(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(milliseconds=1)


def _counter(row: Mapping[str, Any], readings: Any, added: Any) -> Counter:
    total = row["snapshot"] + row["after"]
    return Counter(*cell_parts(row["cell"]), total, tuple(readings), tuple(added))


async def _readings(connection: AsyncConnection, number: int) -> dict[int, list[tuple[int, int]]]:
    """The platform's totals by cell, in order of time."""
    table = READINGS
    query = sa.select(table.c.cell, table.c.at, table.c.value).where(table.c.content == number)
    found: dict[int, list[tuple[int, int]]] = {}
    for cell, at, value in await _bounded(connection, query.order_by(table.c.cell, table.c.at)):
        found.setdefault(cell, []).append((at, value))
    return found


async def _added(connection: AsyncConnection, number: int) -> dict[int, list[int]]:
    """Sums of measured increments by cell and hour, of those that count on top of the cell's latest total."""
    hour = (MINUTES.c.minute // MINUTES_AN_HOUR).label("hour")
    same = (MINUTES.c.content == CELLS.c.content) & (MINUTES.c.cell == CELLS.c.cell)
    counts = (CELLS.c.content == number) & MEASURED & (MINUTES.c.minute >= CELLS.c.first_minute)
    query = sa.select(CELLS.c.cell, hour, bounded_sum(MINUTES.c.added)).select_from(CELLS.join(MINUTES, same))
    query = query.where(counts).group_by(CELLS.c.cell, hour).order_by(CELLS.c.cell, hour)
    found: dict[int, list[int]] = {}
    for cell, _, count in await _bounded(connection, query):
        found.setdefault(cell, []).append(int(count))
    return found


async def _released(connection: AsyncConnection, content_id: str, actor: Actor) -> dict[Metric, int]:
    """What staff found payable of the excess, by metric."""
    table = RELEASED_EXCESS
    wanted = (table.c.content_id == content_id) & may_read(table, actor)
    found = await connection.execute(sa.select(table.c.metric, table.c.released).where(wanted))
    return {Metric[row.metric.upper()]: row.released for row in found}


async def _bounded(connection: AsyncConnection, query: sa.Select[Any]) -> list[Any]:
    rows = list((await connection.execute(query.limit(STEPS_LIMIT + 1))).all())
    if len(rows) > STEPS_LIMIT:
        raise Refused("payable.history_too_long", limit=STEPS_LIMIT, do="ask for a content with a shorter history")
    return rows
