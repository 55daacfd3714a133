"""What happens by itself: deadlines set by postings, and what the provider's word on a transfer leads to. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from kernel.core.canonical import canonical
from kernel.core.decider import Actor, DecidedEvent, InlineTable, Key, Meta, Rows
from kernel.core.faults import Refused
from kernel.core.ids import derived_id, stream_id
from kernel.processors.processes import SYSTEM, Deadline, Process, deadlines
from services.ledger.codec import CODEC
from services.ledger.domain import announcing
from services.ledger.domain.commands import (
    ESCROW,
    CancelEscrow,
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
)
from services.ledger.domain.discrepancies import Claim, Origin
from services.ledger.domain.events import ChainKind, ChainPosted, Deal, TransferKind
from services.ledger.domain.four_eyes import MoveApproved, MoveProposed, MoveRejected
from services.ledger.domain.proposals import ExpireMove
from services.ledger.domain.reversals import RETURNED, UNNAMED, RestoreDeposit, ReturnTransfer, ReverseDeposit
from services.ledger.domain.seals import CloseWindow, seal_stream, window_end
from services.ledger.domain.waiting import WAITING, PaymentDeferred
from services.ledger.domain.watches import LookAtTransfer, TransferLookDue, look_at, watch_stream
from services.ledger.ports import Verdict, Word

PROCESSES = (Process("parties", announcing.PARTIES_TOLD, announcing.route),)
PROVIDER = Actor("service:psp", "platform", SYSTEM)
ASKED = frozenset({ChainKind.DEPOSIT_CHARGED, ChainKind.PAYOUT_REQUESTED, ChainKind.REFUND_REQUESTED})
"""Chains after which the provider is to be called."""
CONCLUDED = frozenset(
    {
        ChainKind.DEPOSIT_CONFIRMED, ChainKind.DEPOSIT_FAILED, ChainKind.PAYOUT_CONFIRMED, ChainKind.PAYOUT_FAILED,
        ChainKind.REFUND_CONFIRMED, ChainKind.REFUND_FAILED,
    }
)  # fmt: skip
EXPIRE, EXPIRED = "expire", "escrow.expired"


def _deadline(stream: str, name: str, due_at: datetime, command: object) -> tuple[Key, Deadline]:
    return (stream, name), Deadline(stream, name, due_at, CODEC.name_of(type(command)), canonical(command).decode())


Timed = ChainPosted | TransferLookDue | PaymentDeferred | MoveProposed | MoveApproved | MoveRejected
"""Events that set or end a deadline."""


def _fold(fact: DecidedEvent[Timed], rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    event = fact.event
    if isinstance(event, MoveProposed):
        yield _deadline(fact.stream, EXPIRE, event.expires_at, ExpireMove())
        return
    if isinstance(event, MoveApproved | MoveRejected):
        yield (fact.stream, EXPIRE), None
        return
    if isinstance(event, PaymentDeferred):
        yield (fact.stream, EXPIRE), None  # it is owed: only what nobody has earned goes back by the clock
        return
    if isinstance(event, TransferLookDue):
        yield _look(event.kind, event.transfer_id, event.attempt + 1, event.asked_at, fact.at)
        return
    ends_at = window_end(fact.at)
    yield _deadline(seal_stream(ends_at), "seal", ends_at, CloseWindow(ends_at))
    if event.transfer is not None and event.kind in ASKED:
        yield _look(event.transfer.kind, event.transfer.transfer_id, 1, fact.at, fact.at)
    if event.transfer is not None and event.kind in CONCLUDED:
        yield (watch_stream(event.transfer.transfer_id), "look"), None
    if event.deal is not None and event.kind is not ChainKind.CLAWED_BACK:
        yield from _expiry(event, event.deal, rows)


def _look(
    kind: TransferKind, transfer_id: str, attempt: int, asked_at: datetime, now: datetime
) -> tuple[Key, Deadline]:
    command = LookAtTransfer(kind, transfer_id, attempt, asked_at)
    return _deadline(watch_stream(transfer_id), "look", look_at(now, attempt), command)


def _expiry(event: ChainPosted, deal: Deal, rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """Money bug "accepted and then silence": an escrow that nobody ends returns to the brand by the clock. The clock stands
    while a payment out of it waits: a change of scope does not start it."""
    revised = event.kind is ChainKind.ESCROW_HELD and deal.revision > 1
    if revised and rows.get(WAITING, (deal.deliverable_id,)) is not None:
        return
    stream = stream_id(ESCROW, deal.deliverable_id)
    ended = event.kind is ChainKind.ESCROW_CANCELLED or (event.released is not None and event.released.final)
    if not ended:
        refund_id = derived_id("expired", deal.deliverable_id, str(deal.revision))
        command = CancelEscrow(
            refund_id, deal.deliverable_id, deal.brand_id, deal.creator_id, deal.currency, reason=EXPIRED
        )
        yield _deadline(stream, EXPIRE, deal.expires_at, command)
    else:
        yield (stream, EXPIRE), None


DEADLINES: InlineTable[Deadline] = deadlines(get_args(Timed), _fold)


def concluded(verdict: Verdict, amount_minor: int, currency: str) -> Command | None:
    """The command that the provider's word leads to; None while nothing is decided. For what was paid out the amount must
    be the one asked for: Refused `transfer.amount_differs` is an alarm for staff."""
    if verdict.kind is TransferKind.DEPOSIT:
        return _of_deposit(verdict)
    reason = f"provider.{verdict.reason or verdict.status}"
    if verdict.status is Word.FAILED:
        return FailTransfer(verdict.kind, verdict.reference, reason, verdict.provider_ref, verdict.said_at)
    if verdict.status not in (Word.SUCCEEDED, Word.RETURNED):
        return None
    if (verdict.amount_minor, verdict.currency) != (amount_minor, currency):
        raise Refused("transfer.amount_differs", asked_minor=amount_minor, paid_minor=verdict.amount_minor)
    if verdict.status is Word.RETURNED:
        return ReturnTransfer(verdict.kind, verdict.reference, reason)
    return ConfirmTransfer(verdict.kind, verdict.reference, verdict.provider_ref, verdict.fee_minor, verdict.said_at)


def _case(verdict: Verdict) -> str:
    """The case by its reference, else by the time of the word: two chargebacks of one sum are two. One that is opened
    without a name and a time cannot be told from its own repeat: Refused `deposit.case_unnamed` leaves it to a person."""
    if verdict.provider_ref:
        return verdict.provider_ref
    if verdict.said_at is not None:
        return f"{UNNAMED}@{verdict.said_at.isoformat()}"
    if verdict.status is Word.OPENED:
        raise Refused("deposit.case_unnamed", do="ask the provider for the reference of the chargeback")
    return UNNAMED


def _of_deposit(verdict: Verdict) -> Command | None:
    """A chargeback that was lost changes nothing: the money went when it was opened."""
    reason = f"provider.{verdict.reason or verdict.status}"
    match verdict.status:
        case Word.SUCCEEDED:
            said = (verdict.provider_ref, verdict.said_at)
            return ConfirmDeposit(verdict.reference, verdict.currency, verdict.amount_minor, *said)
        case Word.FAILED:
            return FailDeposit(verdict.reference, reason, verdict.provider_ref, verdict.said_at)
        case Word.RETURNED:
            return ReverseDeposit(verdict.reference, RETURNED, verdict.currency, verdict.amount_minor, 0, reason)
        case Word.OPENED:
            amount_minor, fee_minor, named = verdict.amount_minor, verdict.fee_minor, _case(verdict)
            return ReverseDeposit(verdict.reference, named, verdict.currency, amount_minor, fee_minor, reason)
        case Word.WON:
            return RestoreDeposit(verdict.reference, _case(verdict), verdict.currency, verdict.amount_minor)
        case _:
            return None


def claim(origin: Origin, word: str, verdict: Verdict, code: str) -> Claim:
    """The provider's word on a transfer as the work list keeps it."""
    return Claim(
        origin, word, verdict.reference, verdict.currency, verdict.amount_minor, verdict.fee_minor, verdict.provider_ref,
        code,
    )  # fmt: skip


def provider_meta(cause: str, correlation: str = "", traceparent: str = "") -> Meta:
    """The Meta of what the provider's word leads to; one cause (a webhook's id, an intent) has one command id."""
    return Meta(derived_id("provider", cause), PROVIDER, "", correlation, cause, traceparent)
