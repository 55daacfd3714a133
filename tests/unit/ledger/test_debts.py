"""What a brand owes after a chargeback, and what the provider says late, twice or of another try."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    ClawBackPayment,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
    HoldEscrow,
    IdentifyMoney,
    RequestDeposit,
    RequestRefund,
    SettleLine,
)
from services.ledger.domain.events import ChainKind, EscrowRefused, TransferKind
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit
from tests.unit.ledger.given import (
    CANCEL,
    D1,
    DELIVERABLE,
    DEPOSIT,
    PAYOUT,
    REFUND,
    RELEASE,
    asked,
    do,
    funded,
    held,
    legs,
    payout_asked,
)
from tests.unit.ledger.world import (
    AS_BRAND,
    BRAND,
    CREATOR,
    FINANCE,
    NOON,
    SYSTEM,
    World,
    chains,
    check_invariants,
    deposit,
    hold_command,
)

SECOND = timedelta(seconds=1)
DISPUTED = ReverseDeposit(D1, "cb_1", "CNY", 2_000_000, 1_500, "fraudulent")


def owing(world: World) -> None:
    """A deposit of 2,000,000 disputed whole, of which 1,106,000 is in escrow and 100,000 on its way back to the payer."""
    held(world)
    world.run(RequestRefund(REFUND, D1, 100_000), AS_BRAND)
    world.run(ConfirmTransfer(TransferKind.REFUND, REFUND))
    world.run(DISPUTED)
    assert debt(world) == 1_206_000


def debt(world: World) -> int:
    return world.account(Code.BRAND_RECEIVABLE, BRAND).balance_minor


def free(world: World) -> int:
    return world.account(Code.BRAND_AVAILABLE, BRAND).spendable_minor


def deposited(world: World) -> None:
    world.run(RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "tok"), AS_BRAND)
    do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000))


def deposited_late(world: World) -> None:
    world.run(RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "tok"), AS_BRAND)
    world.run(FailDeposit(DEPOSIT, "deposit.expired"))
    do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000))


def identified(world: World) -> None:
    world.run(SettleLine("b7", "1", "?", "CNY", 5_000, 0, provider_ref="ch_9"))
    do(world, IdentifyMoney("i", BRAND, "CNY", 5_000, "theirs"), FINANCE)


def refund_back(world: World) -> None:
    do(world, ReturnTransfer(TransferKind.REFUND, REFUND))


def escrow_back(world: World) -> None:
    do(world, replace(CANCEL, kill_fee_minor=0))


def clawed_back(world: World) -> None:
    do(world, RELEASE)
    do(world, ClawBackPayment("cl", DELIVERABLE, BRAND, CREATOR, "CNY", 7_000))


@pytest.mark.parametrize(
    ("comes", "amount_minor"),
    [
        (deposited, 5_000), (deposited_late, 5_000), (identified, 5_000), (refund_back, 100_000),
        (escrow_back, 1_106_000), (clawed_back, 7_000),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)  # fmt: skip
def test_what_comes_to_a_brand_that_owes_pays_its_debt_first(comes: Callable[[World], None], amount_minor: int) -> None:
    world = World()
    owing(world)
    comes(world)
    assert (debt(world), free(world)) == (1_206_000 - amount_minor, 0)
    assert f"brand_available>brand_receivable {amount_minor}" in legs(world.posted)
    check_invariants(world)


def test_what_is_more_than_the_debt_is_free() -> None:
    world = World()
    owing(world)
    deposit(world, 1_300_000, name="d9")
    assert (debt(world), free(world)) == (0, 94_000)
    do(world, RestoreDeposit(D1, "cb_1", "CNY", 2_000_000))
    assert (debt(world), free(world)) == (0, 2_094_000)


def test_who_owes_promises_nothing_new_and_may_promise_less() -> None:
    world = World()
    owing(world)
    for hold in (hold_command(derived_id("other"), 1, 0), hold_command(DELIVERABLE, 1_100_000, 106_000, revision=2)):
        (refused,) = world.run(hold)
        assert isinstance(refused, EscrowRefused)
        assert refused.code == "escrow.brand_owes"
    less: HoldEscrow = hold_command(DELIVERABLE, 900_000, 106_000, revision=3)
    assert legs(do(world, less)) == ["escrow>brand_available 100000", "brand_available>brand_receivable 100000"]


def test_work_that_was_promised_is_paid_though_the_brand_owes() -> None:
    world = World()
    owing(world)
    do(world, RELEASE)
    assert world.escrow(DELIVERABLE).status == "released"


def failed(provider_ref: str = "", seconds: int | None = None) -> FailDeposit:
    return FailDeposit(DEPOSIT, "declined", provider_ref, NOON + seconds * SECOND if seconds is not None else None)


@pytest.mark.parametrize(
    ("word", "came_back"),
    [
        pytest.param(failed("ch_1"), True, id="of_the_same_try"),
        pytest.param(failed(), True, id="of_no_named_try"),
        pytest.param(failed("ch_0"), False, id="of_another_try"),
        pytest.param(failed("ch_1", -60), False, id="told_of_before"),
        pytest.param(failed("", -60), False, id="told_of_before_without_a_name"),
        pytest.param(failed("ch_1", 60), True, id="told_of_after"),
        pytest.param(failed("re_1", 60), True, id="told_of_after_under_a_name_of_its_own"),
    ],
)
def test_a_failure_after_the_arrival_is_of_its_own_try(word: FailDeposit, came_back: bool) -> None:
    world = World()
    asked(world)
    do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000, "ch_1", NOON))
    events = do(world, word)
    assert [one.kind for one in chains(events)] == ([ChainKind.DEPOSIT_REVERSED] if came_back else [])
    assert free(world) == (0 if came_back else 5_000)


@pytest.mark.parametrize("ref", ["po_1", "po_0"])
def test_so_is_that_of_a_payout(ref: str) -> None:
    world = World()
    payout_asked(world)
    world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "po_1"))
    do(world, FailTransfer(TransferKind.PAYOUT, PAYOUT, "declined", ref))
    assert world.row("transfers", PAYOUT).status == ("returned" if ref == "po_1" else "confirmed")


def test_a_failure_after_a_dispute_that_took_all_is_for_a_person() -> None:
    world = World()
    held(world)
    world.run(DISPUTED)
    assert world.tried(f"deposit-{D1}", FailDeposit(D1, "declined"), SYSTEM) == "deposit.disputed"


def test_a_failure_after_a_dispute_of_a_part_takes_the_rest() -> None:
    world = World()
    funded(world)
    do(world, replace(DISPUTED, amount_minor=500_000))
    do(world, FailDeposit(D1, "declined"))
    assert world.row("transfers", D1).reversed_minor == 2_000_000


def test_a_case_wins_no_more_than_it_took() -> None:
    world = World()
    funded(world)
    do(world, replace(DISPUTED, amount_minor=500_000))
    do(world, replace(DISPUTED, case="cb_2", amount_minor=1_000_000))
    won = RestoreDeposit(D1, "cb_1", "CNY", 500_001)
    assert world.tried(f"deposit-{D1}", won, SYSTEM) == "deposit.reversal_too_large"
    do(world, replace(won, amount_minor=400_000))
    assert world.row("transfers", D1).reversed_minor == 1_100_000
    assert world.tried(f"deposit-{D1}", replace(won, amount_minor=100_000), SYSTEM) == "chain.exists_with_other_input"


@pytest.mark.parametrize("failed_before", [False, True], ids=["pending", "failed"])
@pytest.mark.parametrize("amount_minor", [5_000, 2_000], ids=["whole", "part"])
def test_a_dispute_tells_that_its_deposit_arrived(failed_before: bool, amount_minor: int) -> None:
    """Else the word `succeeded` behind it would make disputed money free."""
    world = World()
    asked(world)
    if failed_before:
        world.run(FailDeposit(DEPOSIT, "deposit.expired"))
    opened = ReverseDeposit(DEPOSIT, "cb_1", "CNY", amount_minor, 1_500, "fraudulent")
    kinds = [one.kind for one in chains(do(world, opened))]
    assert kinds == [ChainKind.DEPOSIT_CONFIRMED, ChainKind.DEPOSIT_REVERSED]
    assert do(world, ConfirmDeposit(DEPOSIT, "CNY", 5_000, "ch_1")) == []
    assert free(world) == 5_000 - amount_minor
    do(world, RestoreDeposit(DEPOSIT, "cb_1", "CNY", amount_minor))
    assert (free(world), debt(world)) == (5_000, 0)
