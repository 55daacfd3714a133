"""How a creator is paid, and the most that one deliverable can cost: the amount its budget must be able to bear."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, share_down
from services.campaigns.domain.shared.checks import valid


class CompensationKind(StrEnum):
    """What the price depends on."""

    GIFT = "gift"
    FIXED = "fixed"
    PERFORMANCE = "performance"
    COMMISSION = "commission"
    HYBRID = "hybrid"


class Metric(StrEnum):
    """What a performance price counts: exposures (per 1,000), engagements or clicks (per one)."""

    CPM = "cpm"
    CPE = "cpe"
    CPC = "cpc"


@dataclass(frozen=True, slots=True)
class Compensation:
    """The rule of a campaign. The fee agreed per deliverable is the fixed price, or the floor of a variable one.

    `rate_minor` is the price per 1,000 exposures (cpm), per engagement (cpe) or per click (cpc); `commission_bps` the
    share of sales; `floor_minor` the least and `cap_minor` the most one deliverable earns, all parts together and
    without the brand's fee.
    """

    kind: CompensationKind
    metric: Metric | None = None
    rate_minor: int = 0
    floor_minor: int = 0
    cap_minor: int = 0
    commission_bps: int = 0


def check_compensation(rule: Compensation) -> None:
    """Raises Invalid unless exactly the fields of its kind are set."""
    performs, sells = rule.metric is not None, rule.commission_bps > 0
    for amount in (rule.rate_minor, rule.floor_minor, rule.cap_minor):
        valid(0 <= amount <= LIMIT_MINOR, "compensation.amount_out_of_range", limit_minor=LIMIT_MINOR)
    valid(0 <= rule.commission_bps <= BASIS_POINTS, "compensation.commission_out_of_range", limit_bps=BASIS_POINTS)
    valid(performs == (rule.rate_minor > 0), "compensation.rate_needs_metric")
    valid((performs or sells) == (rule.cap_minor > 0), "compensation.variable_needs_cap")
    valid(rule.floor_minor <= rule.cap_minor, "compensation.floor_over_cap", cap_minor=rule.cap_minor)
    expected = {
        CompensationKind.GIFT: not performs and not sells,
        CompensationKind.FIXED: not performs and not sells,
        CompensationKind.PERFORMANCE: performs and not sells,
        CompensationKind.COMMISSION: sells and not performs,
        CompensationKind.HYBRID: performs or sells,
    }
    valid(expected[rule.kind], "compensation.fields_do_not_fit_kind", compensation_kind=rule.kind.value)


PAID = frozenset({CompensationKind.GIFT, CompensationKind.FIXED})
"""Kinds whose pay is agreed beforehand. Pay by performance or by sales is reckoned by nobody yet."""


def check_payable(rule: Compensation) -> None:
    """Raises Invalid `compensation.not_reckoned` for a kind with a variable part: it would be promised and never paid."""
    valid(
        rule.kind in PAID,
        "compensation.not_reckoned",
        compensation_kind=rule.kind.value,
        do="agree a fixed fee for each deliverable, or a gift: pay by performance or by sales is not reckoned yet",
    )


def check_fees(rule: Compensation, fees_minor: Sequence[int], deliverables: int) -> None:
    """Raises Invalid unless there is one fee per deliverable that the compensation allows."""
    valid(len(fees_minor) == deliverables, "offer.fee_per_deliverable", expected=deliverables, got=len(fees_minor))
    for fee_minor in fees_minor:
        _check_fee(rule, fee_minor)


def _check_fee(rule: Compensation, fee_minor: int) -> None:
    valid(0 <= fee_minor <= LIMIT_MINOR, "offer.fee_out_of_range", limit_minor=LIMIT_MINOR)
    match rule.kind:
        case CompensationKind.GIFT | CompensationKind.COMMISSION:
            valid(fee_minor == 0, "offer.fee_not_zero", compensation_kind=rule.kind.value)
        case CompensationKind.FIXED:
            valid(fee_minor > 0, "offer.fee_not_positive", compensation_kind=rule.kind.value)
        case CompensationKind.PERFORMANCE:
            fits = rule.floor_minor <= fee_minor <= rule.cap_minor
            valid(fits, "offer.fee_outside_floor_and_cap", floor_minor=rule.floor_minor, cap_minor=rule.cap_minor)
        case CompensationKind.HYBRID:
            fits = max(1, rule.floor_minor) <= fee_minor <= rule.cap_minor
            valid(fits, "offer.fee_outside_floor_and_cap", floor_minor=rule.floor_minor, cap_minor=rule.cap_minor)
        case _:
            assert_never(rule.kind)


def most_minor(rule: Compensation, fee_minor: int) -> int:
    """The most one deliverable can earn: its fee, or the cap where a part is variable."""
    return max(fee_minor, rule.cap_minor)


def with_brand_fee(amount_minor: int, brand_fee_bps: int) -> int:
    """The gross a brand pays: the amount and the platform's fee on top, rounded down."""
    return amount_minor + share_down(amount_minor, brand_fee_bps)
