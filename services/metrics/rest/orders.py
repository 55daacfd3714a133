"""Orders of a store, their refunds and amendments over HTTP: parse, hand over, answer."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from kernel.core.bounds import whole
from kernel.core.decider import Meta
from kernel.core.events import Receipt
from kernel.core.faults import Refused
from kernel.core.ids import stream_id
from kernel.edge.fields import AmountMinor, Body, Currency, ShortText, UtcDatetime, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.order.commands import AmendOrder, Change, RecordOrder, RefundOrder
from services.metrics.reads.orders import OrderReads
from services.metrics.reads.registry import Registry
from services.metrics.rest.order_receipts import ChangeReceipt, OrderReceipt, change_receipt, order_receipt

EVIDENCE_CHARS = 100
"""Longer than any code or id: what is cut off names nothing anyway."""


def _as_text(value: Any) -> str:
    """Evidence as a text that can be stored, whatever the store sent: what is no text is damaged, and names nothing."""
    return value[:EVIDENCE_CHARS].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


EvidenceText = Annotated[
    str,
    StringConstraints(max_length=EVIDENCE_CHARS, pattern=worded(r"(?s)^.*$", "text")),
    BeforeValidator(_as_text),
    WithJsonSchema({"description": "a text; anything that names nothing is noted as unusable and costs nothing"}),
]


MAX_CLICK_IDS = 1_000
"""More click ids than a store can mean; the last of them are kept."""


def _as_list(value: Any) -> Any:
    """Click ids as a list, also where a store sends none as null, or one by itself."""
    if value is None:
        return []
    return value[-MAX_CLICK_IDS:] if isinstance(value, list | tuple) else [value]


OTHER: dict[str, Any] = {"not": {"type": "array"}}
ClickIds = Annotated[
    tuple[EvidenceText, ...],
    BeforeValidator(_as_list),
    WithJsonSchema(
        {
            "anyOf": [{"type": "array", "items": {}}, OTHER],
            "description": "a list of texts, or one by itself; what names nothing is noted as unusable and costs nothing",
        }
    ),
]


class OrderBody(Body):
    """A store order. `click_ids` (from the redirect) and `coupon_code` are evidence of whose it is; `deliverable_id` is
    what the store itself reports, used when there is no other evidence. `amount_minor` is what the buyer paid for goods: 0 for
    a free order."""

    order_number: Annotated[ShortText, whole(RecordOrder, "order_number")]
    amount_minor: AmountMinor
    currency: Currency
    items: Annotated[int, whole(RecordOrder, "items")] = 1
    ordered_at: UtcDatetime
    new_customer: bool = False
    click_ids: ClickIds = ()
    coupon_code: EvidenceText | None = None
    deliverable_id: EvidenceText | None = None


class RefundBody(Body):
    """`amount_minor` null: all that is left of the order, which is off then; its number is free for another one."""

    refund_id: Uuid
    amount_minor: AmountMinor | None = None


class AmendmentBody(Body):
    """`amount_minor` is what the order is worth before refunds from now on, up or down; `items` null: as many as before."""

    amendment_id: Uuid
    amount_minor: AmountMinor
    items: Annotated[int | None, whole(AmendOrder, "items")] = None


async def _record(app: App, stream: str, command: RecordOrder, meta: Meta) -> Receipt:
    """Records; a taken number whose order was refunded completely is free, also where its events do not say so."""
    try:
        return await app.writer.execute(stream, command, meta)
    except Refused as refused:
        if refused.code != "order.number_taken":
            raise
        earlier = await OrderReads(app.database).given_back(command.brand_id, command.order_number, meta.actor)
        if not earlier:
            raise
        return await app.writer.execute(stream, replace(command, given_back=earlier), meta)


def order_routes(app: App, registry: Registry, window_s: int, limit_major: int) -> APIRouter:
    router = APIRouter(tags=["orders"])

    async def change(order_id: str, command: Change, body: Body, request: CommandRequest) -> ChangeReceipt:
        stream = stream_id("order", order_id)
        receipt = await app.writer.execute(stream, command, request.meta(stream, command, body))
        return await change_receipt(app, request.respond(receipt))

    @router.put("/orders/{order_id}", status_code=201)
    async def record_order(order_id: Uuid, body: OrderBody, request: CommandRequest) -> OrderReceipt:
        """An order of the caller's store; it counts once, whatever its evidence. The answer says whose the order is, and what
        became of each piece of evidence."""
        brand_id = request.actor.tenant
        reported = body.deliverable_id
        placement, not_placed = await registry.reported(reported, brand_id) if reported is not None else (None, None)
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
            not_placed,
            limit_major=limit_major,
        )
        stream = stream_id("order", order_id)
        receipt = await _record(app, stream, command, request.meta(stream, command, body))
        return await order_receipt(app, request.respond(receipt))

    @router.post("/orders/{order_id}/refunds", status_code=201)
    async def refund_order(order_id: Uuid, body: RefundBody, request: CommandRequest) -> ChangeReceipt:
        """Gives back a part of an order, or all that is left; one that comes before its order is kept for it (`kept`)."""
        return await change(order_id, RefundOrder(body.refund_id, body.amount_minor), body, request)

    @router.post("/orders/{order_id}/amendments", status_code=201)
    async def amend_order(order_id: Uuid, body: AmendmentBody, request: CommandRequest) -> ChangeReceipt:
        """Makes an order worth more or less; one that comes before its order is kept for it (`kept`)."""
        command = AmendOrder(body.amendment_id, body.amount_minor, body.items, limit_major)
        return await change(order_id, command, body, request)

    return router
