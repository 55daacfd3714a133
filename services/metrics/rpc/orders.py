"""OrderQueryService: orders of stores with their attribution; the HTTP edge answers by the same questions."""

from collections.abc import Mapping
from typing import Any

import orjson
from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp, time_of
from dandelion_contracts.words import number, word

from kernel.core.decider import Actor
from kernel.core.ids import checked_id
from kernel.edge.grpc import caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import chosen
from services.metrics.projections.orders import ORDER_LIST
from services.metrics.reads.orders import BY, OrderFilter, OrderReads, Row

SAME = (
    "order_id", "brand_id", "refunded_minor", "currency", "items", "new_customer", "source_id", "campaign_id",
    "collaboration_id", "deliverable_id", "creator_id", "model", "window_s", "passed_over", "version",
)  # fmt: skip


class OrderQuestions:
    """The two questions, asked by a caller over whichever edge."""

    def __init__(self, app: App) -> None:
        self._app, self._reads = app, OrderReads(app.database)
        self._tokens = app.page_tokens

    async def get(self, request: pb.GetOrderRequest, actor: Actor) -> pb.GetOrderResponse:
        await self._app.at_least(request.at_least, ORDER_LIST.name)
        return pb.GetOrderResponse(order=wire_order(await self._reads.order(checked_id(request.order_id), actor)))

    async def page(self, request: pb.ListOrdersRequest, actor: Actor) -> pb.ListOrdersResponse:
        size, after = page_size(request.page_size), self._tokens.open(request, request.page_token, actor.tenant)
        _, falling = chosen(request.order_by, BY)
        campaign_id, creator_id = (checked_id(one) if one else "" for one in (request.campaign_id, request.creator_id))
        asked = OrderFilter(campaign_id, creator_id, request.shop_order, request.unattributed)
        await self._app.at_least(request.at_least, ORDER_LIST.name)
        found = await self._reads.page(asked, falling, after, size, actor)
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        page = common.PageInfo(next_page_token=token)
        return pb.ListOrdersResponse(orders=map(wire_order, found.rows), page=page)

    async def told(self, order_id: str, at_least: str, actor: Actor) -> dict[str, Any]:
        """An order in plain values and words, for answers that are no protobuf."""
        return _told((await self.get(pb.GetOrderRequest(order_id=order_id, at_least=at_least), actor)).order)

    async def told_page(self, asked: Mapping[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], str]:
        """A page of orders in plain values, and the token of the next."""
        found = await self.page(pb.ListOrdersRequest(**asked), actor)
        return [*map(_told, found.orders)], found.page.next_page_token


def _told(order: pb.Order) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(order, name) for name in (*SAME, "shop_order", "revenue_minor", "click_id")}
    told |= {"status": word(pb.OrderStatus, order.status), "source": word(events.ConversionSource, order.source)}
    told |= {"ordered_at": time_of(order.ordered_at), "recorded_at": time_of(order.recorded_at)}
    return told | {"evidence": [_told_evidence(one) for one in order.evidence]}


def _told_evidence(one: pb.OrderEvidence) -> dict[str, Any]:
    source, outcome = word(events.ConversionSource, one.source), word(pb.EvidenceOutcome, one.outcome)
    return {"source": source, "at": one.at, "outcome": outcome}


class OrderQueries(grpc_pb.OrderQueryServiceServicer):
    """A brand sees its orders, staff see all."""

    def __init__(self, app: App) -> None:
        self._questions = OrderQuestions(app)

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:  # noqa: N802
        return await self._questions.get(request, caller())

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Any) -> pb.ListOrdersResponse:  # noqa: N802
        return await self._questions.page(request, caller())


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
