"""SQL of the queries: rows the caller may see, by keyset pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.decider import Actor
from kernel.core.faults import Invalid, NotFound
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read
from kernel.processors.projector import consumer_name
from services.campaigns.tables import DELIVERABLES

Row = dict[str, Any]
FILTER_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """A list query: `filters` maps columns to the words they may have (none: any), `limit` is the page size."""

    table: sa.Table
    key: str
    order_by: str
    filters: Mapping[str, Sequence[str]]
    limit: int
    cursor: Cursor | None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is where the following page starts, None on the last one."""

    rows: list[Row]
    next: Cursor | None = field(default=None)


ORDERS: dict[str, tuple[str, ...]] = {
    "campaigns": ("changed_at desc", "drafted_at", "drafted_at desc", "budget_minor desc"),
    "applications": ("changed_at desc", "created_at", "created_at desc"),
    "collaborations": ("changed_at desc", "contracted_at", "contracted_at desc"),
    "postings": ("publish_at", "publish_at desc"),
}
"""The orders each list knows; the first is the default."""


async def one(connection: AsyncConnection, table: sa.Table, key: str, value: str, actor: Actor) -> Row:
    """The row with this key, if the caller may see it; else NotFound: to strangers it does not exist."""
    query = sa.select(table).where(table.c[key] == value, may_read(table, actor))
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise NotFound(f"{table.name.rstrip('s')}.unknown", **{key: value[:80]})
    return dict(row)


async def page(connection: AsyncConnection, asked: Listing, actor: Actor) -> Page:
    """One page: rows after the cursor in the order asked, one read further to know whether more follow."""
    table = asked.table
    name, _, direction = _order(asked).partition(" ")
    column, key, falling = table.c[name], table.c[asked.key], direction == "desc"
    query = sa.select(table).where(may_read(table, actor))
    for filtered, words in asked.filters.items():
        if words:
            query = query.where(table.c[filtered].in_(_bounded(filtered, words)))
    if asked.cursor is not None:
        query = query.where(_after(column, key, asked.cursor, falling))
    query = query.order_by(column.desc() if falling else column, key.desc() if falling else key)
    found = (await connection.execute(query.limit(asked.limit + 1))).mappings().all()
    rows = [dict(row) for row in found[: asked.limit]]
    return Page(rows, _cursor(rows[-1], name, asked.key) if len(found) > asked.limit else None)


def _order(asked: Listing) -> str:
    known = ORDERS[asked.table.name]
    order_by = asked.order_by or known[0]
    if order_by not in known:
        raise Invalid("order_by.unknown", field="order_by", known=", ".join(known))
    return order_by


def _bounded(name: str, words: Sequence[str]) -> list[str]:
    if len(words) > FILTER_LIMIT:
        raise Invalid("filter.too_many_values", field=name, limit=FILTER_LIMIT)
    return list(words)


def _after(
    column: sa.ColumnElement[Any], key: sa.ColumnElement[Any], cursor: Cursor, falling: bool
) -> sa.ColumnElement[bool]:
    stood, last = cursor
    value = datetime.fromisoformat(stood) if isinstance(stood, str) else stood
    here = (column == value) & ((key < last) if falling else (key > last))
    return ((column < value) if falling else (column > value)) | here


def _cursor(row: Row, name: str, key: str) -> Cursor:
    stands = row[name]
    return (stands.isoformat() if isinstance(stands, datetime) else stands, row[key])


async def deliverables_of(
    connection: AsyncConnection, collaborations: Sequence[str], actor: Actor
) -> dict[str, list[Row]]:
    """The deliverables of a page of collaborations, by collaboration in order."""
    table = DELIVERABLES
    asked = table.c.collaboration_id.in_(collaborations)
    query = sa.select(table).where(asked, may_read(table, actor)).order_by(table.c.ordinal)
    found: dict[str, list[Row]] = {uuid: [] for uuid in collaborations}
    for row in (await connection.execute(query)).mappings():
        found[row["collaboration_id"]].append(dict(row))
    return found


async def position(connection: AsyncConnection, guards: sa.Table, projection: str, generation: int) -> int:
    """The log position up to which a read model stands, read with its rows."""
    consumer = consumer_name(projection, generation)
    query = sa.select(guards.c.last_position).where(guards.c.consumer == consumer, guards.c.source == "log")
    return (await connection.execute(query)).scalar() or 0
