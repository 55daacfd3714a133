"""Orders of stores: a row each, with its attribution and what became of its evidence."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target, fold_rows
from services.metrics.domain.order.events import Attribution, OrderAmended, OrderRecorded, OrderRefunded, Usable
from services.metrics.projections.rows import STAFF, Row
from services.metrics.tables import ORDERS, REFUNDED, STANDS

ORDER_EVENTS = (OrderRecorded, OrderRefunded, OrderAmended)


async def apply_orders(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per order, with its attribution and what became of each piece of its evidence."""
    await fold_rows(target, ORDERS, events, _order_key, _fold_order)


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
    row |= {"evidence": canonical(_outcomes(order)).decode(), "readers": sorted([order.brand_id, *STAFF])}
    return row | _attributed_to(order.attribution)


def _outcomes(order: OrderRecorded) -> list[dict[str, Any]]:
    """Each piece of evidence and what became of it; events of 0.1.0 name what was used by the attribution alone."""
    usable = order.usable or ((Usable(order.attribution.basis, 0, True),) if order.attribution else ())
    told = [(one.basis, one.at, "used" if one.used else "outdone") for one in usable]
    told += [(one.basis, one.at, one.why.value) for one in order.unusable]
    return [{"source": basis.value, "at": at, "outcome": outcome} for basis, at, outcome in sorted(told)]


def _attributed_to(found: Attribution | None) -> Row:
    place = ("campaign_id", "collaboration_id", "deliverable_id", "creator_id")
    if found is None:
        return dict.fromkeys(("source", "source_id", "touch_id", "model", *place), "") | {"window_s": 0}
    placed = {name: getattr(found.placement, name) for name in place}
    rule = {"source": found.basis.value, "source_id": found.source_id, "touch_id": found.touch_id}
    return {**placed, **rule, "model": found.model.value, "window_s": found.window_s}


ORDER_LIST = Projection("orders", 1, (ORDERS,), apply_orders)
