"""An organisation that is brand and creator does not deal with itself, nor with one that it is tied to."""

from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from kernel.core.faults import Refused
from services.campaigns.domain.application.commands import AcceptApplication, Apply, CounterOffer, InviteCreator
from services.campaigns.domain.shared.budget import BriefInForce, Budget
from services.campaigns.domain.shared.contract import application_id
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND_ID, BRIEF, CAMPAIGN_ID, CREATOR_ID, NOON, bookable
from tests.kit.decide import World

BOTH = frozenset({"brand", "creator"})


def world(*rows: dict[Any, Any]) -> World:
    given: dict[Any, Any] = {
        ("briefs", (CAMPAIGN_ID,)): BriefInForce(CAMPAIGN_ID, BRAND_ID, 1, Hashed.of(BRIEF), Hashed.of(Terms())),
        ("budgets", (CAMPAIGN_ID,)): Budget(CAMPAIGN_ID, BRAND_ID, "published", "CNY", 1_000_000, 0),
    }
    for row in rows:
        given |= row
    return World(SERVICE, NOON, given)


def refused(where: World, creator_id: str, command: Any, actor: Actor) -> str:
    with pytest.raises(Refused) as caught:
        where.execute(f"application-{application_id(CAMPAIGN_ID, creator_id)}", command, actor)
    return str(caught.value.code)


def test_it_neither_invites_itself_nor_applies_to_itself() -> None:
    own, itself = world(bookable(BRAND_ID)), Actor("ivy", BRAND_ID, BOTH)
    invite, apply = InviteCreator(CAMPAIGN_ID, BRAND_ID, (100_000,)), Apply(CAMPAIGN_ID, (100_000,))
    assert {refused(own, BRAND_ID, one, itself) for one in (invite, apply)} == {"application.own_organisation"}


@pytest.mark.parametrize("rows", [
    pytest.param([bookable(agency_id=BRAND_ID)], id="the_brand_is_the_creators_agency"),
    pytest.param([bookable(), bookable(BRAND_ID, agency_id=CREATOR_ID)], id="the_creator_is_the_brands_agency"),
])  # fmt: skip
def test_nor_does_an_agency_with_its_own(rows: list[dict[Any, Any]]) -> None:
    tied, brand, creator = world(*rows), Actor("b", BRAND_ID, BOTH), Actor("c", CREATOR_ID, BOTH)
    assert (
        refused(tied, CREATOR_ID, InviteCreator(CAMPAIGN_ID, CREATOR_ID, (1,)), brand)
        == "application.linked_organisation"
    )
    assert refused(tied, CREATOR_ID, Apply(CAMPAIGN_ID, (1,)), creator) == "application.linked_organisation"


@pytest.mark.parametrize("command", [AcceptApplication(1), CounterOffer((90_000,))], ids=lambda one: type(one).__name__)
def test_a_tie_that_comes_later_is_met_at_the_next_step(command: Any) -> None:
    later = world(bookable())
    stream = f"application-{application_id(CAMPAIGN_ID, CREATOR_ID)}"
    later.execute(stream, InviteCreator(CAMPAIGN_ID, CREATOR_ID, (100_000,)), Actor("b", BRAND_ID, BOTH))
    later.put("creators", (CREATOR_ID,), bookable(agency_id=BRAND_ID)["creators", (CREATOR_ID,)])
    assert refused(later, CREATOR_ID, command, Actor("c", CREATOR_ID, BOTH)) == "application.linked_organisation"
