"""Orders over HTTP: the answers of OrderQueryService as JSON."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from kernel.edge.fields import ShortText, Uuid
from kernel.edge.http import Caller
from kernel.edge.page_tokens import PAGE_LIMIT, TOKEN_LIMIT
from kernel.host.app import App
from services.metrics.rpc.orders import OrderQuestions

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
        return OrderAnswer.model_validate(await questions.told(order_id, at_least, caller))

    @router.get("/orders")
    async def list_orders(asked: Annotated[OrdersAsked, Query()], caller: Caller) -> OrdersAnswer:
        """Orders of the caller's store, the newest first unless asked otherwise."""
        orders, token = await questions.told_page(asked.model_dump(exclude_none=True), caller)
        return OrdersAnswer.model_validate({"orders": orders, "next_page_token": token})

    return router
