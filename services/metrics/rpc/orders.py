"""OrderQueryService: orders of stores with their attribution."""

from typing import Any

import orjson
from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import attribution_pb2 as attribution
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from kernel.core.ids import checked_id
from kernel.edge.grpc import caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import chosen
from services.metrics.projections.orders import ORDER_LIST
from services.metrics.reads.attribution import AttributionReads
from services.metrics.reads.orders import BY, OrderFilter, OrderReads, Row
from services.metrics.rpc.attribution import question, wire_attribution

SAME = (
    "order_id", "brand_id", "refunded_minor", "currency", "items", "new_customer", "source_id", "campaign_id",
    "collaboration_id", "deliverable_id", "creator_id", "model", "window_s", "passed_over", "version",
)  # fmt: skip


class OrderQueries(grpc_pb.OrderQueryServiceServicer):
    """A brand sees its orders, staff see all."""

    def __init__(self, app: App) -> None:
        self._app, self._reads, self._attribution = app, OrderReads(app.database), AttributionReads(app.database)
        self._tokens = app.page_tokens

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:  # noqa: N802
        await self._app.at_least(request.at_least, ORDER_LIST.name)
        return pb.GetOrderResponse(order=wire_order(await self._reads.order(checked_id(request.order_id), caller())))

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Any) -> pb.ListOrdersResponse:  # noqa: N802
        actor = caller()
        size, after = page_size(request.page_size), self._tokens.open(request, request.page_token, actor.tenant)
        _, falling = chosen(request.order_by, BY)
        campaign_id, creator_id = (checked_id(one) if one else "" for one in (request.campaign_id, request.creator_id))
        asked = OrderFilter(campaign_id, creator_id, request.shop_order, request.unattributed)
        await self._app.at_least(request.at_least, ORDER_LIST.name)
        found = await self._reads.page(asked, falling, after, size, actor)
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        page = common.PageInfo(next_page_token=token)
        return pb.ListOrdersResponse(orders=map(wire_order, found.rows), page=page)

    async def GetAttribution(  # noqa: N802
        self, request: attribution.GetAttributionRequest, context: Any
    ) -> attribution.GetAttributionResponse:
        asked, actor = question(request), caller()
        await self._app.at_least(request.at_least, ORDER_LIST.name)
        return wire_attribution(asked, await self._attribution.compared(asked, actor))


def wire_order(row: Row) -> pb.Order:
    return pb.Order(
        **{name: row[name] for name in SAME},
        shop_order=row["order_number"],
        status=number(pb.OrderStatus, row["status"]),
        revenue_minor=row["amount_minor"],
        ordered_at=stamp(row["ordered_at"]),
        recorded_at=stamp(row["recorded_at"]),
        source=number(events.ConversionSource, row["source"]),
        click_id=row["touch_id"],
        evidence=map(_evidence, orjson.loads(row["evidence"])),
    )


def _evidence(told: dict[str, Any]) -> pb.OrderEvidence:
    return pb.OrderEvidence(
        source=number(events.ConversionSource, told["source"]),
        at=told["at"],
        outcome=number(pb.EvidenceOutcome, told["outcome"]),
    )
