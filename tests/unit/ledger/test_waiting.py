"""Tax follows the payee's verified residence; what is not known lets the payment wait, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import BY_POLICY, ReleasePayment, SettleLine, Weight
from services.ledger.domain.events import ChainKind, ChainPosted, TaxWithheld
from services.ledger.domain.fees import FeePolicy
from services.ledger.domain.four_eyes import proposal_id, proposal_stream
from services.ledger.domain.policies import FeePolicies
from services.ledger.domain.proposals import ProposeMove
from services.ledger.domain.residences import rate_stream, residence_stream
from services.ledger.domain.set_by_hand import ReferenceRateSet, SetReferenceRate, SetTaxResidence, TaxResidenceVerified
from services.ledger.domain.waiting import PaymentDeferred
from tests.unit.ledger.given import CANCEL, DELIVERABLE, RELEASE, do, funded, legs
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    CREATOR,
    FINANCE,
    NO_LIMITS,
    NOON,
    SECOND_CREATOR,
    SYSTEM,
    World,
    chains,
    days,
    deposit,
    hold_command,
)

VERIFY = SetTaxResidence(CREATOR, "CN", "certificate 7")
RATE = SetReferenceRate("USD", "2026-10", 71_234, 10_000)


def held_in(currency: str, jurisdiction: str, residences: dict[str, str]) -> World:
    world = World(residences=residences)
    id_ = deposit(world, 2_000_000, currency=currency)
    world.run(SettleLine("b0", "1", id_, currency, 2_000_000, 0))
    do(world, hold_command(DELIVERABLE, 1_000_000, 106_000, currency=currency, jurisdiction=jurisdiction))
    return world


def verify(world: World, command: SetTaxResidence = VERIFY, actor: Actor = FINANCE) -> list[Any]:
    if actor is FINANCE:
        world.agree_on(command)
    return world.execute(residence_stream(command.payee_id), command, actor)


def set_rate(world: World, command: SetReferenceRate = RATE, actor: Actor = FINANCE) -> list[Any]:
    if actor is FINANCE:
        world.agree_on(command)
    return world.execute(rate_stream(command.currency, command.month), command, actor)


@pytest.mark.parametrize(
    ("jurisdiction", "currency", "country", "taxed"),
    [
        pytest.param("CN", "CNY", "CN", True, id="chinese_in_china"),
        pytest.param("CN", "CNY", "US", False, id="american_in_china"),
        pytest.param("CN", "USD", "US", False, id="american_in_china_in_dollars"),
        pytest.param("US", "USD", "CN", True, id="chinese_in_america"),
        pytest.param("US", "CNY", "CN", True, id="chinese_in_america_in_yuan"),
        pytest.param("CN", "USD", "CN", True, id="chinese_in_china_in_dollars"),
        pytest.param("FR", "USD", "HK", False, id="hong_kong_is_a_place_of_its_own"),
    ],
)
def test_tax_follows_the_payee_and_not_the_campaign(
    jurisdiction: str, currency: str, country: str, taxed: bool
) -> None:
    world = held_in(currency, jurisdiction, {CREATOR: country})
    set_rate(world)
    events = do(world, replace(RELEASE, currency=currency))
    assert any(isinstance(event, TaxWithheld) for event in events) == taxed
    withheld = world.account(Code.TAX_WITHHELD, "cn-sta:2026-11", currency).balance_minor
    assert (withheld > 0) == taxed
    net = world.account(Code.CREATOR_AVAILABLE, CREATOR, currency).spendable_minor
    assert net + withheld == 1_000_000


@pytest.mark.parametrize(
    ("currency", "residences", "reason"),
    [
        pytest.param("CNY", {}, "tax.residence_unknown", id="no_residence"),
        pytest.param("USD", {CREATOR: "CN"}, "tax.rate_unknown", id="no_rate"),
    ],
)
@pytest.mark.parametrize("when", [RELEASE, CANCEL], ids=["release", "kill_fee"])
def test_what_is_not_known_lets_the_payment_wait(
    currency: str, residences: dict[str, str], reason: str, when: Any
) -> None:
    world = held_in(currency, "US", residences)
    when = replace(when, currency=currency)
    *rest, waits = do(world, when)
    assert isinstance(waits, PaymentDeferred)
    assert (waits.chain_id, waits.payee_id, waits.reason) == (when.chain_id, CREATOR, reason)
    assert legs(rest) == ([] if when.chain_id.startswith("release") else ["escrow>brand_available 806000"])
    assert world.escrow(DELIVERABLE).left_minor == 1_106_000 - (806_000 if rest else 0)
    assert world.row("waiting_payments", DELIVERABLE).reason == reason
    assert not [row for row in world.table("deadlines").values() if row.name == "expire"], (
        "what is owed never goes back"
    )
    verify(world)
    set_rate(world)
    events = do(world, when)
    assert chains(events)[0].kind is ChainKind.PAYMENT_RELEASED
    assert world.row("waiting_payments", DELIVERABLE) is None
    assert world.escrow(DELIVERABLE).status == ("released" if when.chain_id.startswith("release") else "closed")


def test_only_the_kill_fee_of_a_cancellation_waits() -> None:
    """The brand's rest is back at once, by a chain of its own; the escrow ends when the kill fee is paid."""
    world = held_in("CNY", "CN", {})
    free_minor = world.account(Code.BRAND_AVAILABLE, BRAND).spendable_minor
    (back,) = chains(do(world, CANCEL))
    assert (back.kind, back.chain_id, back.returned_minor) == (ChainKind.ESCROW_REDUCED, "cancel:c1:rest", 806_000)
    assert world.account(Code.BRAND_AVAILABLE, BRAND).spendable_minor == free_minor + 806_000
    assert (world.escrow(DELIVERABLE).status, world.escrow(DELIVERABLE).left_minor) == ("held", 300_000)
    set_rate(world)
    assert do(world, CANCEL) == []
    verify(world)
    paid = do(world, CANCEL)
    assert [one.kind for one in chains(paid)] == [ChainKind.PAYMENT_RELEASED, ChainKind.ESCROW_CANCELLED]
    row = world.escrow(DELIVERABLE)
    assert (row.status, row.released_minor, row.returned_minor) == ("closed", 300_000, 806_000)
    assert not [one for one in world.table("deadlines").values() if one.name == "expire"]


def test_a_change_of_scope_starts_no_clock_while_a_payment_waits() -> None:
    world = held_in("CNY", "CN", {})
    do(world, replace(RELEASE, fee_minor=400_000, brand_fee_minor=0))
    do(world, hold_command(DELIVERABLE, 1_100_000, 116_000, revision=2))
    assert not [one for one in world.table("deadlines").values() if one.name == "expire"]


def test_the_fee_of_a_payment_by_finance_is_the_deals_policy_s_also_when_it_waited() -> None:
    world = World(residences={})
    policy = FeePolicy("fees@2026-01-01", NOON - days(9), 1_000, 300)
    world.put("fee_policies", ("platform",), FeePolicies("platform", (policy,)))
    funded(world)
    do(world, hold_command(DELIVERABLE, 1_000_000, 106_000))
    by_hand: ReleasePayment = replace(RELEASE, creator_fee_bps=BY_POLICY)
    do(world, by_hand, FINANCE)
    verify(world)
    (chain,) = chains(do(world, by_hand, SYSTEM))
    assert chain.released is not None
    vat_minor = 106_000 * 6 // 106 + 30_000 * 6 // 106
    assert chain.released.creator_revenue_minor == 30_000 - 30_000 * 6 // 106
    assert chain.released.vat_minor == vat_minor


@pytest.mark.parametrize("named_bps", [0, 1_000, BY_POLICY])
def test_no_number_of_finance_s_own_is_the_creators_fee(named_bps: int) -> None:
    world = held_in("CNY", "CN", {CREATOR: "US"})
    (chain,) = chains(do(world, replace(RELEASE, creator_fee_bps=named_bps), FINANCE))
    assert chain.released is not None
    assert chain.released.creator_revenue_minor == 0


def test_money_that_goes_to_no_payee_waits_for_nobody() -> None:
    world = held_in("CNY", "CN", {})
    do(world, replace(RELEASE, release_id="fee only", fee_minor=0))
    (back,) = do(world, replace(CANCEL, kill_fee_minor=0))
    assert isinstance(back, ChainPosted)
    assert back.returned_minor == 1_000_000


def test_everybody_who_shares_must_be_known() -> None:
    world = held_in("CNY", "CN", {CREATOR: "CN"})
    both = replace(RELEASE, split=(Weight(CREATOR, 1), Weight(SECOND_CREATOR, 1)))
    (waits,) = do(world, both)
    assert isinstance(waits, PaymentDeferred)
    assert waits.payee_id == SECOND_CREATOR
    verify(world, replace(VERIFY, payee_id=SECOND_CREATOR, country="US"))
    taxed = [event.creator_id for event in do(world, both) if isinstance(event, TaxWithheld)]
    assert taxed == [CREATOR]


def test_a_payment_that_waits_is_the_only_one() -> None:
    world = held_in("CNY", "CN", {})
    do(world, RELEASE)
    with pytest.raises(Fault, match=r"escrow\.payment_waits .*tax\.residence_unknown"):
        world.run(replace(RELEASE, release_id="another"))


def test_what_waits_for_nothing_stays_behind_what_waits() -> None:
    world = held_in("CNY", "CN", {})
    do(world, RELEASE)
    with pytest.raises(Fault, match=r"escrow\.payment_waits"):
        world.run(replace(RELEASE, release_id="fee only", fee_minor=0))
    verify(world)
    with pytest.raises(Fault, match=r"escrow\.payment_waits"):
        world.run(replace(RELEASE, release_id="another", fee_minor=1))
    assert not [row for row in world.table("deadlines").values() if row.name == "expire"]
    assert chains(do(world, RELEASE))


def test_tax_and_vat_are_owed_for_the_month_in_china_whoever_is_paid_first() -> None:
    world = held_in("CNY", "CN", {CREATOR: "US", SECOND_CREATOR: "CN"})
    world.at = datetime(2026, 11, 30, 17, tzinfo=UTC)
    events = do(world, replace(RELEASE, split=(Weight(CREATOR, 1), Weight(SECOND_CREATOR, 9))))
    (taxed,) = [event.tax for event in events if isinstance(event, TaxWithheld)]
    assert (taxed.month, taxed.withheld_minor > 0) == (12, True)
    assert world.account(Code.TAX_WITHHELD, "cn-sta:2026-12").balance_minor == taxed.withheld_minor
    assert world.account(Code.VAT_OUTPUT, "cn-sta:2026-12").balance_minor > 0


def test_staff_may_still_give_the_money_back() -> None:
    world = held_in("CNY", "CN", {})
    do(world, RELEASE)
    do(world, replace(CANCEL, kill_fee_minor=0, left_minor=world.escrow(DELIVERABLE).left_minor), FINANCE)
    assert world.row("waiting_payments", DELIVERABLE) is None
    assert world.escrow(DELIVERABLE).status == "returned"


def test_what_is_left_of_an_escrow_goes_back_by_the_clock_again() -> None:
    world = held_in("CNY", "CN", {})
    part: ReleasePayment = replace(RELEASE, fee_minor=400_000, brand_fee_minor=0)
    do(world, part)
    verify(world)
    do(world, part)
    (deadline,) = [row for row in world.table("deadlines").values() if row.name == "expire"]
    assert deadline.due_at == world.escrow(DELIVERABLE).expires_at


@pytest.mark.parametrize("actor", [AS_CREATOR, AS_BRAND, SYSTEM], ids=["creator", "brand", "system"])
def test_finance_verifies_and_nobody_else(actor: Actor) -> None:
    world = World(residences={})
    with pytest.raises(Fault, match=r"actor\.role_missing"):
        verify(world, actor=actor)
    with pytest.raises(Fault, match=r"actor\.role_missing"):
        set_rate(world, actor=actor)


def test_what_was_verified_is_said_once_and_may_change() -> None:
    world = World(residences={})
    assert verify(world) == [TaxResidenceVerified(CREATOR, "CN", "certificate 7")]
    assert verify(world) == []
    assert verify(world, replace(VERIFY, country="SG")) == [TaxResidenceVerified(CREATOR, "SG", "certificate 7")]
    assert set_rate(world) == [ReferenceRateSet("USD", "2026-10", 71_234, 10_000)]
    assert set_rate(world) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(replace(VERIFY, country="UK"), "tax.country_unknown", id="uk_is_gb"),
        pytest.param(replace(VERIFY, country="EU"), "tax.country_unknown", id="the_union_is_no_residence"),
        pytest.param(replace(VERIFY, country="cn"), "tax.country_unknown", id="lower_case"),
        pytest.param(replace(VERIFY, reference=""), "text.malformed", id="no_proof"),
        pytest.param(replace(VERIFY, payee_id="x"), "id.malformed", id="no_payee"),
        pytest.param(replace(RATE, currency="CNY"), "tax.rate_of_itself", id="yuan"),
        pytest.param(replace(RATE, currency="XXX"), "money.unknown_currency", id="currency"),
        pytest.param(replace(RATE, month="2026-13"), "tax.month_malformed", id="month"),
        pytest.param(replace(RATE, month="2026-11"), "tax.month_not_over", id="this_month"),
        pytest.param(replace(RATE, month="2027-01"), "tax.month_not_over", id="month_to_come"),
        pytest.param(replace(RATE, cny_minor=0), "tax.rate_out_of_range", id="worth_nothing"),
        pytest.param(replace(RATE, per_minor=-1), "tax.rate_out_of_range", id="for_less_than_nothing"),
    ],
)
def test_what_cannot_be_verified(command: Any, code: str) -> None:
    world = World(residences={})
    stream = residence_stream(CREATOR) if isinstance(command, SetTaxResidence) else rate_stream("USD", "2026-10")
    assert world.tried(stream, command, FINANCE) == code
    about = proposal_stream(proposal_id(command))
    assert world.tried(about, ProposeMove(command, NO_LIMITS), FINANCE) == code, "nobody is asked to approve it"


@pytest.mark.parametrize(
    ("at", "code"), [("2026-11-29T15:59:59+00:00", "tax.month_not_over"), ("2026-11-29T16:00:00+00:00", "")]
)
def test_a_month_has_its_rate_from_its_last_day_on(at: str, code: str) -> None:
    """In China, where the 30th of November begins eight hours before it does in UTC."""
    world, november = World(residences={}), replace(RATE, month="2026-11")
    world.at = datetime.fromisoformat(at)
    about = proposal_stream(proposal_id(november))
    assert world.tried(about, ProposeMove(november, NO_LIMITS), FINANCE) == code
