"""Orders of stores: a row each, with its attribution and what became of its evidence."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target, fold_rows
from services.metrics.domain.order.events import OrderAmended, OrderRecorded, OrderRefunded
from services.metrics.domain.order.told import PLACE, attributed_to, contacts_of, outcomes
from services.metrics.projections.rows import STAFF, Row
from services.metrics.tables import ORDER_CONTACTS, ORDERS, REFUNDED, STANDS

ORDER_EVENTS = (OrderRecorded, OrderRefunded, OrderAmended)


async def apply_orders(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per order, with its attribution and what became of each piece of its evidence; and a row per contact before it."""
    await fold_rows(target, ORDERS, events, _order_key, _fold_order)
    orders = [incoming.event for incoming in events if isinstance(incoming.event, OrderRecorded)]
    await target.upsert(ORDER_CONTACTS, [row for order in orders for row in _contact_rows(order)])


def _order_key(incoming: Delivered[Any]) -> tuple[str] | None:
    return (incoming.event.order_id,) if isinstance(incoming.event, ORDER_EVENTS) else None


def _fold_order(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case OrderRecorded() as order:
            changed = _order_row(order, incoming.at)
        case OrderRefunded() as refund if row:
            status = REFUNDED if refund.complete else STANDS
            changed = {"refunded_minor": row["refunded_minor"] + refund.amount_minor, "status": status}
        case OrderAmended() as amended:
            changed = {"amount_minor": amended.amount_minor, "items": amended.items}
        case _:
            return row
    return (row or {}) | changed | {"version": incoming.version}


def _order_row(order: OrderRecorded, recorded_at: datetime) -> Row:
    same = ("order_id", "brand_id", "order_number", "amount_minor", "currency", "items", "ordered_at", "new_customer")
    row: Row = {name: getattr(order, name) for name in (*same, "passed_over")}
    row |= {"status": STANDS, "refunded_minor": 0, "recorded_at": recorded_at}
    row |= {"evidence": canonical(outcomes(order)).decode(), "readers": sorted([order.brand_id, *STAFF])}
    return row | attributed_to(order.attribution)


def _contact_rows(order: OrderRecorded) -> Iterable[Row]:
    shared = {"order_id": order.order_id, "readers": sorted([order.brand_id, *STAFF])}
    for place, one in enumerate(contacts_of(order)):
        placed = {name: getattr(one.placement, name) for name in PLACE}
        yield {**shared, **placed, "place": place, "source": one.basis.value, "touched_at": one.at}


ORDER_LIST = Projection("orders", 2, (ORDERS, ORDER_CONTACTS), apply_orders)
