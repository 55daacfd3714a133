"""Pages of performance by content, creator, campaign or minute.

Pages are cut by (sort value, ids), so rows that do not change between two pages are neither repeated nor left out; live
counts do change, and a row whose value moved past the cut is shown where it then belongs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset
from services.metrics.domain.engagement import Metric
from services.metrics.reads.returns import (
    MEASURED,
    METRIC,
    NOT_MEASURED,
    SERVICE,
    STANDING,
    overruled,
    shown,
)
from services.metrics.tables import CELLS, CONTENTS, MINUTES, REVENUE

SHOWN_AS = {Metric.CLICKS: (Metric.CLICKS, Metric.LINK_CLICKS)}
ENGAGING = (Metric.LIKES, Metric.SAVES, Metric.COMMENTS, Metric.SHARES, Metric.FOLLOWS)


class Group(StrEnum):
    """What a row stands for."""

    CONTENT = "content"
    CREATOR = "creator"
    CAMPAIGN = "campaign"
    MINUTE = "minute"


class Order(StrEnum):
    """What pages are sorted by, highest first."""

    ENGAGEMENTS = "engagements desc"
    EXPOSURES = "exposures desc"
    ORDERS = "orders desc"


@dataclass(frozen=True, slots=True)
class Listing:
    """`campaign_id` empty: all that the caller may see; `traffic` 0: all; minutes since 1970, `until` exclusive."""

    campaign_id: str
    group: Group
    traffic: int
    order: Order
    from_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the ids its group has, or its minute; `counts` by metric."""

    ids: tuple[str, ...]
    minute: int | None
    counts: Mapping[Metric, int]
    orders: int
    new_customers: int
    not_measured: int
    fresh_ms: int
    reported_clicks: int


IDS = {
    Group.CONTENT: ("campaign_id", "creator_id", "content_id"),
    Group.CREATOR: ("campaign_id", "creator_id"),
    Group.CAMPAIGN: ("campaign_id",),
}


@dataclass(frozen=True, slots=True)
class PerformanceReads:
    """Reads as the caller who asks."""

    database: Database

    async def page(
        self, listing: Listing, after: Cursor | None, size: int, actor: Actor
    ) -> tuple[list[Line], Cursor | None]:
        """Up to `size` rows, and where the next page starts."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            wanted = may_read(CONTENTS, actor)
            asked = CONTENTS.c.campaign_id
            wanted &= asked == listing.campaign_id if listing.campaign_id else asked != ""
            by_minute = listing.group is Group.MINUTE
            query, order = _minutes(listing, wanted) if by_minute else _grouped(listing, wanted)
            found = await order.read(connection, query, after, size)
        names = () if by_minute else IDS[listing.group]
        return [_line(row, names) for row in found.rows], found.next


def _line(row: Mapping[Any, Any], names: Sequence[str]) -> Line:
    counts = {metric: row[f"m{metric:d}"] for metric in Metric}
    ids = tuple(row[name] for name in names)
    whole = (row["orders"], row["new_customers"], row["not_measured"], row["fresh_ms"], row["reported_clicks"])
    return Line(ids, row.get("minute"), counts, *whole)


def _of_metrics(metrics: Sequence[Metric], amount: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return bounded_sum(sa.case((METRIC.in_([int(metric) for metric in metrics]), amount), else_=0))


def _columns(amount: sa.ColumnElement[Any], traffic: int) -> list[sa.ColumnElement[Any]]:
    """A sum for each metric, named m1, m2, ...; clicks are those on our own links, or as reported where there are none."""
    counted = sa.case((overruled(traffic), 0), else_=amount)
    sums = [_of_metrics(SHOWN_AS.get(metric, (metric,)), counted).label(f"m{metric:d}") for metric in Metric]
    return [*sums, _of_metrics([Metric.CLICKS], amount).label("reported_clicks")]


def _grouped(listing: Listing, wanted: sa.ColumnElement[bool]) -> tuple[sa.Select[Any], Keyset]:
    names = IDS[listing.group]
    counts, sales = _counts(listing, wanted, names), _sales(wanted, names)
    same = sa.and_(*(counts.c[name] == sales.c[name] for name in names))
    orders = sa.func.coalesce(sales.c.orders, 0)
    by = {Order.ENGAGEMENTS: counts.c.engaged, Order.EXPOSURES: counts.c["m1"], Order.ORDERS: orders}[listing.order]
    sort = by.label("sort")
    fresh = sa.case((sales.c.fresh_ms > counts.c.fresh_ms, sales.c.fresh_ms), else_=counts.c.fresh_ms)
    query = sa.select(
        *(column for column in counts.c if column.name not in {"fresh_ms", "engaged"}),
        orders.label("orders"),
        sa.func.coalesce(sales.c.new_customers, 0).label("new_customers"),
        fresh.label("fresh_ms"),
        sort,
    ).select_from(counts.outerjoin(sales, same))
    return query, Keyset(sort, *(counts.c[name] for name in names), falling=(True, *(False for _ in names)))


def _counts(listing: Listing, wanted: sa.ColumnElement[bool], names: Sequence[str]) -> sa.Subquery:
    ids = [CONTENTS.c[name] for name in names]
    cells = CONTENTS.outerjoin(CELLS, (CELLS.c.content == CONTENTS.c.number) & shown(CELLS, listing.traffic))
    fresh = sa.func.coalesce(sa.func.max(CELLS.c.fresh_ms), 0).label("fresh_ms")
    engaged, counted = _of_metrics(ENGAGING, STANDING).label("engaged"), ~overruled(listing.traffic)
    typed = bounded_sum(sa.case((counted, NOT_MEASURED), else_=0)).label("not_measured")
    query = sa.select(*ids, *_columns(STANDING, listing.traffic), engaged, typed, fresh)
    return query.select_from(cells).where(wanted).group_by(*ids).subquery("counts")


def _sales(wanted: sa.ColumnElement[bool], names: Sequence[str]) -> sa.Subquery:
    ids = [CONTENTS.c[name] for name in names]
    own = (REVENUE.c.content_id == CONTENTS.c.content_id) & (REVENUE.c.brand_id == CONTENTS.c.brand_id)
    sums = [bounded_sum(REVENUE.c[name]).label(name) for name in ("orders", "new_customers")]
    query = sa.select(*ids, *sums, sa.func.max(REVENUE.c.fresh_ms).label("fresh_ms"))
    return query.select_from(CONTENTS.join(REVENUE, own)).where(wanted).group_by(*ids).subquery("sales")


def _minutes(listing: Listing, wanted: sa.ColumnElement[bool]) -> tuple[sa.Select[Any], Keyset]:
    """Increments by their minute; a snapshot does not say when its counts happened."""
    first, minute = listing.from_minute, MINUTES.c.minute
    cells = CONTENTS.join(CELLS, (CELLS.c.content == CONTENTS.c.number) & shown(CELLS, listing.traffic))
    same = (MINUTES.c.content == CELLS.c.content) & (MINUTES.c.cell == CELLS.c.cell)
    measured = MEASURED | overruled(listing.traffic)
    typed = bounded_sum(sa.case((measured, 0), else_=MINUTES.c.added)).label("not_measured")
    none = [sa.literal(0).label(name) for name in ("orders", "new_customers", "fresh_ms")]
    query = sa.select(minute, *_columns(MINUTES.c.added, listing.traffic), typed, *none)
    query = query.select_from(cells.join(MINUTES, same)).where(wanted, minute >= first, minute < listing.until_minute)
    return query.group_by(minute), Keyset(minute)
