"""Floors: the least and the most that terms may ask, as data by jurisdiction, so that nobody can be made to work for nothing.

A clock too short takes the pay of work that was done; a clock too long keeps the pay. Both are refused with the value that holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kernel.core.faults import Fact, Invalid
from services.campaigns.domain.shared.brief import Brief, Jurisdiction, expand
from services.campaigns.domain.shared.terms import DAY_S, HOUR_S, Clocks, LadderStage, Terms, ladder_share


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the most of a value, both included."""

    least: int
    most: int


CLOCKS: Mapping[str, Span] = MappingProxyType(
    {
        "invitation_expiry_s": Span(DAY_S, 90 * DAY_S),
        "funding_s": Span(HOUR_S, 30 * DAY_S),
        "product_s": Span(3 * DAY_S, 90 * DAY_S),
        "draft_s": Span(2 * DAY_S, 365 * DAY_S),
        "compliance_s": Span(HOUR_S, 30 * DAY_S),
        "brand_review_s": Span(DAY_S, 30 * DAY_S),
        "review_reminder_s": Span(HOUR_S, 14 * DAY_S),
        "revision_s": Span(2 * DAY_S, 90 * DAY_S),
        "ruling_s": Span(DAY_S, 30 * DAY_S),
        "publish_s": Span(2 * DAY_S, 365 * DAY_S),
        "publish_grace_s": Span(DAY_S, 30 * DAY_S),
        "verify_s": Span(2 * DAY_S, 30 * DAY_S),
        "settlement_delay_s": Span(1, 60 * DAY_S),
        "payment_retry_s": Span(HOUR_S, 7 * DAY_S),
        "live_check_after_s": Span(600, 3 * DAY_S),
        "protection_s": Span(DAY_S, 365 * DAY_S),
        "dispute_s": Span(3 * DAY_S, 60 * DAY_S),
        "cure_s": Span(48 * HOUR_S, 30 * DAY_S),
    }
)
"""What holds in every jurisdiction, in seconds."""
LATEST_PAY: Mapping[Jurisdiction, int] = MappingProxyType({Jurisdiction.US: 30 * DAY_S})
"""`settlement_delay_s` at most, where the law is stricter than 60 days.

60 days: Directive 2011/7/EU Art. 3(5), the UK's Late Payment of Commercial Debts Regulations 2013, China's
保障中小企业款项支付条例 (2025). 30 days: New York's Freelance Isn't Free Act, N.Y. Gen. Bus. Law § 1412.
"""
LADDER_BPS: Mapping[LadderStage, int] = MappingProxyType(
    {
        LadderStage.BEFORE_OUTLINE: 0,
        LadderStage.AFTER_OUTLINE: 500,
        LadderStage.AFTER_DRAFT: 3_000,
        LadderStage.AFTER_FEEDBACK: 8_000,
    }
)
"""The least share of the fee, in basis points, that work of a stage brings when the brand cancels it."""
REVISIONS = Span(1, 5)


LONGEST_ESCROW_S = 1_200 * DAY_S
"""The ledger holds an escrow no longer."""
SILENCE_S = 450 * DAY_S
"""A post that nobody looks at is owed after about 400 days; the settlement and its tries come on top."""


def escrow_life_s(terms: Terms, after_s: int = 0) -> int:
    """How long an escrow has to last: every clock of the work once more than it can run, and the platform's own silence."""
    clocks = terms.clocks
    review_s = clocks.compliance_s + clocks.brand_review_s + clocks.review_reminder_s + clocks.revision_s
    work_s = clocks.funding_s + 2 * clocks.product_s + 2 * clocks.draft_s + (terms.max_revisions + 2) * review_s
    post_s = clocks.ruling_s + clocks.publish_s + clocks.publish_grace_s + clocks.verify_s + clocks.settlement_delay_s
    return min(after_s + work_s + post_s + SILENCE_S, LONGEST_ESCROW_S)


def clock_span(clock: str, jurisdiction: Jurisdiction) -> Span:
    """What a clock may be under a jurisdiction, in seconds."""
    span = CLOCKS[clock]
    if clock == "settlement_delay_s":
        return Span(span.least, LATEST_PAY.get(jurisdiction, span.most))
    return span


def check_floors(terms: Terms, brief: Brief, short_clocks: bool = False) -> None:
    """Raises Invalid `terms.*` with the value that holds. `short_clocks`: a development platform tells its story in seconds."""
    _check_clocks(terms.clocks, brief.jurisdiction, short_clocks)
    _check_relations(terms.clocks, 0 if short_clocks else DAY_S)
    _check_escrow(terms, brief)
    for stage, floor_bps in LADDER_BPS.items():
        share_bps, do = ladder_share(terms.ladder, stage), f"offer at least {floor_bps} basis points at this stage"
        if share_bps < floor_bps:
            raise Invalid(
                "terms.ladder_below_floor", stage=stage.value, share_bps=share_bps, floor_bps=floor_bps, do=do
            )
    if not REVISIONS.least <= terms.max_revisions <= REVISIONS.most:
        raise Invalid(
            "terms.revisions_outside_floors",
            max_revisions=terms.max_revisions,
            floor=REVISIONS.least,
            ceiling=REVISIONS.most,
            do=f"allow {REVISIONS.least} to {REVISIONS.most} revisions",
        )


def _check_clocks(clocks: Clocks, jurisdiction: Jurisdiction, short_clocks: bool) -> None:
    for clock in CLOCKS:
        span, value_s = clock_span(clock, jurisdiction), int(getattr(clocks, clock))
        facts: dict[str, Fact] = {"clock": clock, "jurisdiction": jurisdiction.value, "value_s": value_s}
        if value_s < span.least and not short_clocks:
            raise Invalid(
                "terms.clock_below_floor", **facts, floor_s=span.least, do=f"give {clock} at least {span.least} seconds"
            )
        if value_s > span.most:
            raise Invalid(
                "terms.clock_above_ceiling",
                **facts,
                ceiling_s=span.most,
                do=f"give {clock} at most {span.most} seconds",
            )


def _check_relations(clocks: Clocks, spare_s: int) -> None:
    for clock, floor_s, why in _relations(clocks, spare_s):
        value_s = int(getattr(clocks, clock))
        if value_s < floor_s:
            do = f"give {clock} at least {floor_s} seconds: {why}"
            raise Invalid("terms.clocks_do_not_fit", clock=clock, value_s=value_s, floor_s=floor_s, do=do)


def _check_escrow(terms: Terms, brief: Brief) -> None:
    """The money of the last deliverable stays as long as the work on it may take."""
    last_s = max(after_s for _, after_s in expand(brief))
    if escrow_life_s(terms, last_s) >= LONGEST_ESCROW_S:
        longest_days = LONGEST_ESCROW_S // DAY_S
        raise Invalid(
            "terms.longer_than_the_escrow",
            longest_days=longest_days,
            do=f"shorten clocks or recurrence: money is held for {longest_days} days at most",
        )


def _relations(clocks: Clocks, spare_s: int) -> Iterator[tuple[str, int, str]]:
    """A clock, the least that the other clocks leave it, and why."""
    yield "verify_s", clocks.live_check_after_s + spare_s, "a post is looked at before its verification is overdue"
    yield "protection_s", clocks.live_check_after_s, "a post is looked at within its protection"
    yield "brand_review_s", clocks.review_reminder_s, "the reminder is shorter than the review it reminds of"
