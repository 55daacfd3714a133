"""Orders of a brand's store and their refunds: an order counts once, a refund never exceeds what is left.

An order is attributed when it is recorded and never again: by a coupon of the brand that was valid at the time (the
buyer named the creator), else by the last click inside the window (`last_click@1`), else as the store itself reports,
else to nobody. Codes and clicks the brand does not own are no evidence and are passed over: a store's order is an order
even when its coupon is not ours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, assert_never

from annotated_types import Interval, Len

from kernel.core.bounds import Asked, limits
from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id, split_stream
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.metrics.domain.attribution import (
    DEFAULT_WINDOW_S,
    MAX_TOUCHES,
    Basis,
    Model,
    Placement,
    checked_window,
    last_click,
    owns,
)
from services.metrics.domain.coupon import COUPON_CODES, CouponCode, normalised_code
from services.metrics.domain.link import CLICKS

MAX_REFUNDS = 100
MAX_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """`order_number` is the store's own, unique per brand; `click_ids` the touches the store knows of, any order."""

    brand_id: str
    order_number: Annotated[str, Asked(Len(1, 64))]
    amount_minor: int
    currency: str
    items: Annotated[int, Asked(Interval(ge=1, le=10_000))]
    ordered_at: datetime
    new_customer: bool = False
    click_ids: Annotated[tuple[str, ...], Asked(Len(0, MAX_TOUCHES))] = ()
    coupon_code: str | None = None
    placement: Placement | None = None
    window_s: int = DEFAULT_WINDOW_S


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Gives back `amount_minor` of the order (None: all that is left) under the store's refund id (a UUID)."""

    refund_id: str
    amount_minor: int | None


Command = RecordOrder | RefundOrder


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why the order belongs to a placement: `source_id` is the link or coupon (empty when reported), `touch_id` the
    click (empty without one); `model` and `window_s` are the rule that was used."""

    basis: Basis
    source_id: str
    touch_id: str
    placement: Placement
    model: Model
    window_s: int


@dataclass(frozen=True, slots=True)
class OrderRecorded:
    order_id: str
    brand_id: str
    order_number: str
    amount_minor: int
    currency: str
    items: int
    ordered_at: datetime
    new_customer: bool
    attribution: Attribution | None


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """`remaining_minor` is what the order is worth afterwards; 0 means fully reversed."""

    order_id: str
    refund_id: str
    brand_id: str
    amount_minor: int
    currency: str
    remaining_minor: int
    new_customer: bool
    attribution: Attribution | None


Event = OrderRecorded | OrderRefunded


@dataclass(frozen=True, slots=True)
class State:
    """What was recorded is kept, so that a repeat is told from a second order under the same id."""

    order: OrderRecorded | None = None
    refunds: tuple[OrderRefunded, ...] = ()

    @property
    def refunded_minor(self) -> int:
        return sum(refund.amount_minor for refund in self.refunds)


@dataclass(frozen=True, slots=True)
class OrderNumber:
    """Inline row: which order holds a store's order number."""

    brand_id: str
    order_number: str
    order_id: str


def _fold_number(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, OrderNumber | None]]:
    made: OrderRecorded = fact.event
    yield (made.brand_id, made.order_number), OrderNumber(made.brand_id, made.order_number, made.order_id)


ORDER_NUMBERS: InlineTable[OrderNumber] = InlineTable(
    "order_numbers", OrderNumber, ("brand_id", "order_number"), (OrderRecorded,), _fold_number
)


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for another brand, Invalid on bad values, Refused when it would count twice or below zero."""
    brand_id = command.brand_id if isinstance(command, RecordOrder) else context.tenant
    if not owns(context, brand_id):
        raise Forbidden("order.not_a_party")
    match command:
        case RecordOrder():
            return _record(command, state, context)
        case RefundOrder():
            return _refund(command, state)
        case _:
            assert_never(command)


def _record(command: RecordOrder, state: State, context: Context) -> Sequence[Event]:
    _check(command, context.at)
    made = _recorded(command, context)
    if state.order is not None:
        return _repeated(made, state.order)
    holder = context.rows.get(ORDER_NUMBERS, (command.brand_id, command.order_number))
    if holder is not None:
        raise Refused("order.number_taken", order_id=holder.order_id)
    return [made]


def _check(command: RecordOrder, now: datetime) -> None:
    checked_currency(command.currency)
    checked_window(command.window_s)
    if not 0 < command.amount_minor <= LIMIT_MINOR:
        raise Invalid("order.amount_out_of_range", amount_minor=command.amount_minor, limit_minor=LIMIT_MINOR)
    least, most = limits(command, "items")
    if not least <= command.items <= most:
        raise Invalid("order.items_out_of_range", items=command.items, limit=most)
    shortest, longest = limits(command, "order_number")
    if not shortest <= len(command.order_number) <= longest or not command.order_number.isprintable():
        raise Invalid("order.number_malformed", limit=longest)
    if command.ordered_at > now + MAX_AHEAD:
        raise Invalid("order.in_the_future")
    if len(command.click_ids) > MAX_TOUCHES:
        raise Invalid("order.too_many_clicks", limit=MAX_TOUCHES)
    if command.placement is not None:
        command.placement.checked()


def _recorded(command: RecordOrder, context: Context) -> OrderRecorded:
    return OrderRecorded(
        split_stream(context.stream)[1],
        command.brand_id,
        command.order_number,
        command.amount_minor,
        command.currency,
        command.items,
        command.ordered_at,
        command.new_customer,
        _attributed(command, context.rows),
    )


def _attributed(command: RecordOrder, rows: Rows) -> Attribution | None:
    coupon = _coupon(command, rows)
    if coupon is not None:
        return Attribution(Basis.COUPON, coupon.coupon_id, "", coupon.placement, Model.LAST_CLICK, command.window_s)
    clicks = [rows.get(CLICKS, (click_id,)) for click_id in command.click_ids]
    own = [click.touch() for click in clicks if click is not None and click.brand_id == command.brand_id]
    touch = last_click(own, command.ordered_at, command.window_s)
    if touch is None:
        return _reported(command)
    return Attribution(Basis.LINK, touch.source_id, touch.id, touch.placement, Model.LAST_CLICK, command.window_s)


def _reported(command: RecordOrder) -> Attribution | None:
    if command.placement is None:
        return None
    return Attribution(Basis.REPORTED, "", "", command.placement, Model.LAST_CLICK, command.window_s)


def _coupon(command: RecordOrder, rows: Rows) -> CouponCode | None:
    if command.coupon_code is None:
        return None
    coupon = rows.get(COUPON_CODES, (command.brand_id, normalised_code(command.coupon_code)))
    return coupon if coupon is not None and coupon.counts_at(command.ordered_at) else None


def _repeated(made: OrderRecorded, stands: OrderRecorded) -> Sequence[Event]:
    """The same order again is silence; its first attribution stands, whatever became known since."""
    if replace(made, attribution=None) != replace(stands, attribution=None):
        raise Refused("order.already_recorded", order_id=stands.order_id)
    return []


def _refund(command: RefundOrder, state: State) -> Sequence[Event]:
    order = state.order
    if order is None:
        raise Refused("order.not_recorded")
    checked_id(command.refund_id)
    for earlier in state.refunds:
        if earlier.refund_id == command.refund_id:
            return _refund_repeated(command, earlier)
    left = order.amount_minor - state.refunded_minor
    amount = _refundable(command, left, len(state.refunds))
    remaining = left - amount
    return [
        OrderRefunded(
            order.order_id, command.refund_id, order.brand_id, amount, order.currency, remaining, order.new_customer,
            order.attribution,
        )
    ]  # fmt: skip


def _refund_repeated(command: RefundOrder, earlier: OrderRefunded) -> Sequence[Event]:
    """A full refund repeats one that left nothing."""
    full = command.amount_minor is None and earlier.remaining_minor == 0
    if not full and earlier.amount_minor != command.amount_minor:
        raise Refused("refund.differs", refund_id=earlier.refund_id, amount_minor=earlier.amount_minor)
    return []


def _refundable(command: RefundOrder, left: int, refunds: int) -> int:
    amount = left if command.amount_minor is None else command.amount_minor
    if command.amount_minor is not None and amount <= 0:
        raise Invalid("refund.amount_not_positive", amount_minor=amount)
    if left == 0 or amount > left:
        raise Refused("refund.exceeds_order", amount_minor=amount, remaining_minor=left)
    if refunds >= MAX_REFUNDS:
        raise Refused("refund.too_many", limit=MAX_REFUNDS)
    return amount


def evolve(state: State, event: Event) -> State:
    match event:
        case OrderRecorded():
            return replace(state, order=event)
        case OrderRefunded():
            return replace(state, refunds=(*state.refunds, event))
        case _:
            assert_never(event)


def _reads(command: Command, state: State) -> list[tuple[InlineTable[Any], Key]]:
    """Bounded whatever the caller sent: `decide` refuses more clicks than are read here."""
    if not isinstance(command, RecordOrder):
        return []
    keys: list[tuple[InlineTable[Any], Key]] = [(ORDER_NUMBERS, (command.brand_id, command.order_number))]
    keys += [(CLICKS, (click_id,)) for click_id in command.click_ids[:MAX_TOUCHES]]
    if command.coupon_code is not None:
        keys.append((COUPON_CODES, (command.brand_id, normalised_code(command.coupon_code))))
    return keys


def _owner(command: Command) -> str | None:
    return command.brand_id if isinstance(command, RecordOrder) else None


ORDER: Decider[Command, State, Event] = Decider("order", State(), decide, evolve, owner=_owner, reads=_reads)
