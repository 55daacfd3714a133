"""Which touch brought an order, among the touches before it, inside a window.

A touch is a click on a tracking link. The model that counts for money is `last_click@1`; attribution/models.py compares all of
them. Ties in time are broken by the touch's id, so the answer does not depend on the order of the input.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.core.decider import Context
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id

DEFAULT_WINDOW_S = 30 * 24 * 3600
MAX_WINDOW_S = 90 * 24 * 3600
MAX_TOUCHES = 50


class Model(StrEnum):
    """How the amount is shared among touches; the version is part of the name because it is part of the number."""

    LAST_CLICK = "last_click@1"
    FIRST_CLICK = "first_click@1"
    LINEAR = "linear@1"
    TIME_DECAY = "time_decay@1"
    POSITION = "position@1"
    SHAPLEY = "shapley@1"
    MARKOV = "markov@1"


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


def last_click(touches: Iterable[Touch], ordered_at: datetime, window_s: int) -> Touch | None:
    """The newest touch inside the window, or None."""
    inside = eligible(touches, ordered_at, window_s)
    return inside[-1] if inside else None
