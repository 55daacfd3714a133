"""Which touch brought an order: pure models over the touches before it, inside a window.

A touch is a click on a tracking link. Models are compared side by side later; the one that counts for money is
`last_click@1`. Ties in time are broken by the touch's id, so the answer does not depend on the order of the input.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from kernel.core.decider import Context
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.core.money import split_by_weights

DEFAULT_WINDOW_S = 30 * 24 * 3600
MAX_WINDOW_S = 90 * 24 * 3600
MAX_TOUCHES = 50


class Model(StrEnum):
    """How the amount is shared among touches; the version is part of the name because it is part of the number."""

    LAST_CLICK = "last_click@1"
    FIRST_CLICK = "first_click@1"
    LINEAR = "linear@1"


class Basis(StrEnum):
    """What ties an order to a placement."""

    LINK = "link"
    COUPON = "coupon"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Placement:
    """What a link, coupon or order stands for; ids are UUID text."""

    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str

    def checked(self) -> "Placement":
        """Itself; raises Invalid `id.malformed` unless all four are canonical UUIDs."""
        for value in (self.campaign_id, self.collaboration_id, self.deliverable_id, self.creator_id):
            checked_id(value)
        return self


def owns(context: Context, brand_id: str) -> bool:
    """Whether the actor may act for the brand that owns the stream: the brand itself, or the system for it."""
    acts = context.actor.tenant == brand_id and bool(context.actor.roles & {"brand", "agency"})
    return context.tenant == brand_id and (acts or "system" in context.actor.roles)


@dataclass(frozen=True, slots=True)
class Touch:
    """One contact with a placement: the click's id, the link it came over, and when it happened (UTC)."""

    id: str
    source_id: str
    placement: Placement
    at: datetime


@dataclass(frozen=True, slots=True)
class Credit:
    """The part of an order's amount a touch is credited with."""

    touch: Touch
    amount_minor: int


def checked_window(window_s: int) -> int:
    """`window_s` itself, 1..90 days; raises Invalid `attribution.window_out_of_range`."""
    if not 1 <= window_s <= MAX_WINDOW_S:
        raise Invalid("attribution.window_out_of_range", window_s=window_s, maximum_s=MAX_WINDOW_S)
    return window_s


def eligible(touches: Iterable[Touch], ordered_at: datetime, window_s: int) -> list[Touch]:
    """Distinct touches with `ordered_at - window_s <= at <= ordered_at`, oldest first."""
    longest = timedelta(seconds=window_s)
    inside = {touch.id: touch for touch in touches if timedelta(0) <= ordered_at - touch.at <= longest}
    return sorted(inside.values(), key=lambda touch: (touch.at, touch.id))


def chosen(model: Model, touches: Iterable[Touch], ordered_at: datetime, window_s: int) -> list[Touch]:
    """The touches that get credit under the model; empty when none is inside the window."""
    inside = eligible(touches, ordered_at, window_s)
    match model:
        case Model.LAST_CLICK:
            return inside[-1:]
        case Model.FIRST_CLICK:
            return inside[:1]
        case Model.LINEAR:
            return inside
        case _:
            assert_never(model)


def last_click(touches: Iterable[Touch], ordered_at: datetime, window_s: int) -> Touch | None:
    """The newest touch inside the window, or None."""
    found = chosen(Model.LAST_CLICK, touches, ordered_at, window_s)
    return found[0] if found else None


def credits(
    model: Model, touches: Iterable[Touch], ordered_at: datetime, window_s: int, amount_minor: int
) -> list[Credit]:
    """The order's amount shared among touches, oldest first; parts sum to the amount exactly (or there are none)."""
    found = chosen(model, touches, ordered_at, window_s)
    if not found:
        return []
    parts = split_by_weights(amount_minor, [(touch.id, 1) for touch in found])
    return [Credit(touch, parts[touch.id]) for touch in found]
