"""Payouts go to the account that was paid before; another one has to wait."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Fault, Refused
from services.ledger.domain.commands import ConfirmTransfer, FailTransfer, RequestPayout
from services.ledger.domain.events import TransferKind
from services.ledger.domain.payees import COOL_DOWN, PAYEES, PAYOUT_ACCOUNTS, payee_stream
from services.ledger.domain.set_by_hand import ChangePayoutAccount, PayoutAccountChanged
from tests.unit.ledger.given import PAY, PAYOUT, payout_asked, released
from tests.unit.ledger.world import AGENCY, AS_BRAND, AS_CREATOR, BRAND, CREATOR, World

OTHER = replace(PAY, payout_id=BRAND, instrument="acct_2")
CHANGE = ChangePayoutAccount(CREATOR, "CNY", "acct_2")


def paid(world: World) -> None:
    payout_asked(world)
    world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT))


def change(
    world: World, command: ChangePayoutAccount = CHANGE, actor: Actor = AS_CREATOR
) -> list[PayoutAccountChanged]:
    return world.execute(payee_stream(command.owner, command.currency), command, actor)


def refused(world: World, command: RequestPayout) -> str:
    with pytest.raises(Refused) as found:
        world.run(command, AS_CREATOR)
    return found.value.code


def test_a_proven_account_is_changed_after_the_pause() -> None:
    world = World()
    paid(world)
    assert refused(world, OTHER) == "payout.account_unknown"
    (changed,) = change(world)
    assert changed.usable_at == world.at + COOL_DOWN
    assert change(world) == []
    assert refused(world, OTHER) == "payout.account_cooling_down"
    world.run(replace(PAY, payout_id=CREATOR), AS_CREATOR)
    world.at += COOL_DOWN
    assert world.run(OTHER, AS_CREATOR)
    assert refused(world, replace(PAY, payout_id=AGENCY)) == "payout.account_unknown"


def test_naming_the_account_of_now_again_drops_the_one_that_waits() -> None:
    """Who took over a login for an hour has named an account; its owner finds that and takes it back."""
    world = World()
    paid(world)
    change(world)
    (kept,) = change(world, replace(CHANGE, instrument="acct"))
    assert (kept.usable_at, change(world, replace(CHANGE, instrument="acct"))) == (world.at, [])
    assert world.run(replace(PAY, payout_id=CREATOR), AS_CREATOR)
    world.at += COOL_DOWN
    assert refused(world, OTHER) == "payout.account_unknown"


def test_an_account_that_money_never_reached_is_changed_at_once() -> None:
    world = World()
    payout_asked(world)
    world.run(FailTransfer(TransferKind.PAYOUT, PAYOUT, "closed"))
    assert change(world)[0].usable_at == world.at
    assert world.run(OTHER, AS_CREATOR)


def test_the_first_account_may_be_named_before_the_first_payout() -> None:
    world = World()
    released(world)
    assert change(world)[0].usable_at == world.at
    assert world.run(OTHER, AS_CREATOR)


def test_a_late_confirmation_does_not_turn_back_a_proven_account() -> None:
    world = World()
    payout_asked(world)
    world.run(OTHER, AS_CREATOR)
    world.run(ConfirmTransfer(TransferKind.PAYOUT, BRAND))
    world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT))
    row = world.rows[PAYOUT_ACCOUNTS.name, (CREATOR, "CNY")]
    assert (row.instrument, row.proven) == ("acct_2", True)


@pytest.mark.parametrize(
    ("command", "actor", "code"),
    [
        (CHANGE, AS_BRAND, "actor.role_missing"),
        (replace(CHANGE, owner=BRAND), AS_CREATOR, "payout.not_a_party"),
        (replace(CHANGE, owner="me"), AS_CREATOR, "id.malformed"),
        (replace(CHANGE, instrument=""), AS_CREATOR, "text.malformed"),
        (replace(CHANGE, currency="XXX"), AS_CREATOR, "money.unknown_currency"),
    ],
)
def test_only_the_owner_names_an_account(command: ChangePayoutAccount, actor: Actor, code: str) -> None:
    with pytest.raises(Fault) as found:
        change(World(), command, actor)
    assert found.value.code == code


def test_the_pause_is_days_not_hours() -> None:
    assert timedelta(days=1) <= COOL_DOWN
    assert list(PAYEES.reads(CHANGE, None)) == [(PAYOUT_ACCOUNTS, (CREATOR, "CNY"))]
