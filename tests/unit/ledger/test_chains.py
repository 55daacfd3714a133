"""Stories of several chains: exclusions, milestones, tax years, shortages, repeats."""

from dataclasses import replace

import pytest

from kernel.core.decider import Context, GivenRows
from kernel.core.faults import Conflict, Fault
from kernel.core.ids import derived_id, is_id
from services.ledger.domain import settlements
from services.ledger.domain.accounts import Code
from services.ledger.domain.chains import Done, decide, reads
from services.ledger.domain.clearing import CLEARING
from services.ledger.domain.commands import (
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
    PayInOwnMoney,
    ReleasePayment,
    RequestRefund,
    SettleLine,
    stream_of,
)
from services.ledger.domain.deposits import EXPIRED
from services.ledger.domain.events import ChainKind, EscrowRefused, TaxWithheld, TransferKind
from services.ledger.domain.funding import BANK
from services.ledger.domain.reversals import RETURNED, RestoreDeposit, ReturnTransfer, ReverseDeposit
from services.ledger.domain.transfers import Leg
from tests.unit.ledger.given import (
    ASK,
    CANCEL,
    D1,
    DELIVERABLE,
    DEPOSIT,
    PAY,
    PAYOUT,
    REFUND,
    RELEASE,
    asked,
    charged,
    do,
    funded,
    held,
    legs,
    paid_out,
    payout_asked,
    refund_asked,
    released,
)
from tests.unit.ledger.world import (
    AGENCY,
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    COLLABORATION,
    CREATOR,
    FINANCE,
    NOON,
    World,
    chains,
    days,
    deposit,
    hold_command,
    pay_in,
)


def test_an_uncovered_hold_is_an_answer() -> None:
    world = World()
    deposit(world, 1_000)
    event = do(world, hold_command(DELIVERABLE, 1_000, 100))[0]
    assert isinstance(event, EscrowRefused)
    assert (event.code, event.needed_minor, event.available_minor) == ("escrow.not_covered", 1_100, 1_000)
    deposit(world, 500, name="d2")
    assert world.run(hold_command(DELIVERABLE, 1_000, 100)) == []
    assert chains(do(world, hold_command(DELIVERABLE, 1_000, 100, revision=2)))


def test_confirmed_and_failed_exclude_each_other() -> None:
    world = World()
    payout_asked(world)
    do(world, FailTransfer(TransferKind.PAYOUT, PAYOUT))
    with pytest.raises(Fault, match=r"payout\.not_pending"):
        world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT))
    assert world.account(Code.PAYOUT_IN_TRANSIT, PAYOUT).closed


def test_what_came_back_after_it_arrived_is_there_once_whatever_it_is_called() -> None:
    words: list[Command] = [FailTransfer(TransferKind.PAYOUT, PAYOUT), ReturnTransfer(TransferKind.PAYOUT, PAYOUT)]
    for first, second in [(0, 1), (1, 0)]:
        world = World()
        paid_out(world)
        before_minor = world.account(Code.CREATOR_AVAILABLE, CREATOR).spendable_minor
        do(world, words[first])
        assert do(world, words[second]) == []
        assert world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT)) == []
        assert world.account(Code.CREATOR_AVAILABLE, CREATOR).spendable_minor == before_minor + 50_000
        assert world.account(Code.PAYOUT_IN_TRANSIT, f"{PAYOUT}:ret").closed
        assert chains(do(world, replace(PAY, payout_id=derived_id("payout", "again")), AS_CREATOR))


def test_a_confirmed_deposit_that_fails_is_returned_once() -> None:
    world = World()
    charged(world)
    do(world, FailDeposit(D1, "insufficient"))
    assert do(world, FailDeposit(D1, "insufficient")) == []
    assert do(world, ReverseDeposit(D1, RETURNED, "CNY", 2_000_000)) == []
    assert world.account(Code.BRAND_AVAILABLE, BRAND).balance_minor == 0
    assert world.account(Code.PSP_CLEARING, "psp").balance_minor == 0
    do(world, SettleLine("b", "1", D1, "CNY", 2_000_000, 0))
    do(world, SettleLine("b", "2", D1, "CNY", -2_000_000, 0))
    assert world.account(Code.BANK, "psp").balance_minor == 0
    do(world, RestoreDeposit(D1, RETURNED, "CNY", 2_000_000))
    assert world.run(FailDeposit(D1, "insufficient, told again")) == [], "an old word takes nothing back a second time"
    assert world.account(Code.BRAND_AVAILABLE, BRAND).balance_minor == 2_000_000


@pytest.mark.parametrize("status", ["confirmed", "mismatched", "failed"])
def test_the_clock_of_a_deposit_takes_nothing_back_that_came_while_it_ran_out(status: str) -> None:
    world = World()
    asked(world)
    if status == "failed":
        world.run(FailDeposit(DEPOSIT, "provider.declined"))
    else:
        world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000 if status == "confirmed" else 4_000, "ch"))
    assert world.run(FailDeposit(DEPOSIT, EXPIRED)) == []
    assert world.row("transfers", DEPOSIT).status == status


def test_a_deposit_that_came_back_before_it_was_confirmed_is_not_posted_by_the_older_word() -> None:
    world = World()
    asked(world)
    with pytest.raises(Fault, match=r"deposit\.not_confirmed"):
        world.run(ReverseDeposit(DEPOSIT, RETURNED, "CNY", 4_000))
    do(world, ReverseDeposit(DEPOSIT, RETURNED, "CNY", 5_000))
    assert world.row("transfers", DEPOSIT).status == "failed"
    with pytest.raises(Fault, match=r"deposit\.came_back"):
        world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000, "ch"))
    assert world.account(Code.BRAND_AVAILABLE, BRAND).balance_minor == 0


def test_chargebacks_in_parts_reverse_at_most_the_deposit_and_may_be_won() -> None:
    world = World()
    charged(world)
    do(world, ReverseDeposit(D1, "cb_1", "CNY", 1_500_000))
    with pytest.raises(Fault, match=r"deposit\.reversal_too_large"):
        world.run(ReverseDeposit(D1, "cb_2", "CNY", 500_001))
    do(world, ReverseDeposit(D1, "cb_2", "CNY", 500_000))
    do(world, RestoreDeposit(D1, "cb_1", "CNY", 1_500_000))
    assert world.account(Code.BRAND_AVAILABLE, BRAND).spendable_minor == 1_500_000
    with pytest.raises(Fault, match=r"refund\.more_than_deposited"):
        world.run(RequestRefund(REFUND, D1, 1_500_001), AS_BRAND)


def test_partial_lines_settle_a_deposit_once() -> None:
    world = World()
    charged(world)
    do(world, SettleLine("b", "1", D1, "CNY", 1_200_000, 0))
    with pytest.raises(Fault, match=r"settlement\.more_than_due"):
        world.run(SettleLine("b", "2", D1, "CNY", 800_001, 0))
    do(world, SettleLine("b", "3", D1, "CNY", 800_000, 0))
    assert world.account(Code.BANK, "psp").balance_minor == 2_000_000
    assert world.account(Code.PSP_CLEARING, "psp").balance_minor == 0


def test_clearing_never_holds_less_than_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of the account is a second lock: a step that forgot the bound of its transfer is refused at the head."""
    world = World()
    funded(world)
    monkeypatch.setattr(settlements, "_of_deposit", lambda command, row: [Leg(BANK, CLEARING, 1, "CNY")])
    with pytest.raises(Fault, match=r"clearing\.bound_crossed"):
        world.run(SettleLine("b", "2", D1, "CNY", 1, 0))
    monkeypatch.setattr(settlements, "_of_deposit", lambda command, row: [Leg(CLEARING, BANK, 1, "CNY")])
    with pytest.raises(Fault, match=r"clearing\.bound_crossed"):
        world.run(SettleLine("b", "3", D1, "CNY", -1, 0))


def test_money_that_comes_after_all_is_posted() -> None:
    world = World()
    asked(world)
    do(world, FailDeposit(DEPOSIT, "expired"))
    do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000, "ch"))
    assert world.account(Code.BRAND_AVAILABLE, BRAND).spendable_minor == 5_000


def test_the_first_report_of_a_fact_wins_whatever_its_reference() -> None:
    world = World()
    asked(world)
    do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000, "from the webhook"))
    assert world.run(ConfirmDeposit(DEPOSIT, "CNY", 5_000, "from the file")) == []


def test_release_and_cancel_carry_the_facts_that_are_published() -> None:
    world = World()
    held(world)
    events = do(world, replace(CANCEL, kill_fee_minor=1_000_000, creator_fee_bps=500))
    kinds = [event.kind if not isinstance(event, EscrowRefused | TaxWithheld) else type(event) for event in events]
    assert kinds == [ChainKind.PAYMENT_RELEASED, TaxWithheld, ChainKind.ESCROW_CANCELLED]
    end = chains(events)[-1]
    assert (end.returned_minor, end.killed_minor, end.reason) == (106_000, 1_000_000, "brand.cancelled")
    assert end.deal is not None
    assert end.deal.collaboration_id == COLLABORATION
    assert world.escrow(DELIVERABLE).status == "closed"


def test_an_agency_takes_its_share_of_what_the_creator_fee_leaves() -> None:
    world = World(residences={CREATOR: "US"})
    funded(world)
    world.run(hold_command(DELIVERABLE, 1_000_000, 0, agency_id=AGENCY, agency_bps=1_500, jurisdiction="US"))
    do(world, replace(RELEASE, brand_fee_minor=0, creator_fee_bps=1_000))
    assert world.account(Code.AGENCY_AVAILABLE, AGENCY).spendable_minor == 135_000
    assert world.account(Code.CREATOR_AVAILABLE, CREATOR).spendable_minor == 765_000


def test_milestones_then_a_smaller_scope() -> None:
    world = World()
    held(world)
    do(world, replace(RELEASE, release_id="m1", fee_minor=600_000, brand_fee_minor=0))
    with pytest.raises(Fault, match=r"escrow\.already_released"):
        world.run(hold_command(DELIVERABLE, 500_000, 106_000, revision=2))
    do(world, hold_command(DELIVERABLE, 600_000, 106_000, revision=3))
    with pytest.raises(Fault, match=r"escrow\.revision_is_old"):
        world.run(hold_command(DELIVERABLE, 700_000, 106_000, revision=2))
    do(world, replace(RELEASE, release_id="m2", fee_minor=0))
    assert world.escrow(DELIVERABLE).status == "released"


def test_tax_goes_on_through_the_year_and_starts_afresh() -> None:
    world = World()
    id_ = deposit(world, 9_000_000)
    world.run(SettleLine("b", "1", id_, "CNY", 9_000_000, 0))
    taxes = []
    for number, later in enumerate([0, 0, 60]):
        world.at += days(later)
        deliverable = derived_id("deliverable", str(number))
        world.run(hold_command(deliverable, 1_000_000, 0))
        release = ReleasePayment(f"r{number}", deliverable, CREATOR, "CNY", 1_000_000, 0)
        taxes.append(next(e.tax.withheld_minor for e in do(world, release) if isinstance(e, TaxWithheld)))
    assert taxes == [9_000, 24_000, 9_000]


def test_costs_are_paid_from_own_money_and_a_shortage_stops_payouts() -> None:
    world = World()
    released(world)
    id_ = deposit(world, 900_000, name="d3")
    pay_in(world, 100)
    assert "bank>bank_own 100" in legs(do(world, SettleLine("b1", "1", id_, "CNY", 900_000, 106_150)))
    assert chains(world.posted)[-1].short_minor == 50
    with pytest.raises(Fault, match=r"transfer\.not_now"):
        world.run(PAY, AS_CREATOR)
    assert legs(do(world, PayInOwnMoney("r2", "CNY", 80), FINANCE)) == ["bank_own>equity 80", "bank>bank_own 50"]
    assert chains(do(world, PAY, AS_CREATOR))


def test_a_failed_refund_may_be_asked_again() -> None:
    world = World()
    refund_asked(world)
    do(world, FailTransfer(TransferKind.REFUND, REFUND))
    again = RequestRefund(derived_id("refund", "y"), derived_id("deposit", "d1"), 2_000_000)
    assert chains(do(world, again, AS_BRAND))


def test_a_command_on_a_stream_that_is_not_its_own_is_refused() -> None:
    context = Context(NOON, AS_BRAND, GivenRows({}), f"deposit-{derived_id('another')}", BRAND)
    with pytest.raises(Fault, match=r"chain\.wrong_stream"):
        decide(ASK, Done(), context)
    with pytest.raises(Conflict):
        decide(ASK, Done(((ASK.chain_id, "else"),)), context._replace(stream=stream_of(ASK)))


ANNOUNCED = (
    RELEASE, CANCEL, ASK, PAY, RequestRefund(REFUND, DEPOSIT, 1), hold_command(DELIVERABLE, 1, 1),
    PayInOwnMoney("r", "CNY", 1), ConfirmTransfer(TransferKind.PAYOUT, PAYOUT),
)  # fmt: skip


@pytest.mark.parametrize("command", ANNOUNCED)
def test_rows_are_announced_before_they_are_read(command: Command) -> None:
    named = list(reads(command, Done()))
    assert named
    assert all(isinstance(part, str) for _, key in named for part in key)
    assert is_id(DEPOSIT)
