"""Four eyes: a command by which a person of finance moves somebody's money needs the approval of another such person.

The proposal's id is derived from the command itself, so that nothing but the very command that was approved is decided.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from kernel.core.canonical import canonical, without_defaults
from kernel.core.decider import Actor, Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, Refused
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
    which at midnight may be another day. `token_id` is the `jti` of the token that it was said with."""

    move: Move
    proposed_by: str
    expires_at: datetime
    decided_at: datetime | None = None
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class MoveApproved:
    """The command may be executed until `expires_at`; `decided_at` and `token_id` as in MoveProposed."""

    move: Move
    proposed_by: str
    approved_by: str
    expires_at: datetime
    decided_at: datetime | None = None
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class MoveRejected:
    move: Move
    rejected_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class MoveExpired:
    """Nobody approved it in time."""

    move: Move


@dataclass(frozen=True, slots=True)
class MoveCarriedOut:
    """Stands beside what the approved command did, on the stream that the command was decided on: the move cannot be
    rejected any more."""

    proposal_id: str
    carried_out_by: str


Event = MoveProposed | MoveApproved | MoveRejected | MoveExpired | MoveCarriedOut


@dataclass(frozen=True, slots=True)
class Revoked:
    """When tokens of people of finance were revoked, by person, and when all of theirs were: what was done before is void. So is
    whatever was done with one of `tokens`, by `jti`."""

    people: Mapping[str, datetime]
    all_at: datetime | None = None
    tokens: frozenset[str] = frozenset()

    def voids(self, person: str, acted_at: datetime | None, token_id: str = "") -> bool:
        """Whether the act does not count; one without a time is taken for the oldest."""
        if token_id in self.tokens:
            return True
        times = [at for at in (self.people.get(person), self.all_at) if at is not None]
        return bool(times) and (acted_at is None or acted_at < max(times))


NOBODY = Revoked({})


@dataclass(frozen=True, slots=True)
class DayLimits:
    """What one person may propose and approve in a day, minor units by currency; `other_minor` of any other currency."""

    by_currency: Mapping[str, int]
    other_minor: int

    def of(self, currency: str) -> int:
        return self.by_currency.get(currency, self.other_minor)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row of the inline table `proposals` per command; `status` is proposed, approved, rejected, expired or used.

    `used` ends the approval: the command was carried out. What can be set there and back takes an approval each time."""

    proposal_id: str
    status: str
    command: str
    data: str
    proposed_by: str
    expires_at: datetime
    approved_by: str

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


def check_two_people(command: object, context: Context, owner: str = "") -> list[MoveCarriedOut]:
    """What stands beside the events of a command that two people agreed on; nothing for what is not done by hand.

    Raises Refused `proposal.needed` for what finance does by hand and nobody else has approved."""
    if not is_by_hand(context.actor, owner):
        return []
    row = context.rows.get(PROPOSALS, (proposal_id(command),))
    if row is None or row.status != "approved" or not row.is_open(context.at):
        raise Refused("proposal.needed", do="propose it; another person of finance approves it")
    return [MoveCarriedOut(row.proposal_id, context.actor.id)]


def check_other_person(actor: Actor, proposed_by: str, code: str) -> None:
    """Raises Forbidden `code` when somebody approves what the same person proposed."""
    if actor.id == proposed_by:
        raise Forbidden(code, do="let another person of finance approve it")


_STATUS: Mapping[type, str] = {
    MoveApproved: "approved", MoveRejected: "rejected", MoveExpired: "expired", MoveCarriedOut: USED,
    **dict.fromkeys(get_args(Set), USED),
}  # fmt: skip


def moved_by(event: Event | Set, stream: str) -> str:
    """The id of the proposal that an event tells of."""
    if isinstance(event, MoveCarriedOut):
        return event.proposal_id
    return proposal_id(setter_of(event)) if isinstance(event, Set) else split_stream(stream)[1]


def _fold(fact: DecidedEvent[Event | Set], rows: Rows) -> Iterable[tuple[Key, Proposal]]:
    event = fact.event
    id_ = moved_by(event, fact.stream)
    if isinstance(event, MoveProposed):
        move = event.move
        yield (id_,), Proposal(id_, "proposed", move.command, move.data, event.proposed_by, event.expires_at, "")
        return
    row = rows.get(PROPOSALS, (id_,))
    if row is not None:
        by = event.approved_by if isinstance(event, MoveApproved) else row.approved_by
        yield (id_,), replace(row, status=_STATUS[type(event)], approved_by=by)


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


EVENTS = (MoveProposed, MoveApproved, MoveRejected, MoveExpired, MoveCarriedOut)
PROPOSALS: InlineTable[Proposal] = InlineTable(
    "proposals", Proposal, ("proposal_id",), (*EVENTS, *get_args(Set)), _fold
)
HAND_SUMS: InlineTable[HandSum] = InlineTable(
    "hand_sums", HandSum, ("person", "currency", "day"), (MoveProposed, MoveApproved), _fold_sums
)


def check_day(limits: DayLimits, move: Move, context: Context) -> None:
    """Raises Refused `proposal.day_limit` when the person would move more in a day than one person may."""
    for one in move.sums:
        if one.amount_minor <= 0:
            raise Invalid("amount.not_positive", amount_minor=one.amount_minor)
        row = context.rows.get(HAND_SUMS, sum_key(context.actor.id, one.currency, context.at))
        limit_minor, moved_minor = limits.of(one.currency), row.amount_minor if row else 0
        if moved_minor + one.amount_minor > limit_minor:
            left_minor = max(0, limit_minor - moved_minor)
            raise Refused(
                "proposal.day_limit", currency=one.currency, left_minor=left_minor,
                do="let somebody else do it, or wait for the next day (UTC)",
            )  # fmt: skip
