"""Four eyes: a command by which a person of finance moves somebody's money needs the approval of another such person.

The proposal's id is derived from the command itself, so that nothing but the very command that was approved is decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from kernel.core.canonical import canonical, without_defaults
from kernel.core.decider import Actor, Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Refused
from kernel.core.ids import derived_id, split_stream, stream_id
from services.ledger.domain.set_by_hand import Set, setter_of

PROPOSAL, USED = "proposal", "used"


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount of one currency, minor units."""

    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Move:
    """What is proposed: the stored name of the command and its canonical JSON, whose money it is, and how much of it."""

    command: str
    data: str
    owners: tuple[str, ...]
    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class MoveProposed:
    """Another person may approve it until `expires_at`. `decided_at` is of the decision: an event is stored a moment later,
    which at midnight may be another day."""

    move: Move
    proposed_by: str
    expires_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveApproved:
    """The command may be executed until `expires_at`; `decided_at` as in MoveProposed."""

    move: Move
    proposed_by: str
    approved_by: str
    expires_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveRejected:
    move: Move
    rejected_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class MoveExpired:
    """Nobody approved it in time."""

    move: Move


Event = MoveProposed | MoveApproved | MoveRejected | MoveExpired


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row of the inline table `proposals` per command; `status` is proposed, approved, rejected, expired or used.

    `used` ends the approval of a command whose event is a `Set`: what can be set there and back takes an approval each time.
    A chain's approval needs no such end, since its chain is posted once."""

    proposal_id: str
    status: str
    command: str
    data: str
    proposed_by: str
    expires_at: datetime

    def is_open(self, at: datetime) -> bool:
        """Whether the proposal, or its approval, still counts."""
        return self.status in ("proposed", "approved") and at < self.expires_at


@dataclass(frozen=True, slots=True)
class HandSum:
    """One row of the inline table `hand_sums` per person, currency and day (UTC): what the person proposed and approved."""

    person: str
    currency: str
    day: str
    amount_minor: int


def proposal_id(command: object) -> str:
    """A command that grows a field with a default keeps its id."""
    text = canonical(without_defaults(command)).decode()
    return derived_id(PROPOSAL, type(command).__name__, text)


def proposal_stream(id_: str) -> str:
    return stream_id(PROPOSAL, id_)


def is_by_hand(actor: Actor, owner: str = "") -> bool:
    """Whether a person of finance acts with what is not the person's own organisation's."""
    return "finance" in actor.roles and (not owner or actor.tenant != owner)


def check_two_people(command: object, context: Context, owner: str = "") -> None:
    """Raises Refused `proposal.needed` for what finance does by hand and nobody else has approved."""
    if not is_by_hand(context.actor, owner):
        return
    row = context.rows.get(PROPOSALS, (proposal_id(command),))
    if row is None or row.status != "approved" or not row.is_open(context.at):
        raise Refused("proposal.needed", do="propose it; another person of finance approves it")


def check_other_person(actor: Actor, proposed_by: str, code: str) -> None:
    """Raises Forbidden `code` when somebody approves what the same person proposed."""
    if actor.id == proposed_by:
        raise Forbidden(code, do="let another person of finance approve it")


_STATUS: Mapping[type, str] = {
    MoveApproved: "approved", MoveRejected: "rejected", MoveExpired: "expired", **dict.fromkeys(get_args(Set), USED),
}  # fmt: skip


def _fold(fact: DecidedEvent[Event | Set], rows: Rows) -> Iterable[tuple[Key, Proposal]]:
    event = fact.event
    id_ = proposal_id(setter_of(event)) if isinstance(event, Set) else split_stream(fact.stream)[1]
    if isinstance(event, MoveProposed):
        move = event.move
        yield (id_,), Proposal(id_, "proposed", move.command, move.data, event.proposed_by, event.expires_at)
        return
    row = rows.get(PROPOSALS, (id_,))
    if row is not None:
        yield (id_,), replace(row, status=_STATUS[type(event)])


def sum_key(person: str, currency: str, at: datetime) -> Key:
    return person, currency, at.date().isoformat()


def _fold_sums(fact: DecidedEvent[MoveProposed | MoveApproved], rows: Rows) -> Iterable[tuple[Key, HandSum]]:
    event = fact.event
    person = event.approved_by if isinstance(event, MoveApproved) else event.proposed_by
    for one in event.move.sums:
        key = sum_key(person, one.currency, event.decided_at or fact.at)
        row = rows.get(HAND_SUMS, key)
        before_minor = row.amount_minor if row else 0
        yield key, HandSum(person, one.currency, key[2], before_minor + one.amount_minor)


EVENTS = (MoveProposed, MoveApproved, MoveRejected, MoveExpired)
PROPOSALS: InlineTable[Proposal] = InlineTable(
    "proposals", Proposal, ("proposal_id",), (*EVENTS, *get_args(Set)), _fold
)
HAND_SUMS: InlineTable[HandSum] = InlineTable(
    "hand_sums", HandSum, ("person", "currency", "day"), (MoveProposed, MoveApproved), _fold_sums
)
