"""Evidence of an order: whose it is, and what became of each piece that came with it.

A coupon of the brand that was valid at the time comes first (the buyer named the creator), then the last click inside
the window (`last_click@1`), then what the store itself reports, else the order is nobody's. Evidence that is damaged, or
not the brand's, is passed over and noted: a store's order is an order even when its coupon is not ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.core.decider import InlineTable, Key, Rows
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from services.metrics.domain.attribution import (
    MAX_TOUCHES,
    MAX_WINDOW_S,
    Basis,
    Model,
    Placement,
    eligible,
    last_click,
)
from services.metrics.domain.coupon import CODE, COUPON_CODES, CouponCode, normalised_code
from services.metrics.domain.link.clicks import CLICKS, Click
from services.metrics.domain.order.commands import RecordOrder
from services.metrics.domain.order.events import Attribution, Contact, Unusable, Usable, Why


@dataclass(frozen=True, slots=True)
class Found:
    """What the evidence says; `passed_over` counts the click ids that were not looked at."""

    attribution: Attribution | None
    unusable: tuple[Unusable, ...]
    usable: tuple[Usable, ...]
    passed_over: int
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence: where it stood, what it leads to, or why it leads nowhere."""

    basis: Basis
    at: int
    attribution: Attribution | None
    why: Why | None = None


def evidence_keys(command: RecordOrder) -> Iterator[tuple[InlineTable[Any], Key]]:
    """The rows that the evidence names; damaged evidence names none. Bounded whatever the caller sent."""
    for click_id in filter(None, (_click_id(command.click_ids[at]) for at in _looked_at(command))):
        yield CLICKS, (click_id,)
    code = _code(command)
    if code:
        yield COUPON_CODES, (command.brand_id, code)


def attributed(command: RecordOrder, rows: Rows) -> Found:
    """Whose the order is, and what became of its evidence."""
    looked_at = _looked_at(command)
    clicks = [(at, *_click(command, command.click_ids[at], rows)) for at in looked_at]
    pieces = [*_coupon(command, rows), *(_clicked(command, *each) for each in clicks), *_reported(command)]
    decisive = _decisive(command, pieces, [click for _, click, why in clicks if click and why is None])
    return Found(
        decisive.attribution if decisive else None,
        tuple(Unusable(one.basis, one.at, one.why) for one in pieces if one.why is not None),
        tuple(Usable(one.basis, one.at, one is decisive) for one in pieces if one.why is None),
        len(command.click_ids) - len(looked_at),
        _contacts(command, pieces, [click for _, click, _ in clicks if click]),
    )


def _contacts(command: RecordOrder, pieces: Sequence[Piece], clicks: Sequence[Click]) -> tuple[Contact, ...]:
    """Clicks beyond the window too: the window is a model's, and may be another when the models are compared."""
    touches = eligible([click.touch() for click in clicks], command.ordered_at, MAX_WINDOW_S)
    made = [Contact(Basis.LINK, touch.source_id, touch.id, touch.placement, touch.at) for touch in touches]
    for one in pieces:
        found = one.attribution
        if found and (one.basis is Basis.COUPON or (one.basis is Basis.REPORTED and not made)):
            made.append(Contact(one.basis, found.source_id, "", found.placement, command.ordered_at))
    return tuple(made)


def _looked_at(command: RecordOrder) -> Sequence[int]:
    """Places of the click ids that are looked at: all, or of many the newest, since ids begin with their time."""
    places = range(len(command.click_ids))
    if len(places) <= MAX_TOUCHES:
        return places
    return sorted(sorted(places, key=lambda at: _click_id(command.click_ids[at]))[-MAX_TOUCHES:])


def _decisive(command: RecordOrder, pieces: Sequence[Piece], clicks: Sequence[Click]) -> Piece | None:
    """The coupon, else the last click, else what the store reports."""
    usable = [one for one in pieces if one.attribution is not None]
    by_click = [one for one in usable if one.basis is Basis.LINK]
    if by_click and usable[0].basis is Basis.LINK:
        touch = last_click([click.touch() for click in clicks], command.ordered_at, command.window_s)
        return next(one for one in by_click if one.attribution and touch and one.attribution.touch_id == touch.id)
    return usable[0] if usable else None


def _coupon(command: RecordOrder, rows: Rows) -> Iterator[Piece]:
    if command.coupon_code is None:
        return
    coupon, why = _coupon_of(command, rows)
    found = _attribution(command, Basis.COUPON, coupon.coupon_id, "", coupon.placement) if coupon else None
    yield Piece(Basis.COUPON, 0, found, why)


def _coupon_of(command: RecordOrder, rows: Rows) -> tuple[CouponCode | None, Why | None]:
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
    return click, None if inside else Why.OUT_OF_TIME


def _click_id(value: str) -> str:
    """The id as it was given to the store; "" for a text that no id can be."""
    try:
        return checked_id(value.strip().lower())
    except Invalid:
        return ""


def _clicked(command: RecordOrder, at: int, click: Click | None, why: Why | None) -> Piece:
    if click is None or why is not None:
        return Piece(Basis.LINK, at, None, why)
    touch = click.touch()
    return Piece(Basis.LINK, at, _attribution(command, Basis.LINK, touch.source_id, touch.id, touch.placement))


def _reported(command: RecordOrder) -> Iterator[Piece]:
    if command.placement is not None:
        yield Piece(Basis.REPORTED, 0, _attribution(command, Basis.REPORTED, "", "", command.placement))
    elif command.not_placed is not None:
        yield Piece(Basis.REPORTED, 0, None, command.not_placed)


def _attribution(command: RecordOrder, basis: Basis, source_id: str, touch_id: str, place: Placement) -> Attribution:
    return Attribution(basis, source_id, touch_id, place, Model.LAST_CLICK, command.window_s)
