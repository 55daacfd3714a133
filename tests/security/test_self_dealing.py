"""An organisation that is brand and creator does not deal with itself, nor with one that it is tied to."""

from typing import Any

import pytest
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from kernel.core.faults import Refused
from services.campaigns.domain.application.commands import AcceptApplication, Apply, CounterOffer, InviteCreator
from services.campaigns.domain.parties import parties
from services.campaigns.domain.parties.causes import AccountNamed, TieCleared
from services.campaigns.domain.parties.events import ClearedHeard, PartyHeard
from services.campaigns.domain.shared.apart import Party
from services.campaigns.domain.shared.budget import BriefInForce, Budget
from services.campaigns.domain.shared.contract import application_id
from services.campaigns.domain.shared.events import ApplicationAccepted
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.subscribe import decode
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import BRAND_ID, BRIEF, CAMPAIGN_ID, CREATOR_ID, NOON, bookable
from tests.kit.decide import World
from tests.unit.campaigns.test_processes import caused

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


def party(owner_id: str, *account_ids: str, cleared: tuple[ClearedHeard, ...] = ()) -> dict[Any, Any]:
    return {("parties", (owner_id,)): Party(owner_id, account_ids, cleared)}


AGENCY_ID = "018f3a10-0000-7000-8000-00000000a001"
CLEARED = (ClearedHeard(CREATOR_ID, ("a1",)),)
BRAND_ACTOR, CREATOR_ACTOR = Actor("b", BRAND_ID, BOTH), Actor("c", CREATOR_ID, BOTH)


@pytest.mark.parametrize("rows", [
    pytest.param([bookable(), party(CREATOR_ID, "a2", "a1")], id="the_creator_uses_the_brands_account"),
    pytest.param([bookable(agency_id=AGENCY_ID), party(AGENCY_ID, "a1")], id="the_creators_agency_does"),
])  # fmt: skip
def test_nor_do_two_that_use_one_account(rows: list[dict[Any, Any]]) -> None:
    tied = world(party(BRAND_ID, "a1", "a9"), *rows)
    code = "application.linked_organisation"
    assert refused(tied, CREATOR_ID, InviteCreator(CAMPAIGN_ID, CREATOR_ID, (1,)), BRAND_ACTOR) == code
    assert refused(tied, CREATOR_ID, Apply(CAMPAIGN_ID, (1,)), CREATOR_ACTOR) == code


def agreed(where: World, accepts: Actor = CREATOR_ACTOR) -> list[Any]:
    stream = f"application-{application_id(CAMPAIGN_ID, CREATOR_ID)}"
    where.execute(stream, InviteCreator(CAMPAIGN_ID, CREATOR_ID, (100_000,)), BRAND_ACTOR)
    return list(where.execute(stream, AcceptApplication(1), accepts))


@pytest.mark.parametrize(("rows", "accepts", "reasons"), [
    pytest.param([], CREATOR_ACTOR, (), id="two_parties"),
    pytest.param([], Actor("b", CREATOR_ID, BOTH), ("party.same_person",), id="one_person_for_both"),
    pytest.param(
        [bookable(agency_id=AGENCY_ID), bookable(BRAND_ID, agency_id=AGENCY_ID)], CREATOR_ACTOR, ("party.same_agency",),
        id="one_agency_for_both",
    ),
    pytest.param(
        [party(BRAND_ID, "a1", cleared=CLEARED), party(CREATOR_ID, "a1")], CREATOR_ACTOR, ("party.tie_cleared",),
        id="an_account_that_finance_cleared",
    ),
    pytest.param(
        [party(BRAND_ID, "a1", cleared=(ClearedHeard(AGENCY_ID, ("a1",)),))], CREATOR_ACTOR, (),
        id="an_account_that_was_cleared_for_another",
    ),
])  # fmt: skip
def test_a_deal_with_the_signs_of_one_party_is_marked_and_goes_on(rows: Any, accepts: Actor, reasons: Any) -> None:
    accepted, *marks = agreed(world(bookable(), *rows), accepts)
    assert isinstance(accepted, ApplicationAccepted)
    assert [mark.reasons for mark in marks] == ([reasons] if reasons else [])


def test_another_account_is_not_cleared() -> None:
    tied = world(bookable(), party(BRAND_ID, "a1", "a2", cleared=CLEARED), party(CREATOR_ID, "a1", "a2"))
    invite = InviteCreator(CAMPAIGN_ID, CREATOR_ID, (100_000,))
    assert refused(tied, CREATOR_ID, invite, BRAND_ACTOR) == "application.linked_organisation"


def test_what_the_ledger_tells_of_an_organisation_is_kept_the_newest_last() -> None:
    def heard(event: Any, state: PartyHeard | None = None) -> Any:
        return parties.decide(caused(event), state, None)  # type: ignore[arg-type]

    (one,) = heard(AccountNamed(BRAND_ID, "a1"))
    assert one == PartyHeard(BRAND_ID, ("a1",))
    assert heard(AccountNamed(BRAND_ID, "a1"), one) == []
    (cleared,) = heard(TieCleared(BRAND_ID, CREATOR_ID, ("a1",)), one)
    assert cleared == PartyHeard(BRAND_ID, ("a1",), CLEARED)
    full = PartyHeard(BRAND_ID, tuple(map(str, range(parties.ACCOUNTS_KEPT))))
    (newest,) = heard(AccountNamed(BRAND_ID, "a1"), full)
    assert (newest.account_ids[-1], len(newest.account_ids)) == ("a1", parties.ACCOUNTS_KEPT)
    assert parties.route(caused(TieCleared(BRAND_ID, CREATOR_ID, ()))) == f"party-{BRAND_ID}"
    named = ledger.AccountNamed(owner_id=BRAND_ID, account_id="a1")
    assert decode(named.DESCRIPTOR.full_name, named.SerializeToString()) == AccountNamed(BRAND_ID, "a1")
