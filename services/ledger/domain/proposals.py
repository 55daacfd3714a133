"""Proposals of moves by hand: one person of finance proposes, another approves in time, within the sums of a person's day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from kernel.core.canonical import canonical
from kernel.core.decider import Context, Decider, Rows
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import split_stream
from services.ledger.domain.accounts import PLATFORM
from services.ledger.domain.commands import (
    CancelEscrow,
    IdentifyMoney,
    PayInOwnMoney,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    Text,
    stream_of,
)
from services.ledger.domain.deposits import check_text
from services.ledger.domain.four_eyes import (
    NOBODY,
    PROPOSAL,
    PROPOSALS,
    USED,
    DayLimits,
    Event,
    Move,
    MoveApproved,
    MoveCarriedOut,
    MoveExpired,
    MoveProposed,
    MoveRejected,
    Revoked,
    Sum,
    check_day,
    check_other_person,
    proposal_id,
    proposal_stream,
)
from services.ledger.domain.payees import account_stands, payee_stream
from services.ledger.domain.proposable import check_proposable
from services.ledger.domain.residences import rate_stands, rate_stream, residence_stands, residence_stream
from services.ledger.domain.rows import ESCROWS, TRANSFERS
from services.ledger.domain.set_by_hand import ChangePayoutAccount, ClearTie, SetReferenceRate, SetTaxResidence
from services.ledger.domain.ties import tie_stands, tie_stream

LIFE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SettleFile:
    """A settlement file by hand: whoever approves it brings the same bytes. Sums are what its lines move, without signs."""

    sha256: str
    sums: tuple[Sum, ...]


HandCommand = (
    PayInOwnMoney | IdentifyMoney | ReleasePayment | CancelEscrow | RequestDeposit | RequestPayout | RequestRefund
    | ChangePayoutAccount | SetTaxResidence | SetReferenceRate | ClearTie | SettleFile
)  # fmt: skip
NAMES: Mapping[str, type[Any]] = {
    "own_money": PayInOwnMoney, "identification": IdentifyMoney, "release": ReleasePayment, "cancellation": CancelEscrow,
    "deposit": RequestDeposit, "payout": RequestPayout, "refund": RequestRefund, "payout_account": ChangePayoutAccount,
    "tax_residence": SetTaxResidence, "reference_rate": SetReferenceRate, "tie": ClearTie,
    "settlement_file": SettleFile,
}  # fmt: skip
"""What is moved by hand, by the word that events and the work list have for it."""
_WORDS = {kind: word for word, kind in NAMES.items()}


def stream_for(command: HandCommand) -> str:
    """The stream that a command is decided on."""
    match command:
        case ChangePayoutAccount():
            return payee_stream(command.owner, command.currency)
        case SetTaxResidence():
            return residence_stream(command.payee_id)
        case SetReferenceRate():
            return rate_stream(command.currency, command.month)
        case ClearTie():
            return tie_stream(command.brand_id, command.payee_id)
        case SettleFile():
            return proposal_stream(proposal_id(command))
        case _:
            return stream_of(command)


@dataclass(frozen=True, slots=True)
class ProposeMove:
    """By finance."""

    command: HandCommand
    limits: DayLimits


@dataclass(frozen=True, slots=True)
class ApproveMove:
    """By another person of finance, before each time that the command is executed."""

    limits: DayLimits
    revoked: Revoked = NOBODY


@dataclass(frozen=True, slots=True)
class RejectMove:
    """By finance, also by who proposed it, until the move is carried out."""

    reason: Text


@dataclass(frozen=True, slots=True)
class ExpireMove:
    """Stored as a deadline."""


Command = ProposeMove | ApproveMove | RejectMove | ExpireMove


@dataclass(frozen=True, slots=True)
class State:
    """`status` is new, proposed, approved, carried_out, rejected or expired."""

    status: str = "new"
    move: Move | None = None
    proposed_by: str = ""
    expires_at: datetime | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
    proposed_with: str = ""
    approved_with: str = ""

    def is_open(self, at: datetime) -> bool:
        """Whether the proposal, or its approval, still counts."""
        return self.status in ("proposed", "approved") and self.expires_at is not None and at < self.expires_at


def _escrow(command: ReleasePayment | CancelEscrow, rows: Rows) -> tuple[tuple[str, ...], tuple[Sum, ...]]:
    """Both sides; a cancellation moves all that is left, and names it."""
    row = rows.get(ESCROWS, (command.deliverable_id,))
    if row is None:
        raise Refused("escrow.not_held", status="none")
    if isinstance(command, ReleasePayment):
        return (row.brand_id, row.creator_id), (Sum(command.currency, command.fee_minor + command.brand_fee_minor),)
    if command.left_minor != row.left_minor:
        raise Refused("escrow.left_differs", left_minor=row.left_minor, currency=row.currency)
    return (row.brand_id, row.creator_id), (Sum(row.currency, command.left_minor),)


def _refund(command: RequestRefund, rows: Rows) -> tuple[tuple[str, ...], tuple[Sum, ...]]:
    row = rows.get(TRANSFERS, (command.deposit_id,))
    if row is None:
        raise Refused("deposit.unknown", deposit_id=command.deposit_id)
    return (row.owner,), (Sum(row.currency, command.amount_minor),)


def _whose(command: HandCommand, rows: Rows) -> tuple[tuple[str, ...], tuple[Sum, ...]]:
    """Whose money a command moves, and how much of it."""
    match command:
        case PayInOwnMoney():
            return (PLATFORM,), (Sum(command.currency, command.amount_minor),)
        case IdentifyMoney() | RequestDeposit():
            return (command.brand_id,), (Sum(command.currency, command.amount_minor),)
        case ReleasePayment() | CancelEscrow():
            return _escrow(command, rows)
        case RequestPayout():
            return (command.owner,), (Sum(command.currency, command.amount_minor),)
        case RequestRefund():
            return _refund(command, rows)
        case ChangePayoutAccount():
            return (command.owner,), ()
        case SetTaxResidence():
            return (command.payee_id,), ()
        case SetReferenceRate():
            return (PLATFORM,), ()
        case ClearTie():
            return (command.brand_id, command.payee_id), ()
        case SettleFile():
            return (PLATFORM,), command.sums
        case _:
            assert_never(command)


def _decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    match command:
        case ProposeMove():
            return _propose(command, state, context)
        case ApproveMove():
            return _approve(command, state, context)
        case RejectMove():
            context.actor.require("finance")
            check_text(command, "reason")
            if state.status == "rejected":
                return []
            return [MoveRejected(_open(state, context), context.actor.id, command.reason)]
        case ExpireMove():
            context.actor.require("system")
            late = state.status == "proposed" and not state.is_open(context.at)
            return [MoveExpired(state.move)] if late and state.move else []
        case _:
            assert_never(command)


def _propose(command: ProposeMove, state: State, context: Context) -> Sequence[Event]:
    context.actor.require("finance")
    if context.stream != proposal_stream(proposal_id(command.command)):
        raise Invalid("proposal.wrong_stream", expected=proposal_stream(proposal_id(command.command)))
    used = _status(context) == USED
    if _stands(command.command, context.rows) if used else state.is_open(context.at):
        return []
    check_proposable(command.command, context.at)
    owners, sums = _whose(command.command, context.rows)
    move = Move(_WORDS[type(command.command)], canonical(command.command).decode(), owners, sums)
    check_day(command.limits, move, context)
    return [MoveProposed(move, context.actor.id, context.at + LIFE, context.at, context.actor.token_id)]


def _status(context: Context) -> str:
    """Of the proposal's row, which knows what the command's own stream says of it too; empty before there is one."""
    row = context.rows.get(PROPOSALS, (split_stream(context.stream)[1],))
    return row.status if row else ""


def _stands(command: HandCommand, rows: Rows) -> bool:
    """Whether what was carried out still is as the command says; otherwise it takes another approval."""
    match command:
        case ChangePayoutAccount():
            return account_stands(command, rows)
        case SetTaxResidence():
            return residence_stands(command, rows)
        case SetReferenceRate():
            return rate_stands(command, rows)
        case ClearTie():
            return tie_stands(command, rows)
        case SettleFile():
            return False
        case _:
            return True


def _approve(command: ApproveMove, state: State, context: Context) -> Sequence[Event]:
    """A move that was approved by somebody whose tokens were revoked since takes another's approval."""
    context.actor.require("finance")
    used = _status(context) == USED and state.expires_at is not None and context.at < state.expires_at
    move = state.move if used else _open(state, context)
    check_other_person(context.actor, state.proposed_by, "proposal.own")
    if used or move is None:
        return []
    assert state.expires_at is not None
    if command.revoked.voids(state.proposed_by, state.expires_at - LIFE, state.proposed_with):
        raise Refused("proposal.proposer_revoked", do="reject it; whoever finds it right proposes it again")
    approval = (state.approved_by, state.approved_at, state.approved_with)
    if state.status == "approved" and not command.revoked.voids(*approval):
        return []
    check_day(command.limits, move, context)
    said = (context.actor.id, state.expires_at, context.at, context.actor.token_id)
    approved = MoveApproved(move, state.proposed_by, *said)
    if move.command == _WORDS[SettleFile]:  # whoever approves it brings the file, which is booked line by line
        return [approved, MoveCarriedOut(split_stream(context.stream)[1], context.actor.id)]
    return [approved]


def _open(state: State, context: Context) -> Move:
    """What is proposed or approved, in time, and not carried out."""
    if _status(context) == USED:
        raise Refused("proposal.not_open", status="carried_out")
    if state.status not in ("proposed", "approved") or state.move is None:
        raise Refused("proposal.not_open", status=state.status)
    if not state.is_open(context.at):
        raise Refused("proposal.not_open", status="expired", do="propose it again")
    return state.move


def _evolve(state: State, event: Event) -> State:
    match event:
        case MoveProposed(move, proposed_by, expires_at, _, token_id):
            return State("proposed", move, proposed_by, expires_at, proposed_with=token_id)
        case MoveApproved(approved_by=by, decided_at=at, token_id=token_id):
            return replace(state, status="approved", approved_by=by, approved_at=at, approved_with=token_id)
        case MoveCarriedOut():
            return replace(state, status="carried_out")
        case MoveRejected():
            return replace(state, status="rejected")
        case MoveExpired():
            return replace(state, status="expired")
        case _:
            assert_never(event)


PROPOSAL_DECIDER: Decider[Command, State, Event] = Decider(PROPOSAL, State(), _decide, _evolve)
