"""The terms of a campaign: every clock and every share is data, with the platform's defaults."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Annotated, assert_never

from annotated_types import Interval

from kernel.core.bounds import Asked
from kernel.core.money import BASIS_POINTS, share_down
from services.campaigns.domain.shared.checks import check_number, valid

HOUR_S = 3_600
DAY_S = 86_400
LONGEST_S = 730 * DAY_S
"""No clock of a campaign runs longer than two years."""
FIRST_POLICY = "fees@2025-01-01"
"""The fee policy before finance has set any."""
Lasting = Annotated[int, Asked(Interval(ge=1, le=LONGEST_S))]


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long each state may last, in seconds; when it is over, the state is left by itself."""

    invitation_expiry_s: Lasting = 7 * DAY_S
    funding_s: Lasting = 48 * HOUR_S
    product_s: Lasting = 14 * DAY_S
    draft_s: Lasting = 14 * DAY_S
    compliance_s: Lasting = 7 * DAY_S
    brand_review_s: Lasting = 5 * DAY_S
    review_reminder_s: Lasting = 2 * DAY_S
    revision_s: Lasting = 7 * DAY_S
    ruling_s: Lasting = 7 * DAY_S
    publish_s: Lasting = 30 * DAY_S
    publish_grace_s: Lasting = 48 * HOUR_S
    verify_s: Lasting = 7 * DAY_S
    settlement_delay_s: Lasting = 3 * DAY_S
    payment_retry_s: Lasting = DAY_S
    live_check_after_s: Lasting = HOUR_S
    protection_s: Lasting = 30 * DAY_S
    dispute_s: Lasting = 14 * DAY_S
    cure_s: Annotated[int, Asked(Interval(ge=48 * HOUR_S, le=LONGEST_S))] = 48 * HOUR_S


class LadderStage(StrEnum):
    """How far the work on a deliverable has come when the brand cancels it."""

    BEFORE_OUTLINE = "before_outline"
    AFTER_OUTLINE = "after_outline"
    AFTER_DRAFT = "after_draft"
    AFTER_FEEDBACK = "after_feedback"


@dataclass(frozen=True, slots=True)
class Ladder:
    """The share of the fee, in basis points, that the creator is paid when the brand cancels at a stage."""

    before_outline_bps: int = 0
    after_outline_bps: int = 1_000
    after_draft_bps: int = 5_000
    after_feedback_bps: int = 10_000


@dataclass(frozen=True, slots=True)
class Terms:
    """Fees and rules both sides see before they accept.

    `brand_fee_bps` is paid by the brand on top of the fee, `creator_fee_bps` is left by the creator to the platform:
    both are what the policy of the platform named `fee_policy` says.
    `claw_back_bps` of what a deliverable brought its creator goes back to the brand when the post breaks the agreement within its
    protection days and is not restored in time; 0: a dispute decides.
    """

    brand_fee_bps: Annotated[int, Asked(Interval(ge=0, le=5_000))] = 1_000
    creator_fee_bps: Annotated[int, Asked(Interval(ge=0, le=1_000))] = 0
    max_revisions: Annotated[int, Asked(Interval(ge=0, le=10))] = 2
    clocks: Clocks = field(default_factory=Clocks)
    ladder: Ladder = field(default_factory=Ladder)
    fee_policy: str = FIRST_POLICY
    claw_back_bps: Annotated[int, Asked(Interval(ge=0, le=BASIS_POINTS))] = 0


def check_terms(terms: Terms) -> None:
    """Raises Invalid `terms.*` for clocks and shares outside their bounds; a ladder never falls."""
    for clock in fields(terms.clocks):
        check_number(terms.clocks, clock.name, "terms.clock_out_of_range", "limit_s", clock=clock.name)
    check_number(terms, "brand_fee_bps", "terms.brand_fee_out_of_range", "limit_bps")
    check_number(terms, "creator_fee_bps", "terms.creator_fee_out_of_range", "limit_bps")
    check_number(terms, "max_revisions", "terms.max_revisions_out_of_range")
    check_number(terms, "claw_back_bps", "terms.claw_back_out_of_range", "limit_bps")
    shares = [0, *(ladder_share(terms.ladder, stage) for stage in LadderStage), BASIS_POINTS]
    valid(shares == sorted(shares), "terms.ladder_falls")


def ladder_share(ladder: Ladder, stage: LadderStage) -> int:
    """Basis points of the fee owed at a stage; also the preview before the click."""
    match stage:
        case LadderStage.BEFORE_OUTLINE:
            return ladder.before_outline_bps
        case LadderStage.AFTER_OUTLINE:
            return ladder.after_outline_bps
        case LadderStage.AFTER_DRAFT:
            return ladder.after_draft_bps
        case LadderStage.AFTER_FEEDBACK:
            return ladder.after_feedback_bps
        case _:
            assert_never(stage)


def kill_fee_minor(amount_minor: int, share_bps: int) -> int:
    """The part of a fee that a cancellation still costs, rounded down in the brand's favour."""
    return share_down(amount_minor, share_bps)
