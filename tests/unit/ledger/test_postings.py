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
from services.ledger.domain.events import TransferKind
from tests.unit.ledger.given import (
    ASK,
    CANCEL,
    DELIVERABLE,
    DEPOSIT,
    PAY,
    PAYOUT,
    REFUND,
    RELEASE,
    Given,
    asked,
    do,
    funded,
    held,
    in_debt,
    legs,
    nothing,
    payout_asked,
    refund_asked,
    released,
)
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    CREATOR,
    FINANCE,
    SECOND_CREATOR,
    SYSTEM,
    World,
    hold_command,
)


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
            funded, SettleLine("b", "1", derived_id("deposit", "d1"), "CNY", 900, 9), SYSTEM,
            ["bank>psp_clearing 891", "psp_cost>psp_clearing 9"], id="3_settled",
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
    ],
)  # fmt: skip
def test_postings(given: Given, when: Command, actor: Actor, then: list[str]) -> None:
    world = World()
    given(world)
    assert legs(do(world, when, actor)) == then
