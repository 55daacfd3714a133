"""Applications: offers back and forth, one answer, and the budget that an acceptance commits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from services.campaigns.domain.application.application import APPLICATION, MAX_ROUNDS
from services.campaigns.domain.application.commands import (
    AcceptApplication,
    Apply,
    CounterOffer,
    DeclineApplication,
    ExpireInvitation,
    InviteCreator,
    ReleaseApplication,
    RenewOffer,
    WithdrawApplication,
)
from services.campaigns.domain.shared.agreements import AGREED, Agreement
from services.campaigns.domain.shared.brief import Brief, Mode
from services.campaigns.domain.shared.budget import BriefInForce, Budget
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.contract import offer_of
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationExpired,
    ApplicationReleased,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CreatorInvited,
    OfferCountered,
    OfferRenewed,
    Side,
)
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    BRAND,
    BRAND_ID,
    BRIEF,
    CAMPAIGN_ID,
    CREATOR,
    CREATOR_ID,
    NOON,
    PARTIES,
    STRANGER,
    SYSTEM,
    bookable,
    brief,
    contract,
)
from tests.kit.decide import check

FEES, MORE = (100_000,), (120_000,)
DUE = NOON + timedelta(days=7)
OFFER, COUNTER = offer_of(Hashed.of(contract(FEES)), 1), offer_of(Hashed.of(contract(MORE)), 2)
INVITED = CreatorInvited(PARTIES, OFFER, DUE)
APPLIED = ApplicationSubmitted(PARTIES, OFFER, DUE)
BY_CREATOR = OfferCountered(PARTIES, Side.CREATOR, COUNTER, DUE)
BY_BRAND = OfferCountered(PARTIES, Side.BRAND, COUNTER, DUE)
DECLINED = ApplicationDeclined(PARTIES, Side.CREATOR, "busy")
WITHDRAWN = ApplicationWithdrawn(PARTIES, Side.CREATOR, "busy")
EXPIRED = ApplicationExpired(PARTIES, DUE)
TO_COME, NOT_OPEN = "application.brief_version_unknown", "campaign.not_open_to_applicants"
INVITE, APPLY = InviteCreator(CAMPAIGN_ID, CREATOR_ID, FEES), Apply(CAMPAIGN_ID, FEES)


def accepted(
    by: Side, fees_minor: tuple[int, ...] = FEES, value: Brief = BRIEF, version: int = 1
) -> ApplicationAccepted:
    made = Hashed.of(replace(contract(fees_minor, value), brief_version=version))
    return ApplicationAccepted(by, made, made.sha256)


ACCEPTED = accepted(Side.CREATOR)
RELEASED = ApplicationReleased(PARTIES, "no_contract", 110_000, APPLICATION_ID)


def rows(status: str = "published", committed_minor: int = 0, value: Brief = BRIEF, version: int = 1) -> dict[Any, Any]:
    key = (CAMPAIGN_ID,)
    agreed = Agreement(APPLICATION_ID, BRAND_ID, CREATOR_ID, AGREED)
    return {
        ("agreements", (APPLICATION_ID,)): agreed,
        ("budgets", key): Budget(CAMPAIGN_ID, BRAND_ID, status, "CNY", value.budget_minor, committed_minor),
        ("briefs", key): BriefInForce(CAMPAIGN_ID, BRAND_ID, version, Hashed.of(value), Hashed.of(Terms())),
        **bookable(),
    }


def run(
    given: Sequence[Any], who: Actor, when: Any, then: Sequence[Any] | str, at_head: dict[Any, Any] | None = None
) -> None:
    check(
        SERVICE, given, when, then, at=NOON, actor=who, stream=f"application-{APPLICATION_ID}",
        rows=rows() if at_head is None else at_head,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([], BRAND, INVITE, [INVITED], id="invites"),
        pytest.param([], STRANGER, INVITE, "campaign.not_published", id="invites_for_itself_only"),
        pytest.param([], CREATOR, INVITE, "actor.role_missing", id="creators_invite_nobody"),
        pytest.param([], BRAND, replace(INVITE, creator_id="x"), "id.malformed", id="malformed_creator"),
        pytest.param([], BRAND, replace(INVITE, creator_id=BRAND_ID), "application.id_not_derived", id="other_stream"),
        pytest.param([], BRAND, replace(INVITE, fees_minor=(1, 2)), "offer.fee_per_deliverable", id="a_fee_too_many"),
        pytest.param([INVITED], BRAND, replace(INVITE, fees_minor=MORE), "application.already_open", id="invites_once"),
        pytest.param([], CREATOR, APPLY, [APPLIED], id="applies"),
        pytest.param([], BRAND, APPLY, "actor.role_missing", id="brands_apply_nowhere"),
        pytest.param([INVITED], CREATOR, APPLY, "application.already_open", id="invited_is_open"),
        pytest.param(
            [APPLIED], CREATOR, replace(APPLY, fees_minor=MORE), "application.already_open", id="applies_once"
        ),
        pytest.param([INVITED, DECLINED], CREATOR, APPLY, [APPLIED], id="applies_after_a_decline"),
        pytest.param([APPLIED, WITHDRAWN], BRAND, INVITE, [INVITED], id="invites_after_a_withdrawal"),
        pytest.param([INVITED, EXPIRED], BRAND, INVITE, [INVITED], id="invites_after_expiry"),
        pytest.param([INVITED, ACCEPTED], BRAND, INVITE, "application.still_at_work", id="not_while_at_work"),
        pytest.param([INVITED], CREATOR, CounterOffer(MORE), [BY_CREATOR], id="counters"),
        pytest.param([INVITED], BRAND, CounterOffer(MORE), [BY_BRAND], id="betters_its_own"),
    ],
)
def test_offers(given: Sequence[Any], who: Actor, when: Any, then: Sequence[Any] | str) -> None:
    run(given, who, when, then)


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([APPLIED], BRAND, CounterOffer(MORE), [BY_BRAND], id="counters_an_application"),
        pytest.param([], CREATOR, CounterOffer(MORE), "application.unknown", id="counters_nothing"),
        pytest.param([INVITED, DECLINED], CREATOR, CounterOffer(MORE), "application.not_open", id="counters_no_end"),
        pytest.param([INVITED], STRANGER, CounterOffer(MORE), "application.unknown", id="strangers_counter_not"),
        pytest.param([INVITED], CREATOR, AcceptApplication(1), [ACCEPTED], id="accepts"),
        pytest.param([APPLIED], BRAND, AcceptApplication(1), [accepted(Side.BRAND)], id="accepts_an_application"),
        pytest.param(
            [INVITED, BY_CREATOR],
            BRAND,
            AcceptApplication(1),
            [accepted(Side.BRAND, MORE)],
            id="accepts_a_counter_offer",
        ),
        pytest.param([INVITED], BRAND, AcceptApplication(1), "application.own_offer", id="accepts_not_its_own"),
        pytest.param([INVITED], CREATOR, AcceptApplication(2), TO_COME, id="accepts_what_it_read"),
        pytest.param([INVITED, EXPIRED], CREATOR, AcceptApplication(1), "application.not_open", id="accepts_in_time"),
        pytest.param([INVITED], CREATOR, DeclineApplication("busy"), [DECLINED], id="declines"),
        pytest.param([INVITED], BRAND, DeclineApplication("busy"), "application.own_offer", id="declines_not_its_own"),
        pytest.param(
            [APPLIED, WITHDRAWN], BRAND, DeclineApplication("late"), "application.not_open", id="declined_late"
        ),
        pytest.param([APPLIED], CREATOR, WithdrawApplication("busy"), [WITHDRAWN], id="withdraws"),
        pytest.param(
            [APPLIED], BRAND, WithdrawApplication("busy"), "application.not_own_offer", id="withdraws_its_own"
        ),
        pytest.param(
            [INVITED, DECLINED], BRAND, WithdrawApplication("late"), "application.not_open", id="withdrawn_late"
        ),
        pytest.param([INVITED], SYSTEM, ExpireInvitation(DUE), [EXPIRED], id="expires"),
        pytest.param([INVITED], SYSTEM, ExpireInvitation(NOON), [], id="an_older_clock"),
        pytest.param([INVITED, ACCEPTED], SYSTEM, ExpireInvitation(DUE), [], id="answered_in_time"),
        pytest.param([INVITED], BRAND, ExpireInvitation(DUE), "actor.role_missing", id="only_the_clock_expires"),
        pytest.param([INVITED, ACCEPTED], SYSTEM, ReleaseApplication("no_contract"), [RELEASED], id="releases"),
        pytest.param([INVITED], SYSTEM, ReleaseApplication("no_contract"), [], id="releases_nothing_open"),
        pytest.param([APPLIED], CREATOR, RenewOffer(1), [], id="renews_what_stands"),
        pytest.param([INVITED], CREATOR, RenewOffer(1), [OfferRenewed(PARTIES, 1)], id="consents_early"),
        pytest.param([APPLIED], CREATOR, RenewOffer(2), TO_COME, id="renews_what_it_read"),
        pytest.param([APPLIED], BRAND, RenewOffer(1), "application.only_the_creator_renews", id="brands_renew_not"),
    ],
)
def test_answers(given: Sequence[Any], who: Actor, when: Any, then: Sequence[Any] | str) -> None:
    run(given, who, when, then, rows(committed_minor=110_000 if ACCEPTED in given else 0))


SALES = Compensation(CompensationKind.COMMISSION, commission_bps=1_500, cap_minor=50_000)


@pytest.mark.parametrize(
    ("given", "who", "when"),
    [
        pytest.param([], BRAND, InviteCreator(CAMPAIGN_ID, CREATOR_ID, (0,)), id="invites"),
        pytest.param([], CREATOR, Apply(CAMPAIGN_ID, (0,)), id="applies"),
        pytest.param([INVITED], CREATOR, CounterOffer((0,)), id="counters"),
        pytest.param([INVITED], CREATOR, AcceptApplication(1), id="accepts"),
    ],
)
def test_a_brief_of_before_binds_nobody_to_pay_that_nobody_reckons(given: Sequence[Any], who: Actor, when: Any) -> None:
    run(given, who, when, "compensation.not_reckoned", rows(value=brief(compensation=SALES)))


def test_haggling_ends() -> None:
    offers = [offer_of(Hashed.of(contract((100_000 + n,))), n) for n in range(2, MAX_ROUNDS + 1)]
    sides = [Side.CREATOR, Side.BRAND] * MAX_ROUNDS
    given = [INVITED, *(OfferCountered(PARTIES, by, offer, DUE) for by, offer in zip(sides, offers, strict=False))]
    run(given, BRAND, CounterOffer((1,)), "application.too_many_counter_offers")


@pytest.mark.parametrize(
    ("who", "when", "at_head", "code"),
    [
        pytest.param(BRAND, INVITE, {}, "campaign.not_published", id="a_draft_invites_nobody"),
        pytest.param(CREATOR, APPLY, {}, NOT_OPEN, id="nor_is_a_draft"),
        pytest.param(BRAND, INVITE, rows("paused"), "campaign.not_published", id="a_paused_one_neither"),
        pytest.param(CREATOR, APPLY, rows("closed"), "campaign.not_published", id="closed_to_applications"),
        pytest.param(CREATOR, APPLY, rows(value=brief(mode=Mode.INVITE)), NOT_OPEN, id="not_there_for_the_uninvited"),
    ],
)
def test_the_campaign_must_recruit(who: Actor, when: Any, at_head: dict[Any, Any], code: str) -> None:
    run([], who, when, code, at_head)


def test_who_was_invited_waits_for_another_invitation() -> None:
    by_invitation = rows(value=brief(mode=Mode.INVITE))
    run([INVITED, DECLINED], CREATOR, APPLY, "application.by_invitation_only", by_invitation)


def test_no_budget_row_no_campaign() -> None:
    brief_only = {key: row for key, row in rows().items() if key[0] == "briefs"}
    run([], BRAND, INVITE, "campaign.not_published", brief_only)


@pytest.mark.parametrize(
    ("committed_minor", "then"),
    [
        pytest.param(890_000, [ACCEPTED], id="to_the_last_fen"),
        pytest.param(890_001, "budget.exceeded", id="not_one_more"),
    ],
)
def test_the_budget_is_never_over_committed(committed_minor: int, then: Sequence[Any] | str) -> None:
    run([INVITED], CREATOR, AcceptApplication(1), then, rows(committed_minor=committed_minor))


WHOLE = brief(budget_minor=110_000)


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([], BRAND, INVITE, [INVITED], id="invites_to_the_last_fen"),
        pytest.param([], BRAND, replace(INVITE, fees_minor=(100_001,)), "budget.exceeded", id="invites_beyond_it"),
        pytest.param([INVITED], BRAND, CounterOffer(MORE), "budget.exceeded", id="betters_beyond_it"),
        pytest.param([INVITED], CREATOR, CounterOffer(MORE), [BY_CREATOR], id="a_creator_learns_no_budget"),
    ],
)
def test_a_brand_offers_nothing_that_its_whole_budget_cannot_bear(
    given: Sequence[Any], who: Actor, when: Any, then: Sequence[Any] | str
) -> None:
    run(given, who, when, then, rows(value=WHOLE, committed_minor=110_000))


LONGER = brief(exclusivity_days=30)
AMENDED = rows(value=LONGER, version=2)


def test_an_amendment_binds_who_accepts_later() -> None:
    run([INVITED], CREATOR, AcceptApplication(2), [accepted(Side.CREATOR, value=LONGER, version=2)], AMENDED)


def test_the_creators_offer_does_not_slide_under_an_amendment() -> None:
    code = "application.creator_has_not_seen_amendment"
    run([APPLIED], BRAND, AcceptApplication(2), code, AMENDED)
    run([INVITED], CREATOR, AcceptApplication(1), "application.brief_amended", AMENDED)
    run([APPLIED], CREATOR, RenewOffer(1), "application.brief_amended", AMENDED)
    run([APPLIED], CREATOR, RenewOffer(2), [OfferRenewed(PARTIES, 2)], AMENDED)
    agreed = [accepted(Side.BRAND, value=LONGER, version=2)]
    run([APPLIED, OfferRenewed(PARTIES, 2)], BRAND, AcceptApplication(2), agreed, AMENDED)


def test_each_collaboration_has_one_contract_hash() -> None:
    same, other = Hashed.of(contract(FEES)), Hashed.of(contract(MORE))
    assert Hashed.of(contract(FEES)).sha256 == same.sha256 != other.sha256


def test_the_rows_that_a_decision_reads_are_announced() -> None:
    campaign = [("briefs", (CAMPAIGN_ID,)), ("budgets", (CAMPAIGN_ID,)), ("fee_policies", ("platform",))]
    creator = [("creators", (CREATOR_ID,)), ("jobs", (CREATOR_ID,))]

    def named(when: Any, *given: Any) -> list[Any]:
        state = APPLICATION.initial
        for event in given:
            state = APPLICATION.evolve(state, event)
        return [(table.name, key) for table, key in APPLICATION.reads(when, state)]

    assert named(INVITE) == [*campaign, *creator]
    assert named(APPLY) == campaign, "who applies is the actor, whom only the decision knows"
    both = [("creators", (BRAND_ID,)), ("parties", (BRAND_ID,)), ("parties", (CREATOR_ID,))]
    assert named(AcceptApplication(1), INVITED) == [*campaign, *creator, *both]
    assert named(AcceptApplication(1)) == []
    assert named(INVITE, INVITED, ACCEPTED) == [*campaign, *creator, ("agreements", (APPLICATION_ID,))]
    assert named(APPLY, INVITED, ACCEPTED) == [*campaign, ("agreements", (APPLICATION_ID,))]
