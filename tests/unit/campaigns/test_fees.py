"""The fees of the platform: what the ledger announced decides, a draft shows it, a contract seals it, nobody chooses it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.events import Delivered
from kernel.core.faults import Fault
from services.campaigns.domain.application.commands import AcceptApplication, CounterOffer, InviteCreator
from services.campaigns.domain.campaign.campaign import AmendBrief, DraftCampaign, PublishBrief
from services.campaigns.domain.collaboration.commands import (
    ConsentToAmendment,
    ContractCollaboration,
    FundCollaboration,
)
from services.campaigns.domain.fees import fees
from services.campaigns.domain.fees.causes import FeePolicyChanged
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.settlement.causes import PaymentReleased
from services.campaigns.domain.shared.fees import FIRST, FeePolicies, under_policy
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    BRAND,
    BRIEF,
    CAMPAIGN_ID,
    CREATOR,
    CREATOR_ID,
    NOON,
    SYSTEM,
    bookable,
    brief,
)
from tests.kit.decide import World

CAMPAIGN, APPLICATION = f"campaign-{CAMPAIGN_ID}", f"application-{APPLICATION_ID}"
COLLABORATION = f"collaboration-{APPLICATION_ID}"
DAY = timedelta(days=1)
NEXT = FeePolicyHeard("fees@2026-03-03T12:00:00Z", NOON + DAY, 1_200, 300)
INVITE = InviteCreator(CAMPAIGN_ID, CREATOR_ID, (100_000,))


def heard(policy: FeePolicyHeard = NEXT) -> Delivered[Any]:
    event = FeePolicyChanged(policy.name, policy.since, policy.brand_fee_bps, policy.creator_fee_bps)
    return Delivered("ledger", "policy-x@2", "policy-x", 2, 2, "platform", NOON, event)


def world_of() -> World:
    """A creator who takes jobs, and a policy that begins tomorrow."""
    world = World(SERVICE, NOON, bookable())
    cause = heard()
    stream = fees.route(cause)
    assert stream is not None
    world.execute(stream, cause, SYSTEM)
    return world


def published() -> World:
    world = world_of()
    world.execute(CAMPAIGN, DraftCampaign(BRIEF), BRAND)
    world.execute(CAMPAIGN, PublishBrief(), BRAND)
    return world


def shares(terms: Hashed[Terms]) -> tuple[int, int, str]:
    return terms.value.brand_fee_bps, terms.value.creator_fee_bps, terms.value.fee_policy


def test_a_policy_is_heard_of_once() -> None:
    world = world_of()
    assert world.row("fee_policies", "platform") == FeePolicies("platform", (FIRST, NEXT))
    assert world.execute(fees.route(heard()) or "", heard(), SYSTEM) == []
    other = Delivered("ledger", "x@1", "x", 1, 1, "platform", NOON, PaymentReleased("c", "d", "r", 1, "CNY"))
    assert fees.route(other) is None


@pytest.mark.parametrize("asked", [Terms(), Terms(brand_fee_bps=0), Terms(creator_fee_bps=1_000, fee_policy="mine")])
def test_a_draft_has_the_fees_of_its_day_whatever_was_asked(asked: Terms) -> None:
    world = world_of()
    (drafted,) = world.execute(CAMPAIGN, DraftCampaign(BRIEF, asked), BRAND)
    assert shares(drafted.terms) == (1_000, 0, "fees@2025-01-01")
    assert world.execute(CAMPAIGN, DraftCampaign(BRIEF), BRAND) == [], "the same draft again"


def test_publication_and_amendment_take_the_fees_of_theirs() -> None:
    world = world_of()
    world.execute(CAMPAIGN, DraftCampaign(BRIEF), BRAND)
    world.at = NOON + DAY
    assert world.execute(CAMPAIGN, DraftCampaign(BRIEF), BRAND) == [], "a repeat, though the policy changed"
    (opened,) = world.execute(CAMPAIGN, PublishBrief(), BRAND)
    assert shares(opened.terms) == (1_200, 300, NEXT.name)
    (amended,) = world.execute(CAMPAIGN, AmendBrief(brief(exclusivity_days=30)), BRAND)
    assert shares(amended.terms) == (1_200, 300, NEXT.name)


def test_an_offer_shows_the_fees_and_its_contract_seals_them() -> None:
    world = published()
    (invited,) = world.execute(APPLICATION, INVITE, BRAND)
    assert (invited.offer.brand_fee_bps, invited.offer.creator_fee_bps) == (1_000, 0)
    assert invited.offer.fee_policy == "fees@2025-01-01"
    (accepted,) = world.execute(APPLICATION, AcceptApplication(1), CREATOR)
    assert shares(accepted.contract.value.terms) == (1_000, 0, "fees@2025-01-01")
    assert accepted.contract_sha256 == invited.offer.contract_sha256, "what was shown is what was sealed"


def test_nobody_is_bound_to_fees_that_the_offer_did_not_show() -> None:
    world = published()
    world.execute(APPLICATION, INVITE, BRAND)
    world.at = NOON + DAY
    with pytest.raises(Fault, match=r"application\.fees_changed .*make the offer again"):
        world.execute(APPLICATION, AcceptApplication(1), CREATOR)
    assert world.tried(APPLICATION, INVITE, BRAND) == "application.already_open"
    (again,) = world.execute(APPLICATION, CounterOffer((100_000,)), BRAND)
    assert (again.offer.brand_fee_bps, again.offer.creator_fee_bps, again.offer.fee_policy) == (1_200, 300, NEXT.name)
    assert world.execute(APPLICATION, CounterOffer((100_000,)), BRAND) == []
    (accepted,) = world.execute(APPLICATION, AcceptApplication(1), CREATOR)
    assert shares(accepted.contract.value.terms) == (1_200, 300, NEXT.name)
    (deliverable,) = accepted.contract.value.deliverables
    assert (deliverable.fee_minor, deliverable.brand_fee_minor) == (100_000, 12_000)


def test_a_contract_keeps_its_fees_under_a_later_policy_and_brief() -> None:
    world = published()
    world.execute(APPLICATION, INVITE, BRAND)
    (accepted,) = world.execute(APPLICATION, AcceptApplication(1), CREATOR)
    world.execute(COLLABORATION, ContractCollaboration(accepted.contract, accepted.contract_sha256), SYSTEM)
    world.execute(COLLABORATION, FundCollaboration(), SYSTEM)
    world.at = NOON + DAY
    world.execute(CAMPAIGN, AmendBrief(brief(exclusivity_days=30)), BRAND)
    (consented,) = world.execute(COLLABORATION, ConsentToAmendment(2), CREATOR)
    assert shares(consented.contract.value.terms) == (1_000, 0, "fees@2025-01-01")


def test_an_offer_of_before_has_the_fees_of_its_brief() -> None:
    world = published()
    (invited,) = world.execute(APPLICATION, INVITE, BRAND)
    bare = replace(invited, offer=replace(invited.offer, brand_fee_bps=0, creator_fee_bps=0, fee_policy=""))
    old = World(SERVICE, NOON, world.rows)
    old.given(APPLICATION, [bare], BRAND)
    (accepted,) = old.copy().execute(APPLICATION, AcceptApplication(1), CREATOR)
    assert shares(accepted.contract.value.terms) == (1_000, 0, "fees@2025-01-01")
    old.at = NOON + DAY
    assert old.tried(APPLICATION, AcceptApplication(1), CREATOR) == "application.fees_changed"


def test_terms_under_the_same_policy_stay_the_same_document() -> None:
    document = Hashed(Terms(), "the text of before")
    assert under_policy(document, FIRST) is document
