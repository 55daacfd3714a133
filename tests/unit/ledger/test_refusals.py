"""What the state at the head does not allow is refused by a stable code and changes nothing."""

from dataclasses import replace

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    IdentifyMoney,
    RequestRefund,
    SettleLine,
    Weight,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit
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
    cancelled,
    charged,
    funded,
    held,
    nothing,
    paid_out,
    payout_asked,
    released,
    reversed_,
    suspended,
)
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    CREATOR,
    FINANCE,
    OTHER_BRAND,
    SECOND_CREATOR,
    SYSTEM,
    World,
    hold_command,
)

FOUND = IdentifyMoney("i", BRAND, "CNY", 5, "why")


def agreed(world: World) -> None:
    """Two people of finance think that money in suspense is the brand's."""
    world.agree_on(FOUND)


STRANGER = replace(AS_BRAND, tenant=OTHER_BRAND)


@pytest.mark.parametrize(
    ("given", "when", "actor", "code"),
    [
        pytest.param(nothing, ASK, STRANGER, "deposit.not_a_party", id="deposit_for_another"),
        pytest.param(asked, ASK, STRANGER, "deposit.not_a_party", id="a_strangers_repeat_of_a_deposit"),
        pytest.param(asked, replace(ASK, amount_minor=6_000), STRANGER, "deposit.not_a_party", id="a_strangers_guess"),
        pytest.param(nothing, ASK, AS_CREATOR, "actor.role_missing", id="a_creator_deposits_nothing"),
        pytest.param(nothing, replace(ASK, amount_minor=0), AS_BRAND, "amount.not_positive", id="zero"),
        pytest.param(nothing, replace(ASK, amount_minor=10**16), AS_BRAND, "amount.too_large", id="too_large"),
        pytest.param(nothing, replace(ASK, currency="XXX"), AS_BRAND, "money.unknown_currency", id="currency"),
        pytest.param(nothing, replace(ASK, instrument=""), AS_BRAND, "text.malformed", id="no_instrument"),
        pytest.param(asked, replace(ASK, amount_minor=6_000), AS_BRAND, "chain.exists_with_other_input", id="other_body"),
        pytest.param(nothing, ConfirmDeposit(DEPOSIT, "CNY", 1), SYSTEM, "deposit.unknown", id="unknown_deposit"),
        pytest.param(
            paid_out, FailDeposit(PAYOUT), SYSTEM, "deposit.unknown", id="a_payout_is_no_deposit"
        ),
        pytest.param(
            charged, SettleLine("b", "1", D1, "CNY", 2_000_001, 0), SYSTEM, "settlement.more_than_due", id="settle_too_much"
        ),
        pytest.param(
            funded, SettleLine("b", "1", D1, "CNY", 2_000_000, 0), SYSTEM, "settlement.more_than_due", id="settled_again"
        ),
        pytest.param(
            asked, SettleLine("b", "1", DEPOSIT, "CNY", 10**9, 0), SYSTEM, "settlement.more_than_due", id="not_confirmed"
        ),
        pytest.param(
            charged, SettleLine("b", "1", D1, "USD", 900, 0), SYSTEM, "settlement.currency_differs", id="settled_in_usd"
        ),
        pytest.param(
            paid_out, SettleLine("b", "1", PAYOUT, "CNY", 900, 0), SYSTEM, "settlement.kind_differs", id="another_kind"
        ),
        pytest.param(
            funded, SettleLine("b", "1", D1, "CNY", -1, 0), SYSTEM, "settlement.more_than_owed", id="kept_for_nothing"
        ),
        pytest.param(
            funded, SettleLine("b", "1", D1, "CNY", 0, 9), SYSTEM, "settlement.more_than_owed", id="a_fee_for_nothing"
        ),
        pytest.param(
            reversed_, SettleLine("b", "1", D1, "CNY", -2_001_501, 0), SYSTEM, "settlement.more_than_owed", id="kept_more"
        ),
        pytest.param(
            paid_out, SettleLine("b", "1", PAYOUT, "CNY", -50_001, 0, TransferKind.PAYOUT), SYSTEM,
            "settlement.more_than_sent", id="sent_more",
        ),
        pytest.param(
            paid_out, SettleLine("b", "1", PAYOUT, "CNY", 50_000, 0, TransferKind.PAYOUT), SYSTEM,
            "settlement.more_than_returned", id="came_back_unknown",
        ),
        pytest.param(
            funded, SettleLine("b", "1", "x", "CNY", -9, 0), SYSTEM, "settlement.deduction_unknown", id="kept_for_whom"
        ),
        pytest.param(
            suspended, SettleLine("b2", "7", "?", "CNY", 900, 0, provider_ref="ch_9"), SYSTEM, "settlement.settled_before",
            id="unknown_money_again",
        ),
        pytest.param(nothing, SettleLine("b", "1", "x", "CNY", 0, 0), SYSTEM, "settlement.moves_nothing", id="empty_line"),
        pytest.param(nothing, SettleLine("b", "1", "x", "CNY", 9, -1), SYSTEM, "settlement.fee_out_of_range", id="fee_given"),
        pytest.param(
            nothing, SettleLine("b", "1", "x", "CNY", 10**16, 0), SYSTEM, "amount.too_large", id="line_too_large"
        ),
        pytest.param(
            funded, ReverseDeposit(D1, "cb_1", "CNY", 2_000_001), SYSTEM, "deposit.reversal_too_large", id="reversed_more"
        ),
        pytest.param(
            reversed_, ReverseDeposit(D1, "cb_2", "CNY", 1), SYSTEM, "deposit.reversal_too_large", id="reversed_again"
        ),
        pytest.param(
            funded, ReverseDeposit(D1, "cb_1", "USD", 5), SYSTEM, "deposit.currency_differs", id="reversed_in_usd"
        ),
        pytest.param(
            funded, ReverseDeposit(D1, "cb_1", "CNY", 5, -1), SYSTEM, "amount.not_positive", id="reversal_fee<0"
        ),
        pytest.param(
            asked, ReverseDeposit(DEPOSIT, "cb_1", "CNY", 5_001), SYSTEM, "deposit.reversal_too_large", id="disputed_before"
        ),
        pytest.param(
            reversed_, RestoreDeposit(D1, "cb_1", "CNY", 2_000_001), SYSTEM, "deposit.reversal_too_large", id="won_too_much"
        ),
        pytest.param(
            reversed_, RestoreDeposit(D1, "cb_2", "CNY", 1), SYSTEM, "deposit.case_unknown", id="won_another_case"
        ),
        pytest.param(
            funded, RestoreDeposit(D1, "cb_1", "CNY", 1), SYSTEM, "deposit.case_unknown", id="won_nothing"
        ),
        pytest.param(
            funded, ReverseDeposit(D1, "cb_1", "CNY", 1), AS_BRAND, "actor.role_missing", id="brand_reverses_nothing"
        ),
        pytest.param(
            nothing, ReturnTransfer(TransferKind.PAYOUT, PAYOUT), SYSTEM, "payout.unknown", id="returned_unknown"
        ),
        pytest.param(
            reversed_, RequestRefund(REFUND, D1, 1), AS_BRAND, "deposit.not_confirmed", id="refund_of_what_is_reversed"
        ),
        pytest.param(nothing, SettleLine("b", "1", "?", "CNY", 9, 10), SYSTEM, "settlement.fee_out_of_range", id="fee"),
        pytest.param(
            agreed, FOUND, FINANCE, "account.bound_crossed", id="empty_suspense"
        ),
        pytest.param(nothing, hold_command(DELIVERABLE, 1, 0), AS_BRAND, "actor.role_missing", id="brand_cannot_hold"),
        pytest.param(
            funded, hold_command(DELIVERABLE, 1, 0, revision=0), SYSTEM, "escrow.revision_out_of_range", id="revision_0"
        ),
        pytest.param(funded, hold_command(DELIVERABLE, 0, 0), SYSTEM, "escrow.amount_not_positive", id="hold_nothing"),
        pytest.param(funded, hold_command(DELIVERABLE, 10**16, 0), SYSTEM, "amount.too_large", id="hold_too_large"),
        pytest.param(
            funded, hold_command(DELIVERABLE, 5, 0, agency_bps=1), SYSTEM, "escrow.agency_share_out_of_range",
            id="a_share_without_agency",
        ),
        pytest.param(
            funded, hold_command(DELIVERABLE, 5, 0, expires_s=10**9), SYSTEM, "escrow.life_out_of_range", id="too_long"
        ),
        pytest.param(
            released, hold_command(DELIVERABLE, 5, 0, revision=2), SYSTEM, "escrow.not_held", id="held_after_release"
        ),
        pytest.param(
            held, hold_command(DELIVERABLE, 5, 0, revision=2, creator_id=SECOND_CREATOR), SYSTEM, "escrow.terms_differ",
            id="another_creator",
        ),
        pytest.param(
            held, hold_command(DELIVERABLE, 1_000_000, 106_000, revision=2), SYSTEM, "escrow.nothing_changes",
            id="same_totals",
        ),
        pytest.param(nothing, RELEASE, SYSTEM, "escrow.not_held", id="released_without_escrow"),
        pytest.param(released, replace(RELEASE, release_id="r2"), SYSTEM, "escrow.not_held", id="twice_by_another_id"),
        pytest.param(cancelled, RELEASE, SYSTEM, "escrow.not_held", id="released_after_cancel"),
        pytest.param(released, CANCEL, SYSTEM, "escrow.not_held", id="cancelled_after_release"),
        pytest.param(cancelled, replace(CANCEL, refund_id="c2"), SYSTEM, "escrow.not_held", id="cancelled_twice"),
        pytest.param(held, RELEASE, AS_CREATOR, "actor.role_missing", id="creator_cannot_release"),
        pytest.param(held, replace(RELEASE, creator_id=BRAND), SYSTEM, "escrow.terms_differ", id="to_another"),
        pytest.param(
            held, replace(RELEASE, fee_minor=0, brand_fee_minor=0), SYSTEM, "amount.not_positive", id="release_nothing"
        ),
        pytest.param(held, replace(RELEASE, fee_minor=10**7), SYSTEM, "escrow.not_enough_left", id="more_than_held"),
        pytest.param(
            held, replace(RELEASE, creator_fee_bps=1_001), SYSTEM, "fee.creator_fee_out_of_range", id="over_the_policy"
        ),
        pytest.param(
            held, replace(RELEASE, split=(Weight(CREATOR, 1), Weight(CREATOR, 2))), SYSTEM, "release.split_malformed",
            id="a_payee_twice",
        ),
        pytest.param(
            held, replace(CANCEL, kill_fee_minor=1_000_001), SYSTEM, "escrow.kill_fee_out_of_range", id="kill_too_much"
        ),
        pytest.param(released, replace(PAY, owner=BRAND), AS_CREATOR, "payout.not_a_party", id="payout_of_another"),
        pytest.param(
            payout_asked, PAY, replace(AS_CREATOR, tenant=BRAND), "payout.not_a_party", id="a_strangers_repeat_of_a_payout"
        ),
        pytest.param(
            released, replace(PAY, account=Code.ESCROW), AS_CREATOR, "payout.account_not_payable", id="not_payable"
        ),
        pytest.param(released, replace(PAY, amount_minor=10**6), AS_CREATOR, "payout.more_than_available", id="overdraft"),
        pytest.param(
            payout_asked, replace(PAY, amount_minor=1), AS_CREATOR, "chain.exists_with_other_input", id="payout_reused"
        ),
        pytest.param(
            nothing, ConfirmTransfer(TransferKind.PAYOUT, PAYOUT), SYSTEM, "payout.unknown", id="unknown_payout"
        ),
        pytest.param(
            payout_asked, ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "", -1), SYSTEM, "amount.not_positive", id="fee<0"
        ),
        pytest.param(
            funded, RequestRefund(REFUND, derived_id("deposit", "d1"), 2_000_001), AS_BRAND, "refund.more_than_deposited",
            id="refund_too_much",
        ),
        pytest.param(
            funded, RequestRefund(REFUND, derived_id("deposit", "d1"), 1), STRANGER, "deposit.unknown",
            id="refund_of_another",
        ),
        pytest.param(nothing, RequestRefund(REFUND, DEPOSIT, 1), AS_BRAND, "deposit.unknown", id="refund_unknown"),
        pytest.param(asked, RequestRefund(REFUND, DEPOSIT, 1), AS_BRAND, "deposit.not_confirmed", id="refund_pending"),
    ],
)  # fmt: skip
def test_refusals_change_nothing(given: Given, when: Command, actor: Actor, code: str) -> None:
    world = World()
    given(world)
    before = dict(world.rows)
    with pytest.raises(Fault) as refused:
        world.run(when, actor)
    assert refused.value.code == code
    assert world.rows == before
