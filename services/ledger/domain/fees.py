"""Platform fees and the order in which an escrow is shared out. Percentages are basis points on integers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS, share_down, split_by_weights

MAX_BRAND_FEE_BPS, MAX_CREATOR_FEE_BPS = 5_000, 1_000


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """In force from `since` until the next policy. `brand_fee_bps` is added to the creator's fee and paid by the brand,
    `creator_fee_bps` is left by the creator. Neither side chooses: the policy of the day decides, a contract seals it."""

    name: str
    since: datetime
    brand_fee_bps: int
    creator_fee_bps: int


FIRST = FeePolicy("fees@2025-01-01", datetime(2025, 1, 1, tzinfo=UTC), 1_000, 0)
"""The policy before finance has set any."""

VAT_BPS = {"CN": 600}
"""VAT inside the platform's fee, by the deal's jurisdiction. CN: modern services 6 %, Value-Added Tax Law of the PRC
(in force 2026-01-01, Article 10), before it Caishui [2016] 36. Elsewhere the platform is not established: 0, and the
business customer accounts for the tax (reverse charge)."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How one release is shared out, in minor units: both revenues, VAT, agency and creator sum to the gross exactly."""

    brand_revenue_minor: int
    creator_revenue_minor: int
    vat_minor: int
    agency_minor: int
    creator_minor: int


def policy_at(at: datetime, policies: Iterable[FeePolicy]) -> FeePolicy:
    """The policy in force; raises Invalid `fee.no_policy` before the first."""
    in_force = [policy for policy in policies if policy.since <= at]
    if not in_force:
        raise Invalid("fee.no_policy", at=at.isoformat())
    return max(in_force, key=lambda policy: policy.since)


def vat_inside(fee_minor: int, jurisdiction: str) -> int:
    """The VAT contained in a fee, rounded down; the fee is a price including tax."""
    bps = VAT_BPS.get(jurisdiction, 0)
    return fee_minor * bps // (BASIS_POINTS + bps)


def share_out(
    fee_minor: int, brand_fee_minor: int, *, creator_fee_bps: int, agency_bps: int, jurisdiction: str
) -> Shares:
    """Fees first, the VAT inside each, then the agency; the creator takes the remainder, so rounding makes and loses
    nothing. The agency's share counts on what is left of the creator's fee after the platform's."""
    creator_fee_minor = share_down(fee_minor, creator_fee_bps)
    brand_vat, creator_vat = vat_inside(brand_fee_minor, jurisdiction), vat_inside(creator_fee_minor, jurisdiction)
    agency_minor = share_down(fee_minor - creator_fee_minor, agency_bps)
    return Shares(
        brand_fee_minor - brand_vat,
        creator_fee_minor - creator_vat,
        brand_vat + creator_vat,
        agency_minor,
        remainder(fee_minor + brand_fee_minor, brand_fee_minor, creator_fee_minor, agency_minor),
    )


def remainder(total_minor: int, *taken_minor: int) -> int:
    """What is left for the last taker."""
    return total_minor - sum(taken_minor)


def split_creators(amount_minor: int, weights: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Shares of several creators by largest remainder, ties by creator id; they sum to the amount."""
    return split_by_weights(amount_minor, weights)
