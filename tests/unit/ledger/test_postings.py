"""Given what stands, when a command comes, then these legs are posted; repeated, it is silent."""

from dataclasses import replace

import pytest

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.ledger.domain.commands import (
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
    PayInOwnMoney,
    RequestRefund,
    SettleLine,
    Weight,
)
from services.ledger.domain.events import ChainKind, TransferKind
from services.ledger.domain.reversals import RETURNED, RestoreDeposit, ReturnTransfer, ReverseDeposit
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
    Given,
    asked,
    charged,
    do,
    funded,
    held,
    in_debt,
    legs,
    nothing,
    paid_out,
    payout_asked,
    refund_asked,
    released,
    reversed_,
)
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    CREATOR,
    FINANCE,
    SECOND_CREATOR,
    SYSTEM,
    World,
    chains,
    hold_command,
)

BACK = ["bank>payout_in_transit 50000", "payout_in_transit>creator_available 50000"]


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param(nothing, PayInOwnMoney("r", "CNY", 700), FINANCE, ["bank_own>equity 700"], id="0_own_money"),
        pytest.param(nothing, ASK, AS_BRAND, ["psp_clearing>brand_available 5000"], id="1_deposit_charged"),
        pytest.param(
            asked, ConfirmDeposit(DEPOSIT, "CNY", 5_000, "ch"), SYSTEM, ["psp_clearing>brand_available 5000"],
            id="2_deposit_confirmed",
        ),
        pytest.param(
            asked, FailDeposit(DEPOSIT, "declined"), SYSTEM, ["psp_clearing>brand_available 5000"], id="2_deposit_failed"
        ),
        pytest.param(
            asked, ConfirmDeposit(DEPOSIT, "CNY", 4_999, "ch"), SYSTEM,
            ["psp_clearing>brand_available 5000", "psp_clearing>suspense 4999"], id="2_another_amount_goes_to_suspense",
        ),
        pytest.param(
            charged, SettleLine("b", "1", D1, "CNY", 900, 9), SYSTEM,
            ["bank>psp_clearing 891", "psp_cost>psp_clearing 9"], id="3_settled",
        ),
        pytest.param(
            paid_out, SettleLine("b", "1", PAYOUT, "CNY", 0, 25, TransferKind.PAYOUT), SYSTEM, ["psp_clearing>bank 25"],
            id="3_the_fee_of_a_payout_is_kept",
        ),
        pytest.param(
            paid_out, SettleLine("b", "1", PAYOUT, "CNY", -50_000, 30, TransferKind.PAYOUT), SYSTEM,
            ["psp_clearing>bank 25", "psp_cost>bank 5"], id="3_a_payout_has_left_the_bank_before",
        ),
        pytest.param(
            reversed_, SettleLine("b", "1", D1, "CNY", -2_000_000, 1_500), SYSTEM, ["psp_clearing>bank 2001500"],
            id="3_a_reversal_is_kept_with_its_fee",
        ),
        pytest.param(
            funded, SettleLine("b", "1", "", "CNY", 0, 40), SYSTEM, ["psp_cost>bank 40"], id="3_a_bare_fee_is_a_cost"
        ),
        pytest.param(nothing, SettleLine("b", "1", "?", "CNY", 900, 9), SYSTEM, ["bank>suspense 891"], id="4_unknown"),
        pytest.param(
            funded, hold_command(DELIVERABLE, 1_000, 100), SYSTEM, ["brand_available>escrow 1100"], id="5_escrow_held"
        ),
        pytest.param(
            held, hold_command(DELIVERABLE, 1_000_000, 206_000, revision=2), SYSTEM, ["brand_available>escrow 100000"],
            id="6_scope_up",
        ),
        pytest.param(
            held, hold_command(DELIVERABLE, 900_000, 106_000, revision=2), SYSTEM, ["escrow>brand_available 100000"],
            id="6_scope_down",
        ),
        pytest.param(
            held, RELEASE, SYSTEM,
            ["escrow>fee_revenue 100000", "escrow>vat_output 6000", "escrow>tax_withheld 9000",
             "escrow>creator_available 991000"],
            id="7_and_9_released_with_fee_vat_and_tax",
        ),
        pytest.param(
            held, replace(RELEASE, fee_minor=500_000, brand_fee_minor=53_000), SYSTEM,
            ["escrow>fee_revenue 50000", "escrow>vat_output 3000", "escrow>creator_available 500000"],
            id="7_a_milestone_is_the_same_chain_on_its_part",
        ),
        pytest.param(
            held, replace(RELEASE, split=(Weight(CREATOR, 2), Weight(SECOND_CREATOR, 1))), SYSTEM,
            ["escrow>fee_revenue 100000", "escrow>vat_output 6000", "escrow>tax_withheld 1000",
             "escrow>creator_available 665667", "escrow>creator_available 333333"],
            id="8_split_each_with_its_own_tax",
        ),
        pytest.param(
            in_debt, RELEASE, SYSTEM,
            ["escrow>fee_revenue 100000", "escrow>vat_output 6000", "escrow>tax_withheld 9000",
             "escrow>creator_available 991000", "creator_available>creator_receivable 40000"],
            id="10_an_old_debt_first",
        ),
        pytest.param(
            released, PAY, AS_CREATOR, ["creator_available>payout_in_transit 50000", "payout_in_transit>bank 50000"],
            id="11_payout_asked",
        ),
        pytest.param(
            payout_asked, ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "po", 25), SYSTEM,
            ["payout_in_transit>bank 50000", "psp_cost>psp_clearing 25"], id="12_payout_confirmed",
        ),
        pytest.param(
            payout_asked, FailTransfer(TransferKind.PAYOUT, PAYOUT, "closed"), SYSTEM,
            ["payout_in_transit>bank 50000", "payout_in_transit>creator_available 50000"], id="13_payout_failed",
        ),
        pytest.param(
            paid_out, FailTransfer(TransferKind.PAYOUT, PAYOUT, "closed"), SYSTEM, BACK, id="14_failed_after_it_arrived"
        ),
        pytest.param(paid_out, ReturnTransfer(TransferKind.PAYOUT, PAYOUT), SYSTEM, BACK, id="14_payout_returned"),
        pytest.param(
            payout_asked, ReturnTransfer(TransferKind.PAYOUT, PAYOUT), SYSTEM,
            ["payout_in_transit>bank 50000", "payout_in_transit>creator_available 50000"], id="13_returned_before_it_arrived",
        ),
        pytest.param(
            held, CANCEL, SYSTEM, ["escrow>creator_available 300000", "escrow>brand_available 806000"],
            id="15_cancelled_with_a_kill_fee",
        ),
        pytest.param(
            held, replace(CANCEL, kill_fee_minor=0), SYSTEM, ["escrow>brand_available 1106000"], id="15_all_goes_back"
        ),
        pytest.param(
            funded, RequestRefund(REFUND, derived_id("deposit", "d1"), 400), AS_BRAND,
            ["brand_available>refund_in_transit 400", "refund_in_transit>bank 400"], id="16_refund_asked",
        ),
        pytest.param(
            refund_asked, ConfirmTransfer(TransferKind.REFUND, REFUND), SYSTEM, ["refund_in_transit>bank 400000"],
            id="16_refund_confirmed",
        ),
        pytest.param(
            refund_asked, FailTransfer(TransferKind.REFUND, REFUND), SYSTEM,
            ["refund_in_transit>bank 400000", "refund_in_transit>brand_available 400000"], id="16_refund_failed",
        ),
        pytest.param(
            funded, FailDeposit(D1, "insufficient"), SYSTEM, ["brand_available>psp_clearing 2000000"],
            id="20_a_confirmed_deposit_fails",
        ),
        pytest.param(
            held, ReverseDeposit(D1, "cb_1", "CNY", 2_000_000, 1_500), SYSTEM,
            ["brand_available>psp_clearing 894000", "brand_receivable>psp_clearing 1106000", "psp_cost>psp_clearing 1500"],
            id="20_a_chargeback_of_what_is_spent_is_a_debt",
        ),
        pytest.param(
            asked, ReverseDeposit(DEPOSIT, RETURNED, "CNY", 5_000), SYSTEM, ["psp_clearing>brand_available 5000"],
            id="2_returned_before_it_was_confirmed",
        ),
        pytest.param(
            reversed_, RestoreDeposit(D1, "cb_1", "CNY", 2_000_000), SYSTEM,
            ["psp_clearing>brand_receivable 1101000", "psp_clearing>brand_available 899000"], id="21_a_chargeback_won",
        ),
    ],
)  # fmt: skip
def test_postings(given: Given, when: Command, actor: Actor, then: list[str]) -> None:
    world = World()
    given(world)
    assert legs(do(world, when, actor)) == then


@pytest.mark.parametrize(("paid_minor", "killed_minor"), [(600_000, 300_000), (800_000, 200_000), (1_000_000, 0)])
def test_a_cancellation_after_a_part_was_paid_by_hand_is_carried_out(paid_minor: int, killed_minor: int) -> None:
    """The process does not know of that part: refused, it would leave the rest of both sides to the escrow's last clock."""
    world = World()
    held(world)
    do(world, replace(RELEASE, release_id="part", fee_minor=paid_minor, brand_fee_minor=0), FINANCE)
    events = do(world, CANCEL)
    assert sum(leg.amount_minor for one in chains(events) for leg in one.legs) == 1_106_000 - paid_minor
    (ended,) = [one for one in chains(events) if one.kind is ChainKind.ESCROW_CANCELLED]
    assert (ended.killed_minor, ended.returned_minor) == (killed_minor, 1_106_000 - paid_minor - killed_minor)
    assert world.escrow(DELIVERABLE).status == "closed"


def test_finance_names_no_more_than_is_left() -> None:
    world = World()
    held(world)
    do(world, replace(RELEASE, release_id="part", fee_minor=800_000, brand_fee_minor=0), FINANCE)
    cancel = replace(CANCEL, left_minor=306_000)
    world.agree_on(cancel)
    assert world.tried(f"escrow-{DELIVERABLE}", cancel, FINANCE) == "escrow.kill_fee_out_of_range"
