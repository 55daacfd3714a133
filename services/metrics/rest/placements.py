"""Tracking links, coupons, orders and refunds over HTTP: parse, hand over, answer.

Callers name a deliverable; campaign, collaboration and creator follow from it, and it must be the caller's own brand's.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from kernel.core.bounds import whole
from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import AmountMinor, Body, Bps, Currency, PositiveMinor, ShortText, UtcDatetime, Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.coupon import IssueCoupon
from services.metrics.domain.link import CODE, MAX_URL, IssueLink
from services.metrics.domain.order import RecordOrder, RefundOrder
from services.metrics.reads.registry import Registry

LinkCodeText = Annotated[str, Field(pattern=f"^{CODE.pattern}$")]
CouponText = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,31}$")]


class LinkBody(Body):
    """`code` is the public path `/l/<code>`, unique over the installation."""

    deliverable_id: Uuid
    target_url: Annotated[str, Field(max_length=MAX_URL, pattern=r"^https://[\x21-\x7e]+$")]
    code: LinkCodeText


class CouponBody(Body):
    """`code` is unique among the brand's, whatever its case; `discount_bps` is what the buyer saves."""

    deliverable_id: Uuid
    code: CouponText
    discount_bps: Bps = 0
    expires_at: UtcDatetime


class OrderBody(Body):
    """A store order. `click_ids` (from the redirect) and `coupon_code` are evidence of whose it is; `deliverable_id` is
    what the store itself reports, used when there is no evidence. `amount_minor` is what the buyer paid for goods."""

    order_number: Annotated[ShortText, whole(RecordOrder, "order_number")]
    amount_minor: PositiveMinor
    currency: Currency
    items: Annotated[int, whole(RecordOrder, "items")] = 1
    ordered_at: UtcDatetime
    new_customer: bool = False
    click_ids: Annotated[tuple[Uuid, ...], whole(RecordOrder, "click_ids")] = ()
    coupon_code: CouponText | None = None
    deliverable_id: Uuid | None = None


class RefundBody(Body):
    """`amount_minor` null: all that is left of the order."""

    refund_id: Uuid
    amount_minor: AmountMinor | None = None


def placement_routes(app: App, registry: Registry) -> APIRouter:
    router = APIRouter(tags=["links and coupons"])

    @router.put("/links/{link_id}", status_code=201)
    async def issue_link(link_id: Uuid, body: LinkBody, request: CommandRequest) -> Receipt:
        """A tracking link for a deliverable of the caller's brand."""
        brand_id = request.actor.tenant
        placement = await registry.placement(body.deliverable_id, brand_id)
        stream, command = stream_id("link", link_id), IssueLink(brand_id, placement, body.target_url, body.code)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("/coupons/{coupon_id}", status_code=201)
    async def issue_coupon(coupon_id: Uuid, body: CouponBody, request: CommandRequest) -> Receipt:
        """A coupon for a deliverable of the caller's brand."""
        brand_id = request.actor.tenant
        placement = await registry.placement(body.deliverable_id, brand_id)
        stream = stream_id("coupon", coupon_id)
        command = IssueCoupon(brand_id, placement, body.code, body.discount_bps, body.expires_at)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


def order_routes(app: App, registry: Registry, window_s: int) -> APIRouter:
    router = APIRouter(tags=["orders"])

    @router.put("/orders/{order_id}", status_code=201)
    async def record_order(order_id: Uuid, body: OrderBody, request: CommandRequest) -> Receipt:
        """An order of the caller's store; it counts once, whatever its evidence."""
        brand_id = request.actor.tenant
        placement = await registry.placement(body.deliverable_id, brand_id) if body.deliverable_id else None
        command = RecordOrder(
            brand_id,
            body.order_number,
            body.amount_minor,
            body.currency,
            body.items,
            body.ordered_at,
            body.new_customer,
            body.click_ids,
            body.coupon_code,
            placement,
            window_s,
        )
        stream = stream_id("order", order_id)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.post("/orders/{order_id}/refunds", status_code=201)
    async def refund_order(order_id: Uuid, body: RefundBody, request: CommandRequest) -> Receipt:
        """Gives back a part of an order, or all that is left."""
        stream, command = stream_id("order", order_id), RefundOrder(body.refund_id, body.amount_minor)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router
