"""Brand and payee that use one account: the money waits, whenever the tie came about, until two people have cleared it."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.events import Delivered
from kernel.core.faults import Refused
from services.ledger.domain.accounts import Code
from services.ledger.domain.announcing import PARTIES_TOLD, AccountNamed, route
from services.ledger.domain.commands import ConfirmDeposit, FailDeposit, ReleasePayment, RequestDeposit, Weight
from services.ledger.domain.events import ChainKind
from services.ledger.domain.payees import payee_stream
from services.ledger.domain.set_by_hand import ChangePayoutAccount, ClearTie, PayoutAccountChanged, TieCleared
from services.ledger.domain.ties import ITSELF, KEPT, tie_stream
from services.ledger.domain.waiting import PaymentDeferred
from tests.unit.ledger.given import CANCEL, DELIVERABLE, DEPOSIT, PAY, RELEASE, do, funded, held, released
from tests.unit.ledger.world import (
    AGENCY,
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    CREATOR,
    FINANCE,
    NOON,
    SECOND_CREATOR,
    World,
    chains,
    hold_command,
)

CARD = "tok_card"
"""What the brand of these tests pays from."""
CLEAR = ClearTie(BRAND, CREATOR, "a family business, papers seen")
AGENCY_ACTOR = replace(AS_CREATOR, id="al", tenant=AGENCY, roles=frozenset({"agency"}))


def caused(event: Any) -> Delivered[Any]:
    return Delivered("ledger", "x@1", "x", 1, 1, "tenant", NOON, event)


def name(world: World, owner: str, account: str, actor: Any = AS_CREATOR, currency: str = "CNY") -> Any:
    return world.execute(payee_stream(owner, currency), ChangePayoutAccount(owner, currency, account), actor)


def waits(events: list[Any]) -> PaymentDeferred:
    (found,) = [event for event in events if isinstance(event, PaymentDeferred)]
    return found


@pytest.mark.parametrize("when", [RELEASE, CANCEL], ids=["release", "kill_fee"])
def test_an_account_that_pays_and_is_paid_holds_the_money(when: Any) -> None:
    """Named after the contract was funded, in another currency: an account is an account."""
    world = World()
    held(world)
    name(world, CREATOR, CARD, currency="USD")
    deferred = waits(do(world, when))
    assert (deferred.payee_id, deferred.reason) == (CREATOR, "party.same_account")
    assert world.account(Code.CREATOR_AVAILABLE, CREATOR).spendable_minor == 0
    assert CARD not in str(deferred)


def test_two_people_clear_a_tie_and_the_payment_is_made() -> None:
    world = World()
    held(world)
    name(world, CREATOR, CARD)
    do(world, RELEASE)
    stream = tie_stream(BRAND, CREATOR)
    assert world.tried(stream, CLEAR, FINANCE) == "proposal.needed"
    (cleared,) = world.by_hand(CLEAR)
    assert isinstance(cleared, TieCleared)
    assert CARD not in cleared.account_ids
    assert world.execute(stream, CLEAR, FINANCE) == [], "cleared once"
    assert chains(do(world, RELEASE))[0].kind is ChainKind.PAYMENT_RELEASED
    assert world.run(replace(PAY, instrument=CARD), AS_CREATOR), "and may be paid out there"


def test_another_account_takes_another_clearance() -> None:
    world = World()
    held(world)
    name(world, CREATOR, CARD)
    world.by_hand(CLEAR)
    name(world, CREATOR, "acct_9")
    name(world, BRAND, "acct_9", replace(AS_BRAND, roles=frozenset({"brand", "creator"})))
    assert waits(do(world, RELEASE)).reason == "party.same_account"
    world.by_hand(replace(CLEAR, reason="the second account too"))
    assert chains(do(world, RELEASE))


def test_finance_alone_does_not_get_round_it() -> None:
    world = World()
    held(world)
    name(world, CREATOR, CARD)
    assert waits(world.by_hand(replace(RELEASE, release_id="by hand"))).reason == "party.same_account"


def test_an_agency_is_a_payee_too() -> None:
    world = World()
    funded(world)
    world.run(hold_command(DELIVERABLE, 1_000_000, 106_000, agency_id=AGENCY, agency_bps=1_000))
    name(world, AGENCY, CARD, AGENCY_ACTOR)
    assert waits(do(world, RELEASE)).payee_id == AGENCY


def test_whoever_shares_the_deliverable_is_a_payee_too() -> None:
    """The brand among them is its own payee, whatever account it names."""
    world = World(residences={CREATOR: "CN", BRAND: "CN"})
    held(world)
    split: ReleasePayment = replace(RELEASE, split=(Weight(CREATOR, 1), Weight(BRAND, 1)))
    deferred = waits(do(world, split))
    assert (deferred.payee_id, deferred.reason) == (BRAND, "party.same_payee")
    (cleared,) = world.by_hand(ClearTie(BRAND, BRAND, "own staff"))
    assert cleared.account_ids == (ITSELF,)
    assert chains(do(world, split))


def test_what_was_paid_before_the_tie_does_not_go_to_the_account() -> None:
    """The creator is paid for the deal first, and wants the brand's own account as its own afterwards."""
    world = World()
    released(world)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            world.run(replace(PAY, instrument=CARD), AS_CREATOR)
        assert refused.value.code == "payout.account_of_a_payer"
        name(world, CREATOR, CARD)
    world.by_hand(CLEAR)
    assert world.run(replace(PAY, instrument=CARD), AS_CREATOR)


def test_many_accounts_in_between_hide_none() -> None:
    """The newest are kept, and the one that money goes to is looked at in any case."""
    world = World()
    held(world)
    name(world, CREATOR, CARD)
    for number in range(KEPT + 1):
        name(world, CREATOR, f"acct_{number}", currency="USD")
    assert chains(do(world, RELEASE)), "a tie of long ago"
    with pytest.raises(Refused) as refused:
        world.run(replace(PAY, instrument=CARD), AS_CREATOR)
    assert refused.value.code == "payout.account_of_a_payer"


@pytest.mark.parametrize("ends", [FailDeposit(DEPOSIT, "declined"), None], ids=["failed", "never_confirmed"])
def test_a_deposit_that_did_not_arrive_ties_nobody(ends: Any) -> None:
    """Else whoever knew the token of a creator's account could hold up what others pay it."""
    world = World()
    held(world)
    world.run(RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "acct"), AS_BRAND)
    if ends is not None:
        world.run(ends)
    name(world, CREATOR, "acct")
    assert chains(do(world, RELEASE))


def test_creators_that_share_an_account_are_not_tied_to_the_brand() -> None:
    world = World()
    held(world)
    for creator in (CREATOR, SECOND_CREATOR):
        name(world, creator, "agency_acct", replace(AS_CREATOR, tenant=creator))
    assert chains(do(world, RELEASE))
    assert world.run(replace(PAY, instrument="agency_acct"), AS_CREATOR)


def test_only_what_ties_is_cleared() -> None:
    world = World()
    held(world)
    world.agree_on(CLEAR)
    assert world.tried(tie_stream(BRAND, CREATOR), CLEAR, FINANCE) == "tie.none"
    assert world.tried(tie_stream(BRAND, CREATOR), CLEAR, AS_BRAND) == "actor.role_missing"


def test_others_hear_of_an_account_by_an_id_of_ours() -> None:
    world = World()
    funded(world)
    name(world, CREATOR, CARD)
    told = {fact.event: fact for fact in world.events if route(caused(fact.event)) is not None}
    heard = [one for event in told for one in _announced(world, event)]
    assert {one.owner for one in heard} == {BRAND, CREATOR}
    assert len({one.account_id for one in heard}) == 1
    assert CARD not in str(heard)


def _announced(world: World, event: Any) -> list[AccountNamed]:
    stream = route(caused(event))
    assert stream is not None
    found: list[AccountNamed] = world.execute(stream, caused(event), FINANCE)
    assert world.execute(stream, caused(event), FINANCE) == [], "told once"
    return found


def test_what_names_no_account_is_not_told() -> None:
    assert PARTIES_TOLD.published
    assert route(caused(ConfirmDeposit(DEPOSIT, "CNY", 5))) is None
    assert route(caused(PayoutAccountChanged(CREATOR, "CNY", "a", World().at))) == f"party-{CREATOR}"
