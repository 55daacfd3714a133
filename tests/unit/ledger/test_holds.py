"""Payouts that are held: nothing is started meanwhile, what was asked before arrives, and the end of the hold ends it."""

from typing import Any

import pytest
from dandelion.ledger.v1 import commands_pb2 as pb

from kernel.core.decider import Actor
from kernel.core.faults import Forbidden, Refused
from services.ledger.domain.commands import ConfirmTransfer
from services.ledger.domain.events import TransferKind
from services.ledger.domain.holds import HoldPayouts, PayoutsHeld, PayoutsResumed, ResumePayouts, hold_stream
from services.ledger.subscribe import decode_command
from tests.unit.ledger.given import PAY, PAYOUT, payout_asked, released
from tests.unit.ledger.world import AS_CREATOR, BRAND, CREATOR, FINANCE, SYSTEM, World

FRAUD = "authenticity.fraud"
HOLD, RESUME = HoldPayouts(CREATOR, FRAUD), ResumePayouts(CREATOR, FRAUD)


def said(world: World, command: Any, actor: Actor = SYSTEM) -> list[Any]:
    return world.execute(hold_stream(command.owner), command, actor)


def test_a_held_owner_starts_no_payout_until_the_hold_ends() -> None:
    world = World()
    released(world)
    assert said(world, HOLD) == [PayoutsHeld(CREATOR, FRAUD)]
    assert said(world, HOLD) == []
    with pytest.raises(Refused, match=r"payout\.held"):
        world.run(PAY, AS_CREATOR)
    assert said(world, RESUME) == [PayoutsResumed(CREATOR, FRAUD)]
    assert said(world, RESUME) == []
    assert world.run(PAY, AS_CREATOR)


def test_what_was_asked_before_arrives() -> None:
    world = World()
    payout_asked(world)
    said(world, HOLD)
    assert world.run(ConfirmTransfer(TransferKind.PAYOUT, PAYOUT, "ref", 0))


def test_a_hold_is_of_one_owner() -> None:
    world = World()
    released(world)
    said(world, HoldPayouts(BRAND, FRAUD))
    assert world.run(PAY, AS_CREATOR)


@pytest.mark.parametrize("actor", [AS_CREATOR, FINANCE])
def test_nobody_by_hand_holds_or_resumes(actor: Actor) -> None:
    for command in (HOLD, RESUME):
        with pytest.raises(Forbidden):
            said(World(), command, actor)


def test_the_commands_of_discovery_name_the_stream_of_the_owner() -> None:
    for message, command in ((pb.HoldPayouts, HOLD), (pb.ResumePayouts, RESUME)):
        asked = message(owner_id=CREATOR, reason=FRAUD, requester=f"authenticity-{CREATOR}")
        assert decode_command(asked.DESCRIPTOR.full_name, asked.SerializeToString()) == (hold_stream(CREATOR), command)
