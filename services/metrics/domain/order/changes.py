"""Refunds and amendments of an order: decided on a recorded one, kept for one that is still to come."""

from collections.abc import Sequence
from typing import assert_never

from kernel.core.bounds import limits
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id
from kernel.core.money import LIMIT_MINOR
from services.metrics.domain.order.commands import AmendOrder, Change, RefundOrder
from services.metrics.domain.order.events import (
    ChangeKind,
    Event,
    OrderAmended,
    OrderChangeKept,
    OrderRecorded,
    OrderRefunded,
)
from services.metrics.domain.order.state import State, evolve
from services.metrics.domain.order.worth import check_amount, limit_minor

MAX_CHANGES = 100
"""Refunds of an order, and as many amendments."""


def changed(command: Change, order: OrderRecorded, state: State) -> Sequence[Event]:
    """What a refund or an amendment does to a recorded order; nothing when it was told before."""
    check_change(command, order.currency)
    if _told(command, state):
        return []
    match command:
        case RefundOrder():
            return [_refunded(order, state, command.refund_id, _refundable(command, state))]
        case AmendOrder():
            return [_amended(order, state, command.amendment_id, _amendable(command, state), command.items)]
        case _:
            assert_never(command)


def kept(command: Change, state: State, order_id: str, brand_id: str) -> Sequence[Event]:
    """A change of an order that is not recorded yet."""
    check_change(command)
    if _told(command, state):
        return []
    change_id, kind = _named(command)
    all_given_back = any(one.kind is ChangeKind.REFUND and one.amount_minor is None for one in state.kept)
    if kind is ChangeKind.REFUND and all_given_back:
        raise Refused("refund.exceeds_order", amount_minor=command.amount_minor, remaining_minor=0)
    _check_number(kind, sum(one.kind is kind for one in state.kept))
    items = command.items if isinstance(command, AmendOrder) else None
    return [OrderChangeKept(order_id, brand_id, change_id, kind, command.amount_minor, items)]


def applied(state: State, order: OrderRecorded) -> Sequence[Event]:
    """The changes that were kept for an order: amendments first, since what may be given back is what it was worth in the end,
    and each kind in the order it came. None takes the order below zero: each goes as far as it can."""
    events: list[Event] = []
    for one in sorted(state.kept, key=lambda one: one.kind is ChangeKind.REFUND):
        if state.cancelled:
            break
        event: Event
        if one.kind is ChangeKind.REFUND:
            left = state.left_minor
            amount = left if one.amount_minor is None else min(one.amount_minor, left)
            event = _refunded(order, state, one.change_id, amount)
        else:
            amount = min(max(one.amount_minor or 0, state.refunded_minor), limit_minor(order.currency))
            event = _amended(order, state, one.change_id, amount, one.items)
        state = evolve(state, event)
        events.append(event)
    return events


def check_change(command: Change, currency: str = "") -> None:
    """Raises Invalid for what no order can be changed by; `currency` is the order's, "" as long as it is to come."""
    checked_id(_named(command)[0])
    match command:
        case RefundOrder(amount_minor=amount) if amount is not None and not 0 < amount <= LIMIT_MINOR:
            raise Invalid("refund.amount_not_positive", amount_minor=amount)
        case AmendOrder(amount_minor=amount, items=items):
            check_amount(amount, currency, command.limit_major)
            least, most = limits(command, "items")
            if items is not None and not least <= items <= most:
                raise Invalid("order.items_out_of_range", items=items, limit=most)


def _named(command: Change) -> tuple[str, ChangeKind]:
    if isinstance(command, RefundOrder):
        return command.refund_id, ChangeKind.REFUND
    return command.amendment_id, ChangeKind.AMENDMENT


def _told(command: Change, state: State) -> bool:
    """Whether this change was told before; raises Refused where its id stands for another one."""
    change_id, kind = _named(command)
    for one in state.kept:
        if (one.change_id, one.kind) == (change_id, kind):
            items = command.items if isinstance(command, AmendOrder) else None
            _check_same(kind, (one.amount_minor, one.items) == (command.amount_minor, items), change_id)
            return True
    if isinstance(command, RefundOrder):
        return _refund_told(command, state)
    return _amendment_told(command, state)


def _refund_told(command: RefundOrder, state: State) -> bool:
    """A full refund repeats one that left nothing."""
    earlier = next((one for one in state.refunds if one.refund_id == command.refund_id), None)
    if earlier is None:
        return False
    full = command.amount_minor is None and earlier.complete
    if not full and earlier.amount_minor != command.amount_minor:
        raise Refused("refund.differs", refund_id=earlier.refund_id, amount_minor=earlier.amount_minor)
    return True


def _amendment_told(command: AmendOrder, state: State) -> bool:
    earlier = next((one for one in state.amendments if one.amendment_id == command.amendment_id), None)
    if earlier is None:
        return False
    same = earlier.amount_minor == command.amount_minor and command.items in (None, earlier.items)
    _check_same(ChangeKind.AMENDMENT, same, command.amendment_id)
    return True


def _check_same(kind: ChangeKind, same: bool, change_id: str) -> None:
    if not same:
        raise Refused(f"{kind}.differs", **{f"{kind}_id": change_id})


def _check_number(kind: ChangeKind, number: int) -> None:
    if number >= MAX_CHANGES:
        raise Refused(f"{kind}.too_many", limit=MAX_CHANGES)


def _refundable(command: RefundOrder, state: State) -> int:
    left = state.left_minor
    amount = left if command.amount_minor is None else command.amount_minor
    if state.cancelled or amount > left:
        raise Refused("refund.exceeds_order", amount_minor=amount, remaining_minor=left)
    _check_number(ChangeKind.REFUND, len(state.refunds))
    return amount


def _amendable(command: AmendOrder, state: State) -> int:
    if state.cancelled:
        raise Refused("order.cancelled")
    if command.amount_minor < state.refunded_minor:
        raise Refused("amendment.below_refunds", amount_minor=command.amount_minor, refunded_minor=state.refunded_minor)
    _check_number(ChangeKind.AMENDMENT, len(state.amendments))
    return command.amount_minor


def _refunded(order: OrderRecorded, state: State, refund_id: str, amount_minor: int) -> OrderRefunded:
    return OrderRefunded(
        order.order_id, refund_id, order.brand_id, amount_minor, order.currency, state.left_minor - amount_minor,
        order.new_customer, order.attribution, order.order_number,
    )  # fmt: skip


def _amended(
    order: OrderRecorded, state: State, amendment_id: str, amount_minor: int, items: int | None
) -> OrderAmended:
    return OrderAmended(
        order.order_id, amendment_id, order.brand_id, amount_minor, amount_minor - state.amount_minor, order.currency,
        items or state.items, order.attribution,
    )  # fmt: skip
