"""Campaigns: every command in every state."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from services.campaigns.domain.campaign.campaign import (
    AmendBrief,
    CancelCampaign,
    CloseCampaign,
    DraftCampaign,
    ExpireCampaign,
    PauseCampaign,
    PublishBrief,
    ResumeCampaign,
)
from services.campaigns.domain.shared.brief import CampaignType
from services.campaigns.domain.shared.budget import Budget
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.events import (
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignDrafted,
    CampaignPaused,
    CampaignResumed,
)
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    BRAND,
    BRAND_ID,
    BRIEF,
    CAMPAIGN_ID,
    CREATOR,
    NOON,
    OPERATOR,
    SPEC,
    STRANGER,
    SYSTEM,
    brief,
)
from tests.kit.decide import check

UNTIL = datetime(2026, 5, 1, 16, tzinfo=UTC)
"""In Shanghai the day of the brief's `posting_until` is over."""
LATER = brief(posting_until=BRIEF.posting_until + timedelta(days=1))
SAID, SAID_LATER, TERMS = Hashed.of(BRIEF), Hashed.of(LATER), Hashed.of(Terms())
DRAFTED = CampaignDrafted(BRAND_ID, SAID, TERMS)
PUBLISHED = BriefPublished(BRAND_ID, 1, SAID, TERMS, UNTIL)
LIVE, PAUSED = [DRAFTED, PUBLISHED], [DRAFTED, PUBLISHED, CampaignPaused("stock")]
CLOSED = [*LIVE, CampaignClosed("full")]
CANCELLED = [DRAFTED, CampaignCancelled("changed_mind")]


def budget(committed_minor: int) -> dict[Any, Budget]:
    row = Budget(CAMPAIGN_ID, BRAND_ID, "published", "CNY", BRIEF.budget_minor, committed_minor)
    return {("budgets", (CAMPAIGN_ID,)): row}


def run(
    given: Sequence[Any],
    when: Any,
    then: Sequence[Any] | str,
    actor: Actor = BRAND,
    committed_minor: int = 0,
    at: Any = NOON,
) -> None:
    check(
        SERVICE, given, when, then, at=at, actor=actor, stream=f"campaign-{CAMPAIGN_ID}",
        rows=budget(committed_minor),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], DraftCampaign(BRIEF), [DRAFTED], id="drafts"),
        pytest.param([], DraftCampaign(brief(budget_minor=0)), "campaign.budget_not_positive", id="no_budget"),
        pytest.param([], DraftCampaign(BRIEF, Terms(brand_fee_bps=9_999)), "terms.brand_fee_out_of_range", id="terms"),
        pytest.param([DRAFTED], DraftCampaign(LATER), "campaign.already_drafted", id="no_second_draft"),
        pytest.param([DRAFTED], PublishBrief(), [PUBLISHED], id="publishes"),
        pytest.param([], PublishBrief(), "campaign.unknown", id="nothing_to_publish"),
        pytest.param(CLOSED, PublishBrief(), "campaign.not_a_draft", id="publishes_once"),
        pytest.param(
            [DRAFTED], AmendBrief(LATER), [BriefAmended(BRAND_ID, 2, SAID_LATER, TERMS, None)], id="amends_a_draft"
        ),
        pytest.param(
            LIVE,
            AmendBrief(LATER),
            [BriefAmended(BRAND_ID, 2, SAID_LATER, TERMS, UNTIL + timedelta(days=1))],
            id="amends",
        ),
        pytest.param(
            PAUSED,
            AmendBrief(LATER),
            [BriefAmended(BRAND_ID, 2, SAID_LATER, TERMS, UNTIL + timedelta(days=1))],
            id="amends_paused",
        ),
        pytest.param(LIVE, AmendBrief(BRIEF), [], id="amends_nothing"),
        pytest.param(LIVE, AmendBrief(BRIEF, version=7), [], id="amends_nothing_of_another_version"),
        pytest.param(
            [DRAFTED],
            AmendBrief(LATER, version=1),
            [BriefAmended(BRAND_ID, 2, SAID_LATER, TERMS, None)],
            id="amends_what_was_read",
        ),
        pytest.param([DRAFTED], AmendBrief(LATER, version=2), "campaign.brief_changed", id="amends_no_other_version"),
        pytest.param(LIVE, AmendBrief(brief(title="")), "campaign.title_malformed", id="bad_amendment"),
        pytest.param(CLOSED, AmendBrief(LATER), "campaign.not_amendable", id="closed_is_closed"),
        pytest.param(LIVE, AmendBrief(brief(currency="EUR")), "campaign.type_and_currency_are_fixed", id="currency"),
        pytest.param(LIVE, PauseCampaign("stock"), [CampaignPaused("stock")], id="pauses"),
        pytest.param(LIVE, PauseCampaign("Call Ann!"), "reason.malformed", id="no_free_text"),
        pytest.param([DRAFTED], PauseCampaign("stock"), "campaign.not_published", id="pauses_no_draft"),
        pytest.param(PAUSED, ResumeCampaign(), [CampaignResumed()], id="resumes"),
        pytest.param(CLOSED, ResumeCampaign(), "campaign.not_paused", id="resumes_nothing_closed"),
        pytest.param(LIVE, CloseCampaign("full"), [CampaignClosed("full")], id="closes"),
        pytest.param(PAUSED, CloseCampaign("full"), [CampaignClosed("full")], id="closes_paused"),
        pytest.param([DRAFTED], CloseCampaign("full"), "campaign.not_published", id="closes_no_draft"),
        pytest.param(LIVE, CancelCampaign("changed_mind"), [CampaignCancelled("changed_mind")], id="cancels"),
        pytest.param([DRAFTED], CancelCampaign("changed_mind"), CANCELLED[1:], id="cancels_a_draft"),
        pytest.param(CLOSED, CancelCampaign("changed_mind"), "campaign.not_published", id="cancels_nothing_closed"),
    ],
)
def test_campaign(given: Sequence[Any], when: Any, then: Sequence[Any] | str) -> None:
    run(given, when, then)


def test_amending_the_kind_of_campaign_is_another_campaign() -> None:
    ambassador = brief(campaign_type=CampaignType.AMBASSADOR, deliverables=(_monthly(),))
    run(LIVE, AmendBrief(ambassador), "campaign.type_and_currency_are_fixed")


def _monthly() -> Any:
    return type(SPEC)(SPEC.platform, SPEC.format, False, 2, 60)


@pytest.mark.parametrize("when", [AmendBrief(brief(budget_minor=99)), CancelCampaign("changed_mind")])
def test_promises_made_stay(when: Any) -> None:
    code = "campaign.budget_below_commitments" if isinstance(when, AmendBrief) else "campaign.has_commitments"
    run(LIVE, when, code, committed_minor=100)


@pytest.mark.parametrize("when", [PublishBrief(), AmendBrief(LATER), CancelCampaign("x")])
def test_to_strangers_a_campaign_is_not_there(when: Any) -> None:
    for given in ([DRAFTED], []):
        run(given, when, "campaign.unknown", STRANGER)


def test_a_stranger_drafts_under_another_id() -> None:
    run([DRAFTED], DraftCampaign(BRIEF), "campaign.already_drafted", STRANGER)


def test_creators_draft_nothing() -> None:
    run([], DraftCampaign(BRIEF), "actor.role_missing", CREATOR)


def test_operators_may_pause() -> None:
    run(LIVE, PauseCampaign("abuse"), [CampaignPaused("abuse")], OPERATOR)


def test_a_window_that_is_over_opens_no_campaign() -> None:
    run([DRAFTED], PublishBrief(), "campaign.posting_window_over", at=UNTIL)


@pytest.mark.parametrize(
    ("given", "due_at", "then"),
    [
        pytest.param(LIVE, UNTIL, [CampaignClosed("posting_window_over")], id="closes"),
        pytest.param(PAUSED, UNTIL, [CampaignClosed("posting_window_over")], id="closes_paused"),
        pytest.param(CLOSED, UNTIL, [], id="is_closed"),
        pytest.param(LIVE, NOON, [], id="an_older_clock"),
    ],
)
def test_the_window_closes_the_campaign(given: Sequence[Any], due_at: Any, then: Sequence[Any]) -> None:
    run(given, ExpireCampaign(due_at), then, SYSTEM, at=UNTIL)


def test_a_campaign_closes_when_it_was_said_to_whatever_its_window_is_today() -> None:
    """Published by a version that took `posting_until` to the second."""
    until = BRIEF.posting_until
    before = [DRAFTED, BriefPublished(BRAND_ID, 1, SAID, TERMS, until)]
    run(before, ExpireCampaign(until), [CampaignClosed("posting_window_over")], SYSTEM, at=until)


SALES = brief(compensation=Compensation(CompensationKind.COMMISSION, commission_bps=1_500, cap_minor=50_000))


@pytest.mark.parametrize(
    ("given", "when"),
    [
        pytest.param([], DraftCampaign(SALES), id="drafted"),
        pytest.param([CampaignDrafted(BRAND_ID, Hashed.of(SALES), TERMS)], PublishBrief(), id="published"),
        pytest.param([DRAFTED], AmendBrief(SALES), id="amended_before"),
        pytest.param(LIVE, AmendBrief(SALES), id="amended"),
    ],
)
def test_no_brief_promises_pay_that_nobody_reckons(given: Sequence[Any], when: Any) -> None:
    run(given, when, "compensation.not_reckoned")


def test_only_the_clock_expires() -> None:
    run(LIVE, ExpireCampaign(UNTIL), "actor.role_missing", BRAND)
