"""Evidence of an order: whose it is, and which of what came with it could not be used.

A coupon of the brand that was valid at the time comes first (the buyer named the creator), then the last click inside
the window (`last_click@1`), then what the store itself reports, else the order is nobody's. Evidence that is damaged, or
not the brand's, is passed over and noted: a store's order is an order even when its coupon is not ours.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kernel.core.decider import InlineTable, Key, Rows
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from services.metrics.domain.attribution import MAX_TOUCHES, Basis, Model, eligible, last_click
from services.metrics.domain.coupon import CODE, COUPON_CODES, CouponCode, normalised_code
from services.metrics.domain.link import CLICKS, Click
from services.metrics.domain.order.commands import RecordOrder
from services.metrics.domain.order.events import Attribution, Unusable, Why


def evidence_keys(command: RecordOrder) -> Iterator[tuple[InlineTable[Any], Key]]:
    """The rows that the evidence names; damaged evidence names none. Bounded whatever the caller sent."""
    for click_id in filter(None, map(_click_id, command.click_ids[:MAX_TOUCHES])):
        yield CLICKS, (click_id,)
    code = _code(command)
    if code:
        yield COUPON_CODES, (command.brand_id, code)


def attributed(command: RecordOrder, rows: Rows) -> tuple[Attribution | None, tuple[Unusable, ...]]:
    """Whose the order is, and what of its evidence was not usable."""
    coupon, coupon_why = _coupon(command, rows)
    clicks = [_click(command, click_id, rows) for click_id in command.click_ids]
    unusable = [Unusable(Basis.LINK, at, why) for at, (_, why) in enumerate(clicks) if why is not None]
    if coupon_why is not None:
        unusable.insert(0, Unusable(Basis.COUPON, 0, coupon_why))
    if coupon is not None:
        found = Attribution(Basis.COUPON, coupon.coupon_id, "", coupon.placement, Model.LAST_CLICK, command.window_s)
        return found, tuple(unusable)
    return _clicked(command, [click for click, why in clicks if click and why is None]), tuple(unusable)


def _coupon(command: RecordOrder, rows: Rows) -> tuple[CouponCode | None, Why | None]:
    if command.coupon_code is None:
        return None, None
    code = _code(command)
    if not code:
        return None, Why.MALFORMED
    coupon = rows.get(COUPON_CODES, (command.brand_id, code))
    if coupon is None:
        return None, Why.UNKNOWN
    return (coupon, None) if coupon.counts_at(command.ordered_at) else (None, Why.OUT_OF_TIME)


def _code(command: RecordOrder) -> str:
    """The coupon's code as codes are compared; "" for none, and for a text that no code can be."""
    code = normalised_code(command.coupon_code or "")
    return code if CODE.fullmatch(code) else ""


def _click(command: RecordOrder, value: str, rows: Rows) -> tuple[Click | None, Why | None]:
    click_id = _click_id(value)
    if not click_id:
        return None, Why.MALFORMED
    click = rows.get(CLICKS, (click_id,))
    if click is None or click.brand_id != command.brand_id:
        return None, Why.UNKNOWN
    inside = eligible([click.touch()], command.ordered_at, command.window_s)
    return (click, None) if inside else (None, Why.OUT_OF_TIME)


def _click_id(value: str) -> str:
    """The id as it was given to the store; "" for a text that no id can be."""
    try:
        return checked_id(value.strip().lower())
    except Invalid:
        return ""


def _clicked(command: RecordOrder, clicks: Iterable[Click]) -> Attribution | None:
    touch = last_click([click.touch() for click in clicks], command.ordered_at, command.window_s)
    if touch is None:
        return _reported(command)
    return Attribution(Basis.LINK, touch.source_id, touch.id, touch.placement, Model.LAST_CLICK, command.window_s)


def _reported(command: RecordOrder) -> Attribution | None:
    if command.placement is None:
        return None
    return Attribution(Basis.REPORTED, "", "", command.placement, Model.LAST_CLICK, command.window_s)
