"""Coupons: a code a creator gives away, unique among the codes of one brand, in capital letters."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import split_stream
from kernel.core.money import BASIS_POINTS
from services.metrics.domain.attribution import Placement, owns

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
COUPONS_PER_BRAND = 10_000


@dataclass(frozen=True, slots=True)
class IssueCoupon:
    """`code` 3..32 of A-Z 0-9 _ -; takes off `discount_bps` (0: nothing), for orders before `expires_at` (UTC)."""

    brand_id: str
    placement: Placement
    code: str
    discount_bps: int
    expires_at: datetime
    limit: int = COUPONS_PER_BRAND
    """Coupons that the brand may have; the edge says it, from a setting."""


@dataclass(frozen=True, slots=True)
class CouponIssued:
    coupon_id: str
    brand_id: str
    placement: Placement
    code: str
    discount_bps: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CouponState:
    issued: CouponIssued | None = None


@dataclass(frozen=True, slots=True)
class CouponCode:
    """Inline row: what a brand's coupon code stands for."""

    brand_id: str
    code: str
    coupon_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    discount_bps: int
    issued_at: datetime
    expires_at: datetime

    @property
    def placement(self) -> Placement:
        return Placement(self.campaign_id, self.collaboration_id, self.deliverable_id, self.creator_id)

    def counts_at(self, moment: datetime) -> bool:
        """Whether an order of this moment is the coupon's: not before it was issued, and before it expires."""
        return self.issued_at <= moment < self.expires_at


def _fold_code(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, CouponCode | None]]:
    made: CouponIssued = fact.event
    at = made.placement
    row = CouponCode(
        made.brand_id, made.code, made.coupon_id, at.campaign_id, at.collaboration_id, at.deliverable_id, at.creator_id,
        made.discount_bps, fact.at, made.expires_at,
    )  # fmt: skip
    yield (made.brand_id, made.code), row


COUPON_CODES: InlineTable[CouponCode] = InlineTable(
    "coupon_codes", CouponCode, ("brand_id", "code"), (CouponIssued,), _fold_code
)


@dataclass(frozen=True, slots=True)
class CouponCount:
    """Inline row: how many coupons a brand has."""

    brand_id: str
    issued: int


def _fold_count(fact: DecidedEvent[CouponIssued], rows: Rows) -> Iterable[tuple[Key, CouponCount]]:
    brand_id = fact.event.brand_id
    row = rows.get(COUPON_COUNTS, (brand_id,))
    yield (brand_id,), CouponCount(brand_id, (row.issued if row else 0) + 1)


COUPON_COUNTS: InlineTable[CouponCount] = InlineTable(
    "coupon_counts", CouponCount, ("brand_id",), (CouponIssued,), _fold_count
)


def _check_limit(command: IssueCoupon, context: Context) -> None:
    row = context.rows.get(COUPON_COUNTS, (command.brand_id,))
    if row is not None and row.issued >= command.limit:
        do = "ask the platform's operator for a higher limit (coupons_per_tenant); coupons that stand are kept for their orders"
        raise Refused("coupon.limit_reached", limit=command.limit, do=do)


def normalised_code(code: str) -> str:
    """The code as it is compared: in NFKC (full-width letters are typed too), trimmed and in capitals."""
    return unicodedata.normalize("NFKC", code).strip().upper()


def decide(command: IssueCoupon, state: CouponState, context: Context) -> Sequence[CouponIssued]:
    """Raises Forbidden for another brand, Invalid on bad values, Refused when the code is taken."""
    if not owns(context, command.brand_id):
        raise Forbidden("coupon.not_a_party")
    made = _issued(command, context)
    if state.issued is not None:
        return _repeated(made, state.issued)
    if command.expires_at <= context.at:
        raise Refused("coupon.expired_already")
    if context.rows.get(COUPON_CODES, (command.brand_id, made.code)) is not None:
        raise Refused("coupon.code_taken", coupon_code=made.code)
    _check_limit(command, context)
    return [made]


def _issued(command: IssueCoupon, context: Context) -> CouponIssued:
    code = normalised_code(command.code)
    if not CODE.fullmatch(code):
        raise Invalid("coupon.code_malformed", rule="3 to 32 of A-Z 0-9 _ -")
    if not 0 <= command.discount_bps <= BASIS_POINTS:
        raise Invalid("coupon.discount_out_of_range", discount_bps=command.discount_bps, limit_bps=BASIS_POINTS)
    coupon_id = split_stream(context.stream)[1]
    placement = command.placement.checked()
    return CouponIssued(coupon_id, command.brand_id, placement, code, command.discount_bps, command.expires_at)


def _repeated(made: CouponIssued, stands: CouponIssued) -> list[CouponIssued]:
    if made != stands:
        raise Refused("coupon.already_issued", coupon_id=stands.coupon_id)
    return []


def evolve(state: CouponState, event: CouponIssued) -> CouponState:
    return CouponState(event)


def _reads(command: IssueCoupon, state: CouponState) -> list[tuple[InlineTable[Any], Key]]:
    return [
        (COUPON_CODES, (command.brand_id, normalised_code(command.code))),
        (COUPON_COUNTS, (command.brand_id,)),
    ]


COUPON: Decider[IssueCoupon, CouponState, CouponIssued] = Decider(
    "coupon", CouponState(), decide, evolve, owner=lambda command: command.brand_id, reads=_reads
)
