"""Terms that make a creator work for nothing are refused with the value that holds, and what is published is looked at first."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from pydantic import ValidationError

from kernel.core.faults import Invalid
from services.campaigns.domain.campaign.campaign import AmendBrief, DraftCampaign, PublishBrief
from services.campaigns.domain.collaboration.commands import ScheduleContent
from services.campaigns.domain.shared.brief import Jurisdiction
from services.campaigns.domain.shared.content_events import ContentApproved, ContentScheduled, ContentVerified
from services.campaigns.domain.shared.floors import CLOCKS, LADDER_BPS, check_floors, clock_span, escrow_life_s
from services.campaigns.domain.shared.terms import DAY_S, Clocks, Ladder, Terms
from services.campaigns.domain.shared.usual import unusual_terms
from services.campaigns.domain.shared.work_events import DeliverableLapsed, DeliverableSettled
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND, BRIEF, CAMPAIGN_ID, CREATOR, NOON, bookable, brief, contract, terms
from tests.kit.decide import World
from tests.unit.campaigns.test_endings import GIFT
from tests.unit.campaigns.working import (
    APPROVED,
    CLEARED,
    D1,
    FUND,
    PUBLISHED,
    STREAM,
    approve,
    contracted,
    day,
    decide,
    rung,
)

LONG = Clocks(**{name: span.most for name, span in CLOCKS.items()})
CLOCK_NAMES = [each.name for each in fields(Clocks)]


def refusal(rules: Terms, **changes: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        check_floors(rules, brief(**changes))
    return caught.value


def test_every_clock_has_a_span() -> None:
    assert list(CLOCKS) == CLOCK_NAMES
    check_floors(Terms(), BRIEF)


@pytest.mark.parametrize("clock", CLOCK_NAMES)
@pytest.mark.parametrize("jurisdiction", list(Jurisdiction))
def test_a_clock_keeps_its_floor_and_its_ceiling(clock: str, jurisdiction: Jurisdiction) -> None:
    span = clock_span(clock, jurisdiction)
    if span.least > 1:
        short = refusal(terms(**{clock: span.least - 1}), jurisdiction=jurisdiction)
        assert short.code == "terms.clock_below_floor"
        assert (short.facts["clock"], short.facts["floor_s"], short.facts["value_s"]) == (
            clock,
            span.least,
            span.least - 1,
        )
    long = refusal(terms(**{clock: span.most + 1}), jurisdiction=jurisdiction)
    assert (long.code, long.facts["clock"], long.facts["ceiling_s"]) == ("terms.clock_above_ceiling", clock, span.most)


def test_the_law_of_the_place_shortens_the_wait_for_the_pay() -> None:
    late = terms(settlement_delay_s=45 * DAY_S)
    check_floors(late, brief(jurisdiction=Jurisdiction.FR))
    assert refusal(late, jurisdiction=Jurisdiction.US).facts["ceiling_s"] == 30 * DAY_S


@pytest.mark.parametrize("ladder", [
    pytest.param(Ladder(0, 0, 0, 0), id="zeros"),
    pytest.param(Ladder(0, 500, 2_999, 8_000), id="draft_for_little"),
    pytest.param(Ladder(0, 500, 3_000, 7_999), id="feedback_for_little"),
])  # fmt: skip
def test_a_ladder_keeps_its_floors(ladder: Ladder) -> None:
    told = refusal(Terms(ladder=ladder))
    assert told.code == "terms.ladder_below_floor"
    assert told.facts["floor_bps"] in LADDER_BPS.values()


@pytest.mark.parametrize("revisions", [0, 6])
def test_revisions_keep_their_floors(revisions: int) -> None:
    assert refusal(Terms(max_revisions=revisions)).code == "terms.revisions_outside_floors"


@pytest.mark.parametrize(("clock", "clocks"), [
    pytest.param("verify_s", {"verify_s": 2 * DAY_S, "live_check_after_s": 2 * DAY_S}, id="lapses_before_the_look"),
    pytest.param("protection_s", {"protection_s": DAY_S, "live_check_after_s": DAY_S + 1}, id="protected_after_the_look"),
    pytest.param("brand_review_s", {"brand_review_s": DAY_S, "review_reminder_s": DAY_S + 1}, id="reminded_for_longer"),
])  # fmt: skip
def test_clocks_fit_each_other(clock: str, clocks: dict[str, int]) -> None:
    told = refusal(terms(**clocks))
    assert (told.code, told.facts["clock"]) == ("terms.clocks_do_not_fit", clock)


def test_the_money_stays_as_long_as_the_work_may_take() -> None:
    assert refusal(Terms(clocks=replace(LONG, settlement_delay_s=DAY_S))).code == "terms.longer_than_the_escrow"
    assert escrow_life_s(Terms()) > 400 * DAY_S + sum(
        getattr(Clocks(), clock) for clock in ("product_s", "draft_s", "publish_s", "verify_s", "settlement_delay_s")
    )


@pytest.mark.parametrize("attack", [
    pytest.param(terms(draft_s=1), id="draft"),
    pytest.param(terms(verify_s=1), id="verify"),
    pytest.param(Terms(ladder=Ladder(0, 0, 0, 0)), id="ladder"),
])  # fmt: skip
def test_they_are_refused_when_drafted(attack: Terms) -> None:
    with pytest.raises(Invalid, match=r"terms\.(?:clock|ladder)_below_floor"):
        World(SERVICE, NOON).execute(f"campaign-{CAMPAIGN_ID}", DraftCampaign(BRIEF, attack), BRAND)


def test_a_development_platform_alone_has_short_clocks() -> None:
    """Elsewhere a draft that has them is neither published nor amended."""
    world, stream = World(SERVICE, NOON), f"campaign-{CAMPAIGN_ID}"
    world.execute(stream, DraftCampaign(BRIEF, terms(draft_s=1, verify_s=5_000), True), BRAND)
    for command in (PublishBrief(), AmendBrief(brief(title="Another"))):
        with pytest.raises(Invalid) as caught:
            world.execute(stream, command, BRAND)
        assert caught.value.code == "terms.clock_below_floor"
    assert world.execute(stream, PublishBrief(True), BRAND)


@pytest.mark.parametrize(("issuer", "starts"), [
    ("https://issuer.dandelion.local", True), ("https://issuer.test", True), ("https://identity.example.com", False),
    ("https://issuer.local.example.com", False), ("", False), ("http://127.0.0.1:8111", True), ("http://localhost:8111", True),
    ("http://[::1]:8111", True), ("http://127.0.0.1.example.com", False), ("http://10.0.0.1:8111", False),
    ("https://notlocalhost", False),
])  # fmt: skip
def test_the_setting_fails_closed_outside_of_development(issuer: str, starts: bool, tmp_path: Any) -> None:
    told = {
        "database_url": "sqlite+aiosqlite:///x", "bus_url": "local:///x", "jwks": "x", "token_issuer": issuer,
        "fingerprint_key_file": tmp_path / "x", "master_keys_file": tmp_path / "x",
    }  # fmt: skip
    assert not CampaignsSettings(**told).short_clocks
    if starts:
        assert CampaignsSettings(**told, short_clocks=True).short_clocks
        return
    with pytest.raises(ValidationError, match="short clocks are for development"):
        CampaignsSettings(**told, short_clocks=True)


def test_a_post_that_nobody_looks_at_for_a_year_is_paid() -> None:
    world = rung(PUBLISHED, 415)
    kinds = [type(fact.event) for fact in world.events]
    assert ContentVerified in kinds
    assert DeliverableLapsed not in kinds


def test_a_gift_that_nobody_looks_at_for_a_year_is_settled() -> None:
    kinds = [type(fact.event) for fact in rung([contracted(GIFT), FUND, *PUBLISHED[2:]], 415).events]
    assert DeliverableSettled in kinds
    assert DeliverableLapsed not in kinds


def test_work_that_may_not_be_published_yet_does_not_lapse() -> None:
    """The brand opens its posting window after the time to publish would be over."""
    late = contract(value=brief(posting_from=day(90), posting_until=day(120)))
    world = World(SERVICE, NOON, bookable())
    for actor, command in [contracted(late), *CLEARED[1:], approve()]:
        made: Sequence[Any] = world.execute(STREAM, command, actor)
    (approved,) = made
    assert isinstance(approved, ContentApproved)
    assert approved.due_at >= day(91)


def test_a_brand_shortens_no_creators_time_by_a_schedule() -> None:
    soon = ScheduleContent(D1, day(0.5))
    (by_brand,) = decide(APPROVED, (BRAND, soon))
    (by_creator,) = decide(APPROVED, (CREATOR, soon))
    assert isinstance(by_brand, ContentScheduled)
    assert by_brand.due_at == day(30)
    assert by_creator.due_at == day(2.5)


def test_what_is_not_as_usual_is_named() -> None:
    assert unusual_terms(Terms(), BRIEF) == ()
    harsh = Terms(
        ladder=Ladder(0, 500, 3_000, 8_000), claw_back_bps=10_000, clocks=replace(Clocks(), draft_s=2 * DAY_S)
    )
    named = {each.term: (each.value, each.usual_least) for each in unusual_terms(harsh, brief(exclusivity_days=365))}
    assert named == {
        "draft_s": (2 * DAY_S, 7 * DAY_S), "after_outline_bps": (500, 1_000), "after_draft_bps": (3_000, 5_000),
        "after_feedback_bps": (8_000, 10_000), "claw_back_bps": (10_000, 0), "exclusivity_days": (365, 0),
    }  # fmt: skip
