"""Usual terms, as data: what differs from them is shown to the creator as such before it accepts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.campaigns.domain.shared.brief import Brief
from services.campaigns.domain.shared.floors import Span
from services.campaigns.domain.shared.terms import DAY_S, HOUR_S, LadderStage, Terms, ladder_share

WHOLE_BPS = 10_000


@dataclass(frozen=True, slots=True)
class UnusualTerm:
    """A term outside of what is usual. `term` names the field; its unit is the end of the name (_s, _bps, _days, or a count)."""

    term: str
    value: int
    usual_least: int
    usual_most: int


CLOCKS: Mapping[str, Span] = MappingProxyType(
    {
        "invitation_expiry_s": Span(3 * DAY_S, 30 * DAY_S),
        "funding_s": Span(DAY_S, 7 * DAY_S),
        "product_s": Span(7 * DAY_S, 30 * DAY_S),
        "draft_s": Span(7 * DAY_S, 60 * DAY_S),
        "compliance_s": Span(DAY_S, 14 * DAY_S),
        "brand_review_s": Span(2 * DAY_S, 10 * DAY_S),
        "review_reminder_s": Span(12 * HOUR_S, 5 * DAY_S),
        "revision_s": Span(3 * DAY_S, 30 * DAY_S),
        "ruling_s": Span(2 * DAY_S, 14 * DAY_S),
        "publish_s": Span(7 * DAY_S, 90 * DAY_S),
        "publish_grace_s": Span(DAY_S, 14 * DAY_S),
        "verify_s": Span(3 * DAY_S, 14 * DAY_S),
        "settlement_delay_s": Span(1, 14 * DAY_S),
        "payment_retry_s": Span(HOUR_S, 3 * DAY_S),
        "live_check_after_s": Span(HOUR_S, DAY_S),
        "protection_s": Span(DAY_S, 90 * DAY_S),
        "dispute_s": Span(7 * DAY_S, 30 * DAY_S),
        "cure_s": Span(48 * HOUR_S, 14 * DAY_S),
    }
)
LADDER: Mapping[LadderStage, Span] = MappingProxyType(
    {
        LadderStage.BEFORE_OUTLINE: Span(0, WHOLE_BPS),
        LadderStage.AFTER_OUTLINE: Span(1_000, WHOLE_BPS),
        LadderStage.AFTER_DRAFT: Span(5_000, WHOLE_BPS),
        LadderStage.AFTER_FEEDBACK: Span(WHOLE_BPS, WHOLE_BPS),
    }
)
REVISIONS, CLAW_BACK, EXCLUSIVITY, USAGE = Span(1, 3), Span(0, 0), Span(0, 90), Span(0, 365)


def unusual_terms(terms: Terms, brief: Brief) -> tuple[UnusualTerm, ...]:
    """Every term of an offer that is outside of the usual, in the order of the fields."""
    return tuple(
        UnusualTerm(term, value, usual.least, usual.most)
        for term, value, usual in _compared(terms, brief)
        if not usual.least <= value <= usual.most
    )


def _compared(terms: Terms, brief: Brief) -> Iterator[tuple[str, int, Span]]:
    for clock, span in CLOCKS.items():
        yield clock, int(getattr(terms.clocks, clock)), span
    for stage, usual in LADDER.items():
        yield f"{stage.value}_bps", ladder_share(terms.ladder, stage), usual
    yield "max_revisions", terms.max_revisions, REVISIONS
    yield "claw_back_bps", terms.claw_back_bps, CLAW_BACK
    yield "exclusivity_days", brief.exclusivity_days, EXCLUSIVITY
    yield "usage_days", brief.usage_days, USAGE
