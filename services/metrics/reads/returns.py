"""Questions about performance, answered from the read models as the caller may see them.

Everything is joined over the contents: a brand reads its own, a creator its own, staff all. For each metric and traffic of
a content the best source that counted is shown: the one with the smallest code of provenance. Clicks are counted twice over,
by our own redirect and by the platform: ours are shown where there are any, and what was reported stands beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.bounds import saturated
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.processors.access import may_read, reading_as
from services.metrics.domain.engagement import MEASURED as SOURCES
from services.metrics.domain.engagement import Metric, Provenance, Traffic
from services.metrics.domain.roi import Outcome
from services.metrics.domain.totals import cell_of
from services.metrics.tables import CAMPAIGNS, CELLS, CONTENTS, COSTS, REVENUE

SERVICE = "metrics"
CREATORS_LIMIT = 1_000
Ids = tuple[str, str]
"""(creator id, collaboration id)."""


@dataclass(frozen=True, slots=True)
class Money:
    """What one subject cost and brought in one currency, minor units."""

    currency: str
    cost_minor: int = 0
    fee_minor: int = 0
    gross_revenue_minor: int = 0
    refunded_minor: int = 0
    orders: int = 0
    new_customers: int = 0


@dataclass(frozen=True, slots=True)
class Performance:
    """One subject's counts by metric and its money by currency; `not_measured` of the counts were typed or estimated.

    `fresh_ms`: when the newest of it was received, ms since 1970 UTC; 0 when there is nothing. `reported_clicks` stand
    beside the clicks that are shown.
    """

    counts: Mapping[Metric, int] = field(default_factory=dict)
    money: Mapping[str, Money] = field(default_factory=dict)
    not_measured: int = 0
    fresh_ms: int = 0
    reported_clicks: int = 0

    @property
    def orders(self) -> int:
        return sum(money.orders for money in self.money.values())

    @property
    def new_customers(self) -> int:
        return sum(money.new_customers for money in self.money.values())

    def outcome(self, money: Money) -> Outcome:
        """The inputs of the formulas in one currency."""
        count = {metric: self.counts.get(metric, 0) for metric in Metric}
        return Outcome(
            cost_minor=money.cost_minor,
            revenue_minor=money.gross_revenue_minor - money.refunded_minor,
            orders=money.orders,
            new_customers=money.new_customers,
            exposures=count[Metric.EXPOSURES],
            reads=count[Metric.READS],
            clicks=count[Metric.CLICKS],
            likes=count[Metric.LIKES],
            saves=count[Metric.SAVES],
            comments=count[Metric.COMMENTS],
            shares=count[Metric.SHARES],
            follows=count[Metric.FOLLOWS],
        )


@dataclass(frozen=True, slots=True)
class CampaignReturn:
    """A campaign as a whole, and by creator, highest cost first."""

    campaign_id: str
    brand_id: str
    total: Performance
    creators: tuple[tuple[Ids, Performance], ...]


def _shifted(cell: sa.ColumnElement[int], operator: str, bits: int) -> sa.ColumnElement[int]:
    """PostgreSQL shifts by an integer, not by a bigint: the bits are written out."""
    return cell.op(operator, return_type=sa.BigInteger())(sa.literal_column(str(bits)))


def shown(cell: sa.FromClause, traffic: int) -> sa.ColumnElement[bool]:
    """The cells that count: of one traffic (0: all), and no better source of the same count."""
    better = CELLS.alias("better")
    kind = _shifted(cell.c.cell, ">>", 4)
    base = _shifted(kind, "<<", 4)
    worse = sa.exists().where(better.c.content == cell.c.content, better.c.cell >= base, better.c.cell < cell.c.cell)
    wanted = ~worse
    return wanted if not traffic else sa.and_(wanted, kind.op("&")(15) == traffic)


METRIC = _shifted(CELLS.c.cell, ">>", 8)
OWN_CLICKS = cell_of(Metric.LINK_CLICKS, Traffic.ORGANIC, Provenance.LINK)
MEASURED = CELLS.c.cell.op("&")(15).in_([int(source) for source in SOURCES])
STANDING = CELLS.c.snapshot + CELLS.c["after"]
NOT_MEASURED = sa.case((MEASURED, 0), else_=STANDING)


def overruled(traffic: int) -> sa.ColumnElement[bool]:
    """Reported clicks of a content whose link was clicked; our redirect cannot tell paid traffic apart."""
    own = CELLS.alias("own")
    counted = sa.exists().where(own.c.content == CELLS.c.content, own.c.cell == OWN_CLICKS)
    return METRIC.in_([int(Metric.CLICKS)]) & counted if traffic != Traffic.PAID else sa.false()


@dataclass(frozen=True, slots=True)
class ReturnReads:
    """Reads as the caller who asks."""

    database: Database

    async def campaign(self, campaign_id: str, traffic: int, actor: Actor) -> CampaignReturn:
        """Raises NotFound `campaign.not_found` also where the caller may see nothing of it."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            brand_id = await brand_of(connection, campaign_id, actor)
            wanted = may_read(CONTENTS, actor) & (CONTENTS.c.campaign_id == campaign_id)
            found = await _counts(connection, wanted, traffic)
            await _add_costs(connection, wanted, found)
            await _add_revenue(connection, wanted, found)
        ranked = sorted(found.items(), key=lambda each: (-_cost(each[1]), each[0]))
        return CampaignReturn(campaign_id, brand_id, _together(found.values()), tuple(ranked[:CREATORS_LIMIT]))


def _cost(performance: Performance) -> int:
    return max((money.cost_minor for money in performance.money.values()), default=0)


async def brand_of(connection: AsyncConnection, campaign_id: str, actor: Actor) -> str:
    for table in (CAMPAIGNS, CONTENTS):
        query = sa.select(table.c.brand_id).where(table.c.campaign_id == campaign_id)
        brand_id = (await connection.execute(query.where(may_read(table, actor)).limit(1))).scalar()
        if brand_id is not None:
            return str(brand_id)
    raise NotFound("campaign.not_found")


async def _counts(connection: AsyncConnection, wanted: sa.ColumnElement[bool], traffic: int) -> dict[Ids, Performance]:
    """By creator; contents that nobody counted are there with nothing."""
    ids = (CONTENTS.c.creator_id, CONTENTS.c.collaboration_id)
    cells = CONTENTS.outerjoin(CELLS, (CELLS.c.content == CONTENTS.c.number) & shown(CELLS, traffic))
    hidden = overruled(traffic)
    amounts = (STANDING, sa.case((hidden, 0), else_=STANDING), sa.case((hidden, 0), else_=NOT_MEASURED))
    sums = (*map(bounded_sum, amounts), sa.func.coalesce(sa.func.max(CELLS.c.fresh_ms), 0))
    query = sa.select(*ids, METRIC, *sums).select_from(cells).where(wanted).group_by(*ids, METRIC)
    found: dict[Ids, Performance] = {}
    for creator_id, collaboration_id, metric, told, counted, typed, fresh_ms in await connection.execute(query):
        before = found.get((creator_id, collaboration_id), Performance())
        counts = _with(before.counts, metric, counted)
        fresh, reported = max(before.fresh_ms, fresh_ms), told if metric == Metric.CLICKS else before.reported_clicks
        found[creator_id, collaboration_id] = Performance(
            counts, {}, saturated(before.not_measured + typed), fresh, reported
        )
    return found


def _with(counts: Mapping[Metric, int], metric: int | None, counted: int) -> dict[Metric, int]:
    """Counts with one metric's added; a click on our own link is a click too."""
    added = dict(counts)
    if metric:
        shown_as = {Metric(metric), Metric.CLICKS} if metric == Metric.LINK_CLICKS else {Metric(metric)}
        added |= {one: saturated(added.get(one, 0) + counted) for one in shown_as}
    return added


async def _add_costs(
    connection: AsyncConnection, wanted: sa.ColumnElement[bool], found: dict[Ids, Performance]
) -> None:
    ids = (CONTENTS.c.creator_id, CONTENTS.c.collaboration_id, COSTS.c.currency)
    sums = (bounded_sum(COSTS.c.gross_minor), bounded_sum(COSTS.c.fee_minor), sa.func.max(COSTS.c.fresh_ms))
    joined = CONTENTS.join(COSTS, COSTS.c.content_id == CONTENTS.c.content_id)
    query = sa.select(*ids, *sums).select_from(joined).where(wanted).group_by(*ids)
    for creator_id, collaboration_id, currency, gross, fee, fresh_ms in await connection.execute(query):
        paid = Money(currency, cost_minor=gross, fee_minor=fee)
        _add_money(found, (creator_id, collaboration_id), paid, fresh_ms)


async def _add_revenue(
    connection: AsyncConnection, wanted: sa.ColumnElement[bool], found: dict[Ids, Performance]
) -> None:
    """Only orders of the brand whose content it is: a code of another brand would not be evidence."""
    ids = (CONTENTS.c.creator_id, CONTENTS.c.collaboration_id, REVENUE.c.currency)
    names = ("gross_minor", "refunded_minor", "orders", "new_customers")
    sums = (*(bounded_sum(REVENUE.c[name]) for name in names), sa.func.max(REVENUE.c.fresh_ms))
    own = (REVENUE.c.content_id == CONTENTS.c.content_id) & (REVENUE.c.brand_id == CONTENTS.c.brand_id)
    query = sa.select(*ids, *sums).select_from(CONTENTS.join(REVENUE, own)).where(wanted).group_by(*ids)
    for (
        creator_id,
        collaboration_id,
        currency,
        gross,
        refunded,
        orders,
        customers,
        fresh_ms,
    ) in await connection.execute(query):
        brought = Money(currency, 0, 0, gross, refunded, orders, customers)
        _add_money(found, (creator_id, collaboration_id), brought, fresh_ms)


def _add_money(found: dict[Ids, Performance], ids: Ids, money: Money, fresh_ms: int) -> None:
    before = found.get(ids, Performance())
    merged = {**before.money, money.currency: _sum_of(before.money.get(money.currency), money)}
    found[ids] = replace(before, money=merged, fresh_ms=max(before.fresh_ms, fresh_ms))


def _sum_of(left: Money | None, right: Money) -> Money:
    if left is None:
        return right
    names = [name for name in Money.__dataclass_fields__ if name != "currency"]
    return Money(left.currency, *(saturated(getattr(left, name) + getattr(right, name)) for name in names))


def _together(parts: Iterable[Performance]) -> Performance:
    counts: dict[Metric, int] = {}
    money: dict[str, Money] = {}
    not_measured = fresh_ms = reported = 0
    for part in parts:
        for metric, total in part.counts.items():
            counts[metric] = saturated(counts.get(metric, 0) + total)
        for currency, each in part.money.items():
            money[currency] = _sum_of(money.get(currency), each)
        not_measured, fresh_ms = saturated(not_measured + part.not_measured), max(fresh_ms, part.fresh_ms)
        reported = saturated(reported + part.reported_clicks)
    return Performance(counts, dict(sorted(money.items())), not_measured, fresh_ms, reported)
