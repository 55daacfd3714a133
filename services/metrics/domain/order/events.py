"""Events of an order's stream. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.metrics.domain.attribution import Basis, Model, Placement


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
class Contact:
    """One contact of the buyer with a placement of the brand before the order: a click, or the coupon that came with the order
    (its time is the order's). `touch_id` is the click's id, "" without one."""

    basis: Basis
    source_id: str
    touch_id: str
    placement: Placement
    at: datetime


class Why(StrEnum):
    """Why a piece of evidence was not usable."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    """The brand has no such coupon, click or deliverable; another brand's is as unknown as one that nobody has."""
    OUT_OF_TIME = "out_of_time"
    """The coupon was not issued yet or had expired; the click is later than the order or before the window."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Evidence that came with an order and names nobody: the coupon or the reported deliverable (`at` 0), or the click id at
    a place, from 0.

    The value itself is left out: a damaged text can be anything, also personal.
    """

    basis: Basis
    at: int
    why: Why


@dataclass(frozen=True, slots=True)
class Usable:
    """Evidence that names a placement of the brand: `used` decided whose the order is, the rest came after it."""

    basis: Basis
    at: int
    used: bool


@dataclass(frozen=True, slots=True)
class OrderRecorded:
    """Events of 0.1.0 name no `usable` evidence; `passed_over` counts click ids beyond those that were looked at.

    `contacts` are all that count in some model of attribution, oldest first: every click of the last 90 days whatever the window,
    then the coupon; what the store reports only where there is neither. Events of before have the attribution alone.
    """

    order_id: str
    brand_id: str
    order_number: str
    amount_minor: int
    currency: str
    items: int
    ordered_at: datetime
    new_customer: bool
    attribution: Attribution | None
    unusable: tuple[Unusable, ...] = ()
    usable: tuple[Usable, ...] = ()
    passed_over: int = 0
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """`remaining_minor` is what the order is worth afterwards; 0 means fully reversed: `order_number` is free again.

    Events of 0.1.0 name no `order_number`.
    """

    order_id: str
    refund_id: str
    brand_id: str
    amount_minor: int
    currency: str
    remaining_minor: int
    new_customer: bool
    attribution: Attribution | None
    order_number: str = ""

    @property
    def complete(self) -> bool:
        return self.remaining_minor == 0


@dataclass(frozen=True, slots=True)
class OrderAmended:
    """The order is worth `amount_minor` before refunds from now on, `change_minor` more (or less) than before."""

    order_id: str
    amendment_id: str
    brand_id: str
    amount_minor: int
    change_minor: int
    currency: str
    items: int
    attribution: Attribution | None


class ChangeKind(StrEnum):
    REFUND = "refund"
    AMENDMENT = "amendment"


@dataclass(frozen=True, slots=True)
class OrderChangeKept:
    """A refund or an amendment came before its order: it is kept as it was asked, and applied when the order is recorded."""

    order_id: str
    brand_id: str
    change_id: str
    kind: ChangeKind
    amount_minor: int | None
    items: int | None = None


Event = OrderRecorded | OrderRefunded | OrderAmended | OrderChangeKept
