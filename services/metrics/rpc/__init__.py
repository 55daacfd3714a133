"""Questions over gRPC: who asks, what is read, how it looks on the wire."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

import sqlalchemy as sa
from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.bounds import saturated
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.edge.grpc import RpcService, caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors import generations
from kernel.processors.projector import consumer_name
from kernel.processors.read_your_writes import parse_token
from kernel.processors.shared_looks import SharedLooks
from kernel.streams.records import OWN_LOG
from services.metrics.domain import roi
from services.metrics.domain.engagement import LATEST_MS, Metric, Traffic
from services.metrics.domain.totals import MINUTE_MS
from services.metrics.projections import COUNTS, PROJECTIONS, REGISTRY, RETURNS
from services.metrics.reads.payable import PayableReads
from services.metrics.reads.performance import ENGAGING, IDS, Group, Line, Listing, Order, PerformanceReads
from services.metrics.reads.returns import Money, Performance, ReturnReads
from services.metrics.rpc.anomalies import AnomalyQueries
from services.metrics.rpc.history import shared_queries
from services.metrics.rpc.orders import OrderQueries
from services.metrics.rpc.payable import payable_numbers
from services.metrics.rpc.sentiment import SentimentQueries
from services.metrics.rpc.sites import SiteQueries

LINES_DEFAULT, LINES_LIMIT = 100, 1_000
INTERVAL_DEFAULT_MS, INTERVAL_LOW_MS, INTERVAL_HIGH_MS = 1_000, 200, 60_000
GATHER_S = INTERVAL_LOW_MS / 1000
"""Batches that a projector commits within this time are one look of a watch."""
FED_BY = {"metrics": (COUNTS, RETURNS, REGISTRY), "ledger": (RETURNS,), "campaigns": (REGISTRY,)}
"""Which projections a service's events reach."""
GROUPS = {
    pb.PERFORMANCE_GROUP_UNSPECIFIED: Group.CONTENT,
    pb.PERFORMANCE_GROUP_CONTENT: Group.CONTENT,
    pb.PERFORMANCE_GROUP_CREATOR: Group.CREATOR,
    pb.PERFORMANCE_GROUP_CAMPAIGN: Group.CAMPAIGN,
    pb.PERFORMANCE_GROUP_MINUTE: Group.MINUTE,
}
COUNT_NAMES = {metric: metric.name.lower() for metric in Metric}
RATIOS = {"roas": roi.ROAS, "roi": roi.ROI, "cpm": roi.CPM, "cpr": roi.CPR, "cpe": roi.CPE, "cpc": roi.CPC,
          "cac": roi.CAC}  # fmt: skip


class RoiQueries(AnomalyQueries, SentimentQueries, grpc_pb.RoiQueryServiceServicer):
    """A brand sees its campaigns, a creator its own rows, staff see all."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._returns, self._performance = ReturnReads(app.database), PerformanceReads(app.database)
        self._tokens, self._payable = app.page_tokens, PayableReads(app.database)
        self._looks: SharedLooks[pb.WatchCampaignPerformanceResponse] = SharedLooks(app.progress, GATHER_S)

    async def GetCampaignRoi(self, request: pb.GetCampaignRoiRequest, context: Any) -> pb.GetCampaignRoiResponse:  # noqa: N802
        actor = caller()
        await self._wait(request.at_least)
        as_of = await self._positions()
        traffic = _traffic(request.traffic)
        found = await self._returns.campaign(_id(request.campaign_id), traffic, actor)
        return pb.GetCampaignRoiResponse(
            campaign_id=found.campaign_id,
            brand_id=found.brand_id,
            counts=_counts(found.total),
            roi=_rois(found.total, traffic),
            creators=[_creator(ids, each, traffic) for ids, each in found.creators],
            fresh_at=_stamp(found.total.fresh_ms),
            as_of=as_of,
        )

    async def ListCampaignPerformance(  # noqa: N802
        self, request: pb.ListCampaignPerformanceRequest, context: Any
    ) -> pb.ListCampaignPerformanceResponse:
        actor, listing = caller(), _listing(request)
        await self._wait(request.at_least)
        as_of = await self._positions()
        size = page_size(request.page_size, LINES_DEFAULT, LINES_LIMIT)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        lines, behind = await self._performance.page(listing, after, size, actor)
        token = self._tokens.seal(request, behind, actor.tenant) if behind else ""
        rows = [_row(line, listing) for line in lines]
        return pb.ListCampaignPerformanceResponse(rows=rows, page=common.PageInfo(next_page_token=token, as_of=as_of))

    async def WatchCampaignPerformance(  # noqa: N802
        self, request: pb.WatchCampaignPerformanceRequest, context: Any
    ) -> AsyncIterator[pb.WatchCampaignPerformanceResponse]:
        actor, interval_s = caller(), _interval_ms(request.interval_ms) / 1000
        campaign_id, traffic = _id(request.campaign_id), _traffic(request.traffic)
        await self._wait(request.at_least)

        async def look() -> pb.WatchCampaignPerformanceResponse:
            found = await self._returns.campaign(campaign_id, traffic, actor)
            return _watched(campaign_id, found.total, traffic)

        seen = self._looks.watch((campaign_id, traffic, actor.tenant, actor.roles), look)
        async with aclosing(seen) as answers:
            async for answer in answers:
                yield answer
                await asyncio.sleep(interval_s)

    async def GetPayableNumbers(  # noqa: N802
        self, request: pb.GetPayableNumbersRequest, context: Any
    ) -> pb.GetPayableNumbersResponse:
        actor = caller()
        await self._wait(request.at_least)
        return payable_numbers(await self._payable.content(checked_id(request.content_id), actor))

    async def _wait(self, at_least: str) -> None:
        """Read-your-writes for every token; Unavailable after a bounded wait."""
        for token in at_least.split()[:8]:
            service = parse_token(token)[0]
            if service not in FED_BY:
                raise Invalid("at_least.not_fed_by", field="at_least", known=", ".join(FED_BY))
            for projection in FED_BY[service]:
                await self._app.at_least(token, projection.name)

    async def _positions(self) -> list[str]:
        """How far the read models have come, per source and partition: the slowest projection counts."""
        names = [
            consumer_name(each.name, await generations.live_generation(self._app.database, each))
            for each in PROJECTIONS
        ]
        guards = self._app.database.metadata.tables["guards"]
        slowest, offsets = sa.func.min(guards.c.last_position), sa.func.sum(guards.c.next_offset)
        query = sa.select(guards.c.source, guards.c.partition, slowest, offsets)
        query = query.where(guards.c.consumer.in_(names)).group_by(guards.c.source, guards.c.partition)
        async with self._app.database.reading() as connection:
            rows = (await connection.execute(query.order_by(guards.c.source, guards.c.partition))).all()
        return [_token(*row) for row in rows if row[3]]


def _token(source: str, partition: int, position: int, offset: int) -> str:
    """A receipt's form for logs and event topics; for the engagement topic its name and the next offset."""
    if source == OWN_LOG:
        return f"metrics:{position}:"
    if source.endswith(".events.v1"):
        return f"{source.partition('.')[0]}:{position}:{partition}"
    return f"{source}:{offset}:{partition}"


def _id(value: str) -> str:
    return checked_id(value)


def _traffic(value: int) -> int:
    if value and value not in set(Traffic):
        raise Invalid("traffic.unknown", field="traffic")
    return value


def _interval_ms(value: int) -> int:
    if value and not INTERVAL_LOW_MS <= value <= INTERVAL_HIGH_MS:
        raise Invalid("interval.out_of_range", field="interval_ms", low_ms=INTERVAL_LOW_MS, high_ms=INTERVAL_HIGH_MS)
    return value or INTERVAL_DEFAULT_MS


def _listing(request: pb.ListCampaignPerformanceRequest) -> Listing:
    group = GROUPS.get(request.group_by)
    if group is None:
        raise Invalid("group.unknown", field="group_by")
    if group is Group.MINUTE and not request.campaign_id:
        raise Invalid("campaign_id.needed_by_minute", field="campaign_id")
    if request.order_by not in {"", *Order} or (group is Group.MINUTE and request.order_by not in {"", "minute"}):
        raise Invalid("order_by.unknown", field="order_by", known=", ".join(Order))
    campaign_id = _id(request.campaign_id) if request.campaign_id else ""
    first, until = _minute(request, "observed_from", 0), _minute(request, "observed_until", LATEST_MS // MINUTE_MS)
    order = Order(request.order_by or Order.ENGAGEMENTS)
    return Listing(campaign_id, group, _traffic(request.traffic), order, first, until)


def _minute(request: pb.ListCampaignPerformanceRequest, field: str, default: int) -> int:
    """The first minute that begins at or after the bound."""
    if not request.HasField(field):  # type: ignore[arg-type]
        return default
    try:
        at_ms: int = getattr(request, field).ToMilliseconds()
    except (ValueError, OverflowError) as error:
        raise Invalid("time.out_of_range", field=field) from error
    return max(0, min(-(-at_ms // MINUTE_MS), LATEST_MS // MINUTE_MS))


def _watched(campaign_id: str, total: Performance, traffic: int) -> pb.WatchCampaignPerformanceResponse:
    row = pb.PerformanceRow(
        campaign_id=campaign_id,
        counts=_counts(total),
        not_measured=total.not_measured,
        fresh_at=_stamp(total.fresh_ms),
    )
    return pb.WatchCampaignPerformanceResponse(total=row, roi=_rois(total, traffic))


def _row(line: Line, listing: Listing) -> pb.PerformanceRow:
    ids = dict(zip(IDS.get(listing.group, ()), line.ids, strict=True)) or {"campaign_id": listing.campaign_id}
    minute = None if line.minute is None else _stamp(line.minute * MINUTE_MS)
    counts = _wire_counts(line.counts, line.orders, line.new_customers, line.reported_clicks)
    fresh_at = _stamp(line.fresh_ms)
    return pb.PerformanceRow(**ids, minute=minute, counts=counts, not_measured=line.not_measured, fresh_at=fresh_at)


def _stamp(at_ms: int) -> Timestamp | None:
    """None for 0: nothing was received."""
    if not at_ms:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(at_ms)
    return stamp


def _counts(found: Performance) -> pb.Counts:
    return _wire_counts(found.counts, found.orders, found.new_customers, found.reported_clicks)


def _wire_counts(counts: Mapping[Metric, int], orders: int, new_customers: int, reported_clicks: int) -> pb.Counts:
    named = {COUNT_NAMES[metric]: total for metric, total in counts.items()}
    named["reported_clicks"] = reported_clicks
    engagements = saturated(sum(counts.get(metric, 0) for metric in ENGAGING))
    return pb.Counts(**named, engagements=engagements, orders=orders, new_customers=new_customers)


def _creator(ids: tuple[str, str], found: Performance, traffic: int) -> pb.CreatorRoi:
    """A creator is paid in one currency; with orders in others the one with the highest cost is shown."""
    main = max(found.money.values(), key=lambda each: (each.cost_minor, each.gross_revenue_minor), default=None)
    shown = _roi(found, main, traffic) if main else None
    return pb.CreatorRoi(creator_id=ids[0], collaboration_id=ids[1], counts=_counts(found), roi=shown)


def _rois(found: Performance, traffic: int) -> Iterable[pb.Roi]:
    return [_roi(found, money, traffic) for money in found.money.values()]


def _roi(found: Performance, money: Money, traffic: int) -> pb.Roi:
    outcome = found.outcome(money)
    paid_elsewhere = not money.cost_minor and any(each.cost_minor for each in found.money.values())
    ratios = {
        name: _ratio(formula, outcome, money.currency, bool(traffic and formula.per_count) or paid_elsewhere)
        for name, formula in RATIOS.items()
    }
    return pb.Roi(
        currency=money.currency,
        cost_minor=money.cost_minor,
        fee_minor=money.fee_minor,
        platform_fee_minor=saturated(money.cost_minor - money.fee_minor),
        gross_revenue_minor=money.gross_revenue_minor,
        refunded_minor=money.refunded_minor,
        revenue_minor=saturated(outcome.revenue_minor),
        **ratios,
    )


def _ratio(formula: roi.Formula, outcome: roi.Outcome, currency: str, is_none: bool) -> pb.Ratio:
    """Exact until here: the double is the last step, its value rounded to millionths. No value for the whole cost over the counts
    of one traffic, nor in a currency that only brought something, while another was paid."""
    unit = "ratio" if formula.unit == "ratio" else f"{currency} {formula.unit.replace('_', ' ')}"
    figure = None if is_none else formula.of(outcome)
    return pb.Ratio(value=None if figure is None else figure.micros() / 1_000_000, formula=formula.id, unit=unit)


def make_queries(app: App) -> list[RpcService]:
    """The queries of metrics, for both edges."""
    named = pb.DESCRIPTOR.services_by_name
    return [
        RpcService.of(named["RoiQueryService"], grpc_pb.add_RoiQueryServiceServicer_to_server, RoiQueries(app)),
        RpcService.of(named["OrderQueryService"], grpc_pb.add_OrderQueryServiceServicer_to_server, OrderQueries(app)),
        RpcService.of(named["SiteQueryService"], grpc_pb.add_SiteQueryServiceServicer_to_server, SiteQueries(app)),
        *shared_queries(app),
    ]
