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
    cancelled,
    funded,
    held,
    nothing,
    payout_asked,
    released,
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

STRANGER = replace(AS_BRAND, tenant=OTHER_BRAND)


@pytest.mark.parametrize(
    ("given", "when", "actor", "code"),
    [
        pytest.param(nothing, ASK, STRANGER, "deposit.not_a_party", id="deposit_for_another"),
        pytest.param(nothing, ASK, AS_CREATOR, "actor.role_missing", id="a_creator_deposits_nothing"),
        pytest.param(nothing, replace(ASK, amount_minor=0), AS_BRAND, "amount.not_positive", id="zero"),
        pytest.param(nothing, replace(ASK, amount_minor=10**16), AS_BRAND, "amount.too_large", id="too_large"),
        pytest.param(nothing, replace(ASK, currency="XXX"), AS_BRAND, "money.unknown_currency", id="currency"),
        pytest.param(nothing, replace(ASK, instrument=""), AS_BRAND, "text.malformed", id="no_instrument"),
        pytest.param(asked, replace(ASK, amount_minor=6_000), AS_BRAND, "chain.exists_with_other_input", id="other_body"),
        pytest.param(nothing, ConfirmDeposit(DEPOSIT, "CNY", 1), SYSTEM, "deposit.unknown", id="unknown_deposit"),
        pytest.param(
            funded, FailDeposit(derived_id("deposit", "d1")), SYSTEM, "deposit.not_pending", id="confirmed_cannot_fail"
        ),
        pytest.param(nothing, SettleLine("b", "1", "?", "CNY", 9, 10), SYSTEM, "settlement.fee_out_of_range", id="fee"),
        pytest.param(
            nothing, IdentifyMoney("i", BRAND, "CNY", 5, "why"), FINANCE, "account.bound_crossed", id="empty_suspense"
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
            released, replace(PAY, account=Code.ESCROW), AS_CREATOR, "payout.account_not_payable", id="not_payable"
        ),
        pytest.param(released, replace(PAY, amount_minor=10**6), AS_CREATOR, "account.bound_crossed", id="overdraft"),
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
            funded, RequestRefund(REFUND, derived_id("deposit", "d1"), 1), STRANGER, "deposit.not_a_party",
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
