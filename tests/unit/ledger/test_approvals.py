"""An approval counts for the sum that both people saw, as long as its approver's tokens, until it is rejected or carried out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.ledger.domain.commands import CancelEscrow, IdentifyMoney, ReleasePayment
from services.ledger.domain.four_eyes import MoveApproved, MoveCarriedOut, MoveRejected, Revoked, proposal_id
from services.ledger.domain.four_eyes import proposal_stream as stream_of_proposal
from services.ledger.domain.proposals import ApproveMove, ProposeMove, RejectMove, SettleFile, stream_for
from services.ledger.domain.set_by_hand import ClearTie
from services.ledger.domain.waiting import PaymentDeferred
from tests.unit.ledger.given import CANCEL, DELIVERABLE, RELEASE, held, released
from tests.unit.ledger.test_proposals import BY_HAND, CANCEL_LEFT, LIMITS, OWN, approve, propose, tried
from tests.unit.ledger.world import FINANCE, NO_LIMITS, SECOND, World, hold_command


def test_a_cancellation_returns_the_sum_that_was_agreed_on_and_no_other() -> None:
    """An escrow that grew after the proposal would return more than both people saw, and than a person may move in a day."""
    world = World()
    held(world)
    stale = replace(CANCEL, left_minor=1_105_999)
    assert tried(world, ProposeMove(stale, NO_LIMITS), FINANCE, stale) == "escrow.left_differs"
    world.agree_on(CANCEL_LEFT)
    world.run(replace(hold_command(DELIVERABLE, 1_500_000, 159_000), revision=2))
    assert world.tried(stream_for(CANCEL), CANCEL_LEFT, FINANCE) == "escrow.left_differs"
    assert world.escrow(DELIVERABLE).left_minor == 1_659_000
    now = replace(CANCEL, refund_id="c2", left_minor=1_659_000)
    world.agree_on(now)
    assert world.run(now, FINANCE)


@pytest.mark.parametrize("command", BY_HAND, ids=lambda command: type(command).__name__)
def test_an_approved_move_is_rejected_until_it_is_carried_out(command: Any) -> None:
    for done in (False, True):
        world = World()
        (held if isinstance(command, ReleasePayment | CancelEscrow) else released)(world)
        propose(world, command, limits=NO_LIMITS)
        approve(world, command, limits=NO_LIMITS)
        if done and not isinstance(command, IdentifyMoney | ClearTie):  # nothing is in suspense here, nobody tied
            assert world.execute(stream_for(command), command, SECOND)
            assert tried(world, RejectMove("late"), FINANCE, command) == "proposal.not_open"
            assert approve(world, command, limits=NO_LIMITS) == [], "a repeat decides nothing"
            assert world.execute(stream_for(command), command, SECOND) == []
        else:
            stream = stream_of_proposal(proposal_id(command))
            (rejected,) = world.execute(stream, RejectMove("found wrong"), FINANCE)
            assert isinstance(rejected, MoveRejected)
            assert tried(world, ApproveMove(NO_LIMITS), SECOND, command) == "proposal.not_open"
            assert world.tried(stream_for(command), command, SECOND) == "proposal.needed"


def test_a_payment_by_hand_that_waits_is_carried_out_and_asked_again_decides_nothing() -> None:
    world = World(residences={})
    held(world)
    world.agree_on(RELEASE)
    found = world.run(RELEASE, FINANCE)
    assert [type(one) for one in found] == [PaymentDeferred, MoveCarriedOut]
    assert tried(world, RejectMove("late"), FINANCE, RELEASE) == "proposal.not_open"
    assert world.run(RELEASE, FINANCE) == []


@pytest.mark.parametrize("everybody", [False, True])
def test_an_approval_ends_with_its_approver_s_tokens_and_another_s_takes_its_place(everybody: bool) -> None:
    world = World()
    propose(world)
    world.at += timedelta(hours=1)
    approve(world)
    world.at += timedelta(hours=1)
    third = Actor("flo", "platform", FINANCE.roles)
    revoked = Revoked({"fred": world.at}, world.at - timedelta(minutes=30) if everybody else None)
    if everybody:  # the proposer too
        assert tried(world, ApproveMove(LIMITS, revoked), third) == "proposal.proposer_revoked"
        return
    assert tried(world, ApproveMove(LIMITS, revoked), FINANCE) == "proposal.own"
    (again,) = world.execute(stream_of_proposal(proposal_id(OWN)), ApproveMove(LIMITS, revoked), third)
    assert (again.proposed_by, again.approved_by) == ("fin", "flo")
    assert world.execute(stream_of_proposal(proposal_id(OWN)), ApproveMove(LIMITS, revoked), third) == []
    assert world.run(OWN, third)
    assert world.execute(stream_of_proposal(proposal_id(OWN)), ApproveMove(LIMITS, revoked), third) == []


def with_token(actor: Actor, token_id: str) -> Actor:
    return replace(actor, token_id=token_id)


@pytest.mark.parametrize(
    ("revoked", "left"),
    [({"two"}, "another approves"), ({"one"}, "proposal.proposer_revoked"), ({"three", ""}, "nothing to do")],
)
def test_a_revoked_token_voids_what_was_said_with_it_alone(revoked: set[str], left: str) -> None:
    world, third = World(), Actor("flo", "platform", FINANCE.roles)
    propose(world, actor=with_token(FINANCE, "one"))
    approve(world, actor=with_token(SECOND, "two"))
    again, stream = ApproveMove(LIMITS, Revoked({}, tokens=frozenset(revoked))), stream_of_proposal(proposal_id(OWN))
    if left.startswith("proposal."):
        assert world.tried(stream, again, third) == left
        return
    found = world.execute(stream, again, with_token(third, "four"))
    assert [one.token_id for one in found] == (["four"] if left == "another approves" else [])


def test_who_was_revoked_before_it_acted_counts() -> None:
    world = World()
    earlier = Revoked({"fin": world.at, "fred": world.at}, world.at)
    propose(world)
    approve(world)
    assert world.execute(stream_of_proposal(proposal_id(OWN)), ApproveMove(LIMITS, earlier), SECOND) == []


def test_a_file_is_carried_out_by_its_approval() -> None:
    world, file = World(), SettleFile("ab" * 32, ())
    propose(world, file)
    assert [type(one) for one in approve(world, file)] == [MoveApproved, MoveCarriedOut]
    assert tried(world, RejectMove("late"), FINANCE, file) == "proposal.not_open"
    assert approve(world, file) == []
