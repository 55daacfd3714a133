"""Orders over HTTP: the answers of OrderQueryService as JSON."""

from datetime import datetime
from typing import Annotated, Any

from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion_contracts.wire import time_of
from dandelion_contracts.words import word
from fastapi import APIRouter, Query
from pydantic import BaseModel

from kernel.edge.fields import ShortText, Uuid
from kernel.edge.http import Caller
from kernel.edge.page_tokens import PAGE_LIMIT, TOKEN_LIMIT
from kernel.host.app import App
from services.metrics.rpc.orders import SAME, OrderQuestions

AtLeast = Annotated[str, Query(max_length=200, description="the token of a receipt: the answer includes that write")]


class EvidenceAnswer(BaseModel):
    """`source`: link, coupon or reported; `outcome`: used, outdone, malformed, unknown or out_of_time."""

    source: str
    at: int
    outcome: str


class OrderAnswer(BaseModel):
    """An order with its attribution; `source` is "" where it is nobody's. `revenue_minor` is before refunds."""

    order_id: str
    brand_id: str
    shop_order: str
    status: str
    revenue_minor: int
    refunded_minor: int
    currency: str
    items: int
    new_customer: bool
    ordered_at: datetime
    recorded_at: datetime
    source: str
    source_id: str
    click_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    model: str
    window_s: int
    evidence: list[EvidenceAnswer]
    passed_over: int
    version: int


class OrdersAnswer(BaseModel):
    """`next_page_token` is "" on the last page."""

    orders: list[OrderAnswer]
    next_page_token: str


class OrdersAsked(BaseModel):
    """Filters of the list; what is left out filters nothing."""

    campaign_id: Uuid | None = None
    creator_id: Uuid | None = None
    shop_order: ShortText | None = None
    unattributed: bool = False
    order_by: Annotated[str, Query(max_length=40)] = ""
    page_size: Annotated[int, Query(ge=0, le=PAGE_LIMIT)] = 0
    page_token: Annotated[str, Query(max_length=TOKEN_LIMIT)] = ""
    at_least: AtLeast = ""


def order_query_routes(app: App) -> APIRouter:
    router, questions = APIRouter(tags=["orders"]), OrderQuestions(app)

    @router.get("/orders/{order_id}")
    async def get_order(order_id: Uuid, caller: Caller, at_least: AtLeast = "") -> OrderAnswer:
        """An order of the caller's store, with what became of each piece of its evidence."""
        found = await questions.get(pb.GetOrderRequest(order_id=order_id, at_least=at_least), caller)
        return _answer(found.order)

    @router.get("/orders")
    async def list_orders(asked: Annotated[OrdersAsked, Query()], caller: Caller) -> OrdersAnswer:
        """Orders of the caller's store, the newest first unless asked otherwise."""
        found = await questions.page(pb.ListOrdersRequest(**asked.model_dump(exclude_none=True)), caller)
        return OrdersAnswer(orders=list(map(_answer, found.orders)), next_page_token=found.page.next_page_token)

    return router


def _answer(order: pb.Order) -> OrderAnswer:
    told: dict[str, Any] = {name: getattr(order, name) for name in (*SAME, "shop_order", "revenue_minor", "click_id")}
    told |= {"status": word(pb.OrderStatus, order.status), "source": word(events.ConversionSource, order.source)}
    told |= {"ordered_at": time_of(order.ordered_at), "recorded_at": time_of(order.recorded_at)}
    return OrderAnswer(**told, evidence=[_evidence(one) for one in order.evidence])


def _evidence(one: pb.OrderEvidence) -> EvidenceAnswer:
    source, outcome = word(events.ConversionSource, one.source), word(pb.EvidenceOutcome, one.outcome)
    return EvidenceAnswer(source=source, at=one.at, outcome=outcome)
