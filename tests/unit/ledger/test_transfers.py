"""Legs on single accounts: phases, closed accounts, ids that are taken, and what can never be pending."""

from dataclasses import replace

import pytest

from kernel.core.faults import Refused
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import RequestDeposit, RequestPayout
from services.ledger.domain.hashchain import Chained, Link, walk
from services.ledger.domain.transfers import (
    Leg,
    Phase,
    Ref,
    account_key,
    apply_legs,
    check_bounds,
    check_closing,
    check_open,
    opened,
)
from tests.unit.ledger.given import DEPOSIT, PAYOUT, asked, payout_asked
from tests.unit.ledger.world import AS_BRAND, AS_CREATOR, BRAND, CREATOR, World

BRANDS, ESCROW = Ref(Code.BRAND_AVAILABLE, "b"), Ref(Code.ESCROW, "d")
FROM, TO = account_key(BRANDS, "CNY"), account_key(ESCROW, "CNY")


def moved(*phases: Phase) -> tuple[int, int, int, int]:
    """The debit account's four sums after a leg of 5 in each phase."""
    after = apply_legs({}, [Leg(BRANDS, ESCROW, 5, "CNY", phase) for phase in phases])
    account, other = after[FROM], after[TO]
    assert (account.debits_pending, account.debits_posted) == (other.credits_pending, other.credits_posted)
    return account.debits_pending, account.debits_posted, other.balance_minor, account.spendable_minor


@pytest.mark.parametrize(
    ("phases", "sums"),
    [
        ([Phase.POSTED], (0, 5, 5, -5)),
        ([Phase.PENDING], (5, 0, 0, -5)),
        ([Phase.PENDING, Phase.POST], (0, 5, 5, -5)),
        ([Phase.PENDING, Phase.VOID], (0, 0, 0, 0)),
    ],
)
def test_phases(phases: list[Phase], sums: tuple[int, int, int, int]) -> None:
    assert moved(*phases) == sums


def test_pending_arrivals_are_not_spendable() -> None:
    after = apply_legs({}, [Leg(BRANDS, ESCROW, 5, "CNY", Phase.PENDING)])
    assert after[TO].spendable_minor == 0


def test_what_is_closed_takes_nothing_and_what_holds_money_is_not_closed() -> None:
    accounts = {TO: replace(opened(TO), closed=True)}
    with pytest.raises(Refused, match=r"account\.closed"):
        check_open(accounts, [FROM, TO])
    with pytest.raises(Refused, match=r"account\.not_empty"):
        check_closing({TO: replace(opened(TO), credits_posted=1)}, [TO])


def test_nothing_is_posted_or_voided_that_was_not_pending() -> None:
    clearing = Ref(Code.PSP_CLEARING, "psp")
    for phase in (Phase.POST, Phase.VOID):
        with pytest.raises(Refused, match=r"account\.nothing_pending"):
            check_bounds(apply_legs({}, [Leg(clearing, BRANDS, 5, "CNY", phase)]))


def test_one_id_is_one_transfer_whatever_its_kind() -> None:
    world = World()
    payout_asked(world)
    asked(world)
    with pytest.raises(Refused, match=r"transfer\.exists"):
        world.run(RequestDeposit(PAYOUT, BRAND, "CNY", 5, "tok"), AS_BRAND)
    with pytest.raises(Refused, match=r"transfer\.exists"):
        world.run(RequestPayout(DEPOSIT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 5, "acct"), AS_CREATOR)


def test_a_broken_chain_stays_broken() -> None:
    broken = Chained(3, "f" * 64, 4, "found position 6")
    assert walk(broken, [Link(4, "s", 1, "n", b"", b"")]) == broken
