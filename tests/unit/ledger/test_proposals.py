"""Four eyes: what finance moves by hand is proposed by one person, approved by another in time, within sums of a day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest

from kernel.core.decider import Actor, DecidedEvent, Rows
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import (
    CancelEscrow,
    HoldEscrow,
    IdentifyMoney,
    PayInOwnMoney,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    SettleLine,
    stream_of,
)
from services.ledger.domain.four_eyes import (
    HAND_SUMS,
    DayLimits,
    MoveApproved,
    MoveExpired,
    MoveProposed,
    MoveRejected,
    proposal_id,
)
from services.ledger.domain.four_eyes import proposal_stream as stream_of_proposal
from services.ledger.domain.proposals import (
    LIFE,
    NAMES,
    ApproveMove,
    ExpireMove,
    HandCommand,
    ProposeMove,
    RejectMove,
    SettleFile,
    stream_for,
)
from services.ledger.domain.set_by_hand import ChangePayoutAccount, ClearTie, SetReferenceRate, SetTaxResidence
from tests.unit.ledger.given import CANCEL, D1, DEPOSIT, PAYOUT, RELEASE, held, released
from tests.unit.ledger.world import (
    AS_BRAND,
    AS_CREATOR,
    BRAND,
    CREATOR,
    FINANCE,
    NO_LIMITS,
    SECOND,
    SYSTEM,
    World,
)

OWN = PayInOwnMoney("own", "CNY", 700)
CANCEL_LEFT = replace(CANCEL, left_minor=1_106_000)
LIMITS = DayLimits({"CNY": 1_000}, 50)
BY_HAND: list[Any] = [
    OWN, IdentifyMoney("i", BRAND, "CNY", 5, "letter"), RELEASE, CANCEL_LEFT,
    RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "tok"),
    RequestPayout(PAYOUT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 50_000, "acct"), RequestRefund(PAYOUT, D1, 5),
    ChangePayoutAccount(CREATOR, "CNY", "acct_2"), SetTaxResidence(CREATOR, "GB", "passport"),
    SetReferenceRate("USD", "2026-10", 7, 1), ClearTie(BRAND, CREATOR, "a family business"),
]  # fmt: skip


def propose(world: World, command: HandCommand = OWN, actor: Actor = FINANCE, limits: DayLimits = LIMITS) -> list[Any]:
    return world.execute(stream_of_proposal(proposal_id(command)), ProposeMove(command, limits), actor)


def approve(world: World, command: HandCommand = OWN, actor: Actor = SECOND, limits: DayLimits = LIMITS) -> list[Any]:
    return world.execute(stream_of_proposal(proposal_id(command)), ApproveMove(limits), actor)


def tried(world: World, command: Any, actor: Actor, about: HandCommand = OWN) -> str:
    return world.tried(stream_of_proposal(proposal_id(about)), command, actor)


@pytest.mark.parametrize("command", BY_HAND, ids=lambda command: type(command).__name__)
def test_one_person_of_finance_moves_nothing(command: Any) -> None:
    """Neither without a proposal, nor with the own one; with another's approval the very command is decided."""
    world = World()
    (held if isinstance(command, ReleasePayment | CancelEscrow) else released)(world)
    stream = stream_for(command)
    assert world.tried(stream, command, FINANCE) == "proposal.needed"
    propose(world, command, limits=NO_LIMITS)
    for actor in (FINANCE, SECOND):
        assert world.tried(stream, command, actor) == "proposal.needed"
    assert tried(world, ApproveMove(NO_LIMITS), FINANCE, command) == "proposal.own"
    approve(world, command, limits=NO_LIMITS)
    assert tried(world, ApproveMove(NO_LIMITS), FINANCE, command) == "proposal.own", "nor once another has approved it"
    decided = {IdentifyMoney: "account.bound_crossed", ClearTie: "tie.none"}  # nothing is in suspense here, nobody tied
    assert world.tried(stream, command, SECOND) == decided.get(type(command), "")


def test_every_move_by_hand_has_a_word_and_is_tried_here() -> None:
    assert set(NAMES.values()) == set(get_args(HandCommand)) == {type(one) for one in BY_HAND} | {SettleFile}


@pytest.mark.parametrize(
    "command",
    [
        SettleLine("b", "1", "?", "CNY", 900, 0),
        HoldEscrow(DEPOSIT, 1, DEPOSIT, DEPOSIT, BRAND, CREATOR, "CNY", 7, 1),
    ],
    ids=["a line of a file", "an escrow"],
)
def test_what_nobody_can_propose_finance_cannot_do(command: Any) -> None:
    world = World()
    released(world)
    assert type(command) not in NAMES.values()
    assert world.tried(stream_of(command), command, FINANCE) == "proposal.needed"


@pytest.mark.parametrize("changed", [replace(OWN, amount_minor=701), replace(OWN, currency="USD")])
def test_an_approval_is_of_the_very_command(changed: PayInOwnMoney) -> None:
    world = World()
    propose(world)
    approve(world)
    assert world.tried(stream_for(changed), changed, FINANCE) == "proposal.needed"


def test_both_are_named_and_the_owner_too() -> None:
    world = World()
    command = RequestPayout(PAYOUT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 900, "acct")
    released(world)
    (proposed,) = propose(world, command)
    (approved,) = approve(world, command)
    assert isinstance(proposed, MoveProposed)
    assert isinstance(approved, MoveApproved)
    assert (proposed.proposed_by, approved.proposed_by, approved.approved_by) == ("fin", "fin", "fred")
    assert (proposed.move.owners, proposed.move.command) == ((CREATOR,), "payout")
    assert [(one.currency, one.amount_minor) for one in proposed.move.sums] == [("CNY", 900)]
    assert (propose(world, command), approve(world, command)) == ([], []), "a repeat decides nothing"


def test_owners_ask_for_themselves() -> None:
    world = World()
    released(world)
    assert world.run(RequestPayout(PAYOUT, CREATOR, Code.CREATOR_AVAILABLE, "CNY", 50_000, "acct"), AS_CREATOR)
    assert world.run(RequestDeposit(DEPOSIT, BRAND, "CNY", 5_000, "tok"), AS_BRAND)


@pytest.mark.parametrize("actor", [AS_BRAND, AS_CREATOR, SYSTEM])
def test_only_finance_proposes_approves_and_rejects(actor: Actor) -> None:
    world = World()
    assert tried(world, ProposeMove(OWN, LIMITS), actor) == "actor.role_missing"
    propose(world)
    assert tried(world, ApproveMove(LIMITS), actor) == "actor.role_missing"
    assert tried(world, RejectMove("no"), actor) == "actor.role_missing"


def test_a_proposal_ends_by_the_clock_and_can_be_made_again_by_another() -> None:
    world = World()
    propose(world)
    (deadline,) = [row for row in world.table("deadlines").values() if row.command == "move.expire@1"]
    assert deadline.due_at == world.at + LIFE
    assert tried(world, ExpireMove(), SYSTEM) == ""
    world.at += LIFE
    assert tried(world, ApproveMove(LIMITS), SECOND) == "proposal.not_open"
    assert world.execute(deadline.stream, ExpireMove(), SYSTEM) == [MoveExpired(world.events[0].event.move)]
    propose(world, actor=SECOND)
    assert tried(world, ApproveMove(LIMITS), SECOND) == "proposal.own"
    assert approve(world, actor=FINANCE)


def test_an_approval_ends_by_the_clock_too() -> None:
    world = World()
    propose(world)
    approve(world)
    world.at += LIFE
    assert world.tried(stream_for(OWN), OWN, FINANCE) == "proposal.needed"
    propose(world)
    assert world.tried(stream_for(OWN), OWN, FINANCE) == "proposal.needed"
    approve(world)
    assert world.run(OWN, FINANCE)


def test_what_was_rejected_is_not_done() -> None:
    world = World()
    propose(world)
    (rejected,) = world.execute(stream_of_proposal(proposal_id(OWN)), RejectMove("no such money"), SECOND)
    assert rejected == MoveRejected(world.events[0].event.move, "fred", "no such money")
    assert tried(world, ApproveMove(LIMITS), SECOND) == "proposal.not_open"
    assert world.tried(stream_for(OWN), OWN, FINANCE) == "proposal.needed"
    assert not [row for row in world.table("deadlines").values() if row.command == "move.expire@1"]


def test_the_sums_of_a_person_s_day_have_a_limit() -> None:
    """Proposing counts as approving does; the next day begins at midnight UTC."""
    world = World()
    propose(world)
    more = replace(OWN, reference="more", amount_minor=301)
    assert tried(world, ProposeMove(more, LIMITS), FINANCE, more) == "proposal.day_limit"
    propose(world, replace(more, amount_minor=300))
    approve(world)
    assert tried(world, ProposeMove(more, LIMITS), SECOND, more) == "proposal.day_limit"
    dollars = replace(more, currency="USD", amount_minor=51)
    assert tried(world, ProposeMove(dollars, LIMITS), FINANCE, dollars) == "proposal.day_limit"
    third = Actor("flo", "platform", FINANCE.roles)
    propose(world, more, third)
    assert tried(world, ApproveMove(LIMITS), SECOND, more) == "proposal.day_limit"
    world.at += timedelta(days=1)
    assert approve(world, more)


def test_a_sum_counts_on_the_day_of_its_decision_though_the_event_is_stored_the_next() -> None:
    """Else the books' proof and what was decided differ at midnight."""
    world, nothing = World(), cast(Rows, SimpleNamespace(get=lambda table, key: None))
    world.at = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    for event in (*propose(world), *approve(world)):
        stored = DecidedEvent("proposal-x", "platform", 1, world.at + timedelta(seconds=1), event)
        ((key, row),) = HAND_SUMS.fold(stored, nothing)
        assert row is not None
        assert (key[2], row.day) == ("2026-11-20", "2026-11-20")


def test_a_cancellation_counts_with_all_that_it_returns_and_tells_both_sides() -> None:
    world = World()
    held(world)
    (proposed,) = propose(world, CANCEL_LEFT, limits=NO_LIMITS)
    assert proposed.move.owners == (BRAND, CREATOR)
    assert [one.amount_minor for one in proposed.move.sums] == [1_106_000]


@pytest.mark.parametrize(
    ("command", "other"),
    [
        (SetTaxResidence(CREATOR, "GB", "passport"), SetTaxResidence(CREATOR, "SG", "letter")),
        (SetReferenceRate("USD", "2026-10", 7, 1), SetReferenceRate("USD", "2026-10", 8, 1)),
        (ChangePayoutAccount(CREATOR, "CNY", "acct_2"), ChangePayoutAccount(CREATOR, "CNY", "acct_3")),
    ],
    ids=["residence", "rate", "account"],
)
def test_an_approval_is_used_once(command: HandCommand, other: HandCommand) -> None:
    """What was set, changed by two people and would be set again takes another approval; a repeat decides nothing."""
    world, stream = World(residences={}), stream_for(command)
    for one in (command, other):
        world.at += timedelta(minutes=1)
        propose(world, one, limits=NO_LIMITS)
        approve(world, one, limits=NO_LIMITS)
        world.at += timedelta(minutes=1)
        assert world.execute(stream, one, FINANCE)
        assert (propose(world, one, limits=NO_LIMITS), world.execute(stream, one, SECOND)) == ([], [])
    assert world.tried(stream, command, SECOND) == "proposal.needed"
    assert approve(world, command, limits=NO_LIMITS) == []
    assert world.tried(stream, command, SECOND) == "proposal.needed"
    propose(world, command, SECOND, NO_LIMITS)
    assert world.tried(stream, command, SECOND) == "proposal.needed"
    approve(world, command, FINANCE, NO_LIMITS)
    assert world.execute(stream, command, SECOND)
