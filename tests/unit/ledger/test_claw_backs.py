"""Row 19, the creator's part: what was paid goes back to the brand, from the balance or as a debt; row 10 recovers the debt."""

from dataclasses import replace

import pytest

from kernel.core.faults import Fault, Forbidden
from kernel.core.ids import derived_id
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.commands import (
    ClawBackPayment,
    ConfirmTransfer,
    FailTransfer,
    PayInOwnMoney,
    ReleasePayment,
    RequestPayout,
)
from services.ledger.domain.events import ChainPosted, TransferKind
from tests.unit.ledger.given import (
    DELIVERABLE,
    PAYOUT,
    RELEASE,
    Given,
    cancelled,
    do,
    held,
    in_debt,
    legs,
    nothing,
    released,
)
from tests.unit.ledger.world import AS_CREATOR, BRAND, CREATOR, FINANCE, SYSTEM, World, hold_command

CLAW = ClawBackPayment("claw", DELIVERABLE, BRAND, CREATOR, "CNY", 600_000, "content.gone")
NEXT = derived_id("deliverable", "next")


def spent(world: World) -> None:
    """The creator has been paid 991,000 and has taken out 891,000 of it; the platform has money of its own."""
    released(world)
    world.by_hand(PayInOwnMoney("own", "CNY", 2_000_000))
    world.run(RequestPayout(PAYOUT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 891_000, "acct"), AS_CREATOR)


def test_from_the_balance() -> None:
    world = World()
    released(world)
    events = do(world, CLAW)
    assert legs(events) == ["creator_available>brand_available 600000"]
    (chain,) = events
    assert isinstance(chain, ChainPosted)
    assert (chain.taken_minor, chain.owed_minor, chain.reason) == (600_000, 0, "content.gone")
    assert not [row for row in world.table("deadlines").values() if row.name == "expire"], (
        "an ended escrow has no clock"
    )


def test_what_the_balance_lacks_is_a_debt_that_the_next_payment_recovers() -> None:
    """The brand has its money at once; own money covers what the platform's fees, which lie at the bank, do not."""
    world = World()
    spent(world)
    assert legs(do(world, CLAW)) == [
        "creator_available>brand_available 100000", "creator_receivable>brand_available 500000", "bank>bank_own 394000",
    ]  # fmt: skip
    assert world.account(Code.CREATOR_RECEIVABLE, CREATOR).spendable_minor == 500_000
    do(world, hold_command(NEXT, 550_000, 0))
    paid = legs(do(world, ReleasePayment("r2", NEXT, CREATOR, "CNY", 550_000, 0)))
    assert paid[-1] == "creator_available>creator_receivable 500000"
    assert world.account(Code.CREATOR_RECEIVABLE, CREATOR).spendable_minor == 0


@pytest.mark.parametrize("arrived", [False, True])
def test_a_payout_that_comes_back_pays_the_debt_first(arrived: bool) -> None:
    """Else who asks for a payout before the claw-back, to an account that takes none, keeps the money and the debt."""
    world = World()
    spent(world)
    do(world, CLAW)
    if arrived:
        world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT))
    events = do(world, FailTransfer(TransferKind.PAYOUT, PAYOUT, "account closed"))
    assert legs(events)[-1] == "creator_available>creator_receivable 500000"
    assert world.account(Code.CREATOR_RECEIVABLE, CREATOR).spendable_minor == 0
    assert world.account(Code.CREATOR_AVAILABLE, CREATOR).spendable_minor == 391_000


def test_a_release_pays_an_old_debt_once() -> None:
    """Also where the creator has something free from before: a debt is paid of what comes."""
    world = World()
    in_debt(world)
    key = ("CNY", Code.CREATOR_AVAILABLE.value, CREATOR)
    world.put("accounts", key, Account(*key, credits_posted=30_000))
    equity = ("CNY", Code.EQUITY.value, "test2")
    world.put("accounts", equity, Account(*equity, debits_posted=30_000))
    paid = legs(world.run(RELEASE))
    assert [leg for leg in paid if leg.startswith("creator_available")] == [
        "creator_available>creator_receivable 40000"
    ]


@pytest.mark.parametrize(
    ("given", "command", "code"),
    [
        pytest.param(nothing, CLAW, "escrow.not_released", id="nothing_was_held"),
        pytest.param(held, CLAW, "escrow.not_released", id="nothing_was_paid"),
        pytest.param(cancelled, CLAW, "escrow.not_released", id="it_was_cancelled"),
        pytest.param(released, replace(CLAW, creator_id=BRAND), "escrow.terms_differ", id="another_creator"),
        pytest.param(released, replace(CLAW, brand_id=CREATOR), "escrow.terms_differ", id="another_brand"),
        pytest.param(released, replace(CLAW, amount_minor=0), "claw_back.amount_out_of_range", id="nothing"),
        pytest.param(released, replace(CLAW, amount_minor=1_000_001), "claw_back.amount_out_of_range", id="too_much"),
    ],
)
def test_refusals(given: Given, command: ClawBackPayment, code: str) -> None:
    world = World()
    given(world)
    with pytest.raises(Fault) as refused:
        world.run(command, SYSTEM)
    assert refused.value.code == code


def test_all_claw_backs_of_a_deliverable_take_at_most_its_fee() -> None:
    world = World()
    released(world)
    do(world, CLAW)
    with pytest.raises(Fault, match=r"claw_back\.amount_out_of_range"):
        world.run(replace(CLAW, claw_back_id="other"), SYSTEM)
    do(world, replace(CLAW, claw_back_id="other", amount_minor=400_000))


def test_it_is_the_processes_to_ask_for() -> None:
    world = World()
    released(world)
    for actor in (AS_CREATOR, FINANCE):
        with pytest.raises(Forbidden):
            world.run(CLAW, actor)
    assert RELEASE.deliverable_id == CLAW.deliverable_id
