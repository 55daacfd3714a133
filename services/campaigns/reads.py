"""SQL of the queries: rows the caller may see, by keyset pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import KeyedColumnElement

from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.core.faults import Invalid, NotFound
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read
from kernel.processors.keyset import Keyset, Page, Row, chosen
from kernel.processors.projector import consumer_name
from services.campaigns.tables import DELIVERABLES, PAYMENT_WAITS

FILTER_LIMIT = 50
STAFF_ROLES = frozenset({"operator", "reviewer", "finance", "auditor"})
HIDDEN = frozenset({"budget_minor"})
"""Columns of a list's orders that only the row's brand and the staff see."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list query: `filters` maps columns to the words they may have (none: any), `limit` is the page size; `times` maps a
    column to its first time and the one behind its last (None: any)."""

    table: sa.Table
    key: str
    order_by: str
    filters: Mapping[str, Sequence[str]]
    limit: int
    cursor: Cursor | None
    times: Mapping[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)


ORDERS: dict[str, tuple[str, ...]] = {
    "campaigns": ("changed_at desc", "drafted_at", "drafted_at desc", "budget_minor desc"),
    "applications": ("changed_at desc", "created_at", "created_at desc"),
    "collaborations": ("changed_at desc", "contracted_at", "contracted_at desc"),
    "brief_versions": ("version desc",),
    "disputes": ("opened_at desc", "opened_at", "due_at"),
    "postings": ("publish_at", "publish_at desc"),
    "marked_deals": ("marked_at desc", "marked_at"),
}
"""The orders each list knows; the first is the default."""


async def one(connection: AsyncConnection, table: sa.Table, key: str, value: str, actor: Actor) -> Row:
    """The row with this key, if the caller may see it; else NotFound: to strangers it does not exist."""
    query = sa.select(table).where(table.c[key] == value, may_read(table, actor))
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise NotFound(f"{table.name.rstrip('s')}.unknown", **{key: value[:80]})
    return dict(row)


async def several(
    connection: AsyncConnection, table: sa.Table, key: str, values: Sequence[str], actor: Actor
) -> list[Row]:
    """The rows with these keys that the caller may see, in the order of the keys; a key that stands twice counts once."""
    query = sa.select(table).where(table.c[key].in_(values), may_read(table, actor))
    found = {row[key]: dict(row) for row in (await connection.execute(query)).mappings()}
    return [found[value] for value in dict.fromkeys(values) if value in found]


async def page(connection: AsyncConnection, asked: Listing, actor: Actor) -> Page:
    """One page of a list in the order asked."""
    table = asked.table
    name, falling = chosen(asked.order_by, ORDERS[table.name])
    query = sa.select(table).where(may_read(table, actor))
    for filtered, words in asked.filters.items():
        if words:
            query = query.where(table.c[filtered].in_(_bounded(filtered, words)))
    query = query.where(*_within(asked))
    if name in HIDDEN and actor.roles.isdisjoint(STAFF_ROLES):
        rows = query.subquery("shown")
        query = sa.select(*(_shown(column, rows, actor) for column in rows.c)).select_from(rows)
        key: Any = query.selected_columns[name]
        order = Keyset(key, rows.c[asked.key], falling=falling)
    else:
        order = Keyset(table.c[name], table.c[asked.key], falling=falling)
    return await order.read(connection, query, asked.cursor, asked.limit)


def _within(asked: Listing) -> Iterator[sa.ColumnElement[bool]]:
    for name, (first, behind) in asked.times.items():
        if first is not None:
            yield asked.table.c[name] >= first
        if behind is not None:
            yield asked.table.c[name] < behind


def _shown(column: KeyedColumnElement[Any], rows: sa.Subquery, actor: Actor) -> Any:
    """A column as the caller is shown it: a hidden number of another brand is 0, so neither order nor cursor tells it."""
    if column.key not in HIDDEN:
        return column
    return sa.case((rows.c.brand_id == actor.tenant, column), else_=0).label(column.key)


def _bounded(name: str, words: Sequence[str]) -> list[str]:
    if len(words) > FILTER_LIMIT:
        raise Invalid("filter.too_many_values", field=name, limit=FILTER_LIMIT)
    return list(words)


async def deliverables_of(
    connection: AsyncConnection, collaborations: Sequence[str], actor: Actor
) -> dict[str, list[Row]]:
    """The deliverables of a page of collaborations, by collaboration in order, and what their payments wait for."""
    table, waits = DELIVERABLES, PAYMENT_WAITS
    asked = table.c.collaboration_id.in_(collaborations)
    told = (waits.c.deliverable_id == table.c.deliverable_id) & may_read(waits, actor)
    columns = (*table.columns, sa.func.coalesce(waits.c.waits_for, "").label("waits_for"))
    query = sa.select(*columns).select_from(table.outerjoin(waits, told))
    query = query.where(asked, may_read(table, actor)).order_by(table.c.ordinal)
    found: dict[str, list[Row]] = {uuid: [] for uuid in collaborations}
    for row in (await connection.execute(query)).mappings():
        found[row["collaboration_id"]].append(dict(row))
    return found


async def with_paid(connection: AsyncConnection, campaigns: Sequence[Row], actor: Actor) -> list[Row]:
    """The campaigns with what was paid for the content of each, as far as the caller may see it."""
    table = DELIVERABLES
    paid = sa.select(table.c.campaign_id, bounded_sum(table.c.paid_minor).label("minor"))
    asked = table.c.campaign_id.in_([row["campaign_id"] for row in campaigns]), may_read(table, actor)
    found = await connection.execute(paid.where(*asked).group_by(table.c.campaign_id))
    minor = {row.campaign_id: row.minor for row in found}
    return [row | {"paid_minor": minor.get(row["campaign_id"], 0)} for row in campaigns]


async def position(connection: AsyncConnection, guards: sa.Table, projection: str, generation: int) -> int:
    """The log position up to which a read model stands, read with its rows."""
    consumer = consumer_name(projection, generation)
    query = sa.select(guards.c.last_position).where(guards.c.consumer == consumer, guards.c.source == "log")
    return (await connection.execute(query)).scalar() or 0
