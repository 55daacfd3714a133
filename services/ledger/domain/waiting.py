"""Payments that wait: they are owed and cannot be made yet. What they wait for is told to both sides; then they are made."""

from collections.abc import Iterable
from dataclasses import dataclass

from kernel.core.canonical import canonical
from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from services.ledger.domain.commands import CancelEscrow, ReleasePayment
from services.ledger.domain.events import ChainEvent, ChainKind, ChainPosted, Deal
from services.ledger.domain.four_eyes import MoveCarriedOut
from services.ledger.domain.residences import RATES, RESIDENCES
from services.ledger.domain.rows import Escrow
from services.ledger.domain.tax import CN_COUNTRY, CN_CURRENCY, rate_month

RESIDENCE_UNKNOWN, RATE_UNKNOWN = "tax.residence_unknown", "tax.rate_unknown"


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    """The payment of `release`, or the kill fee of `cancel`, waits for `reason` about `payee_id`; its escrow stays held."""

    chain_id: str
    deal: Deal
    payee_id: str
    reason: str
    release: ReleasePayment | None = None
    cancel: CancelEscrow | None = None


EscrowEvent = ChainEvent | PaymentDeferred | MoveCarriedOut


@dataclass(frozen=True, slots=True)
class WaitingPayment:
    """One row of the inline table `waiting_payments` per deliverable; `command` is JSON of what is asked, a release or a
    cancellation by `cancels`."""

    deliverable_id: str
    payee_id: str
    currency: str
    reason: str
    chain_id: str
    cancels: bool
    command: str


def awaited(row: Escrow, payees: Iterable[str], context: Context) -> tuple[str, str] | None:
    """The payee and the reason that a payment out of the escrow has to wait for; None when it can be made."""
    for payee_id in payees:
        residence = context.rows.get(RESIDENCES, (payee_id,))
        if residence is None:
            return payee_id, RESIDENCE_UNKNOWN
        foreign = residence.country == CN_COUNTRY and row.currency != CN_CURRENCY
        if foreign and context.rows.get(RATES, (row.currency, rate_month(context.at))) is None:
            return payee_id, RATE_UNKNOWN
    return None


def waits(command: object, rows: Rows) -> bool:
    """Whether the command was carried out as far as it could be: its payment waits."""
    if not isinstance(command, ReleasePayment | CancelEscrow):
        return False
    waiting = rows.get(WAITING, (command.deliverable_id,))
    return waiting is not None and waiting.chain_id == command.chain_id


def check_alone(command: ReleasePayment | CancelEscrow, context: Context) -> WaitingPayment | None:
    """The row of this payment, if it waits; raises Refused `escrow.payment_waits` while another of its deliverable does."""
    waiting = context.rows.get(WAITING, (command.deliverable_id,))
    if waiting is not None and waiting.chain_id != command.chain_id:
        raise Refused("escrow.payment_waits", reason=waiting.reason, do="let finance settle what it waits for first")
    return waiting


def deferred(
    command: ReleasePayment | CancelEscrow, deal: Deal, payee_id: str, reason: str, context: Context
) -> list[EscrowEvent]:
    """Says that the payment waits, once."""
    waiting = check_alone(command, context)
    if waiting is not None and (waiting.payee_id, waiting.reason) == (payee_id, reason):
        return []
    release = command if isinstance(command, ReleasePayment) else None
    cancel = command if isinstance(command, CancelEscrow) else None
    return [PaymentDeferred(command.chain_id, deal, payee_id, reason, release, cancel)]


def _fold(fact: DecidedEvent[PaymentDeferred | ChainPosted], rows: Rows) -> Iterable[tuple[Key, WaitingPayment | None]]:
    """The payment that waited, or the escrow's end, ends the waiting; another payment out of the escrow does not."""
    event = fact.event
    if event.deal is None:
        return
    key = (event.deal.deliverable_id,)
    if isinstance(event, PaymentDeferred):
        command = canonical(event.release or event.cancel).decode()
        where = (*key, event.payee_id, event.deal.currency, event.reason, event.chain_id)
        yield key, WaitingPayment(*where, event.cancel is not None, command)
    elif (waiting := rows.get(WAITING, key)) is not None and (event.chain_id == waiting.chain_id or _ends(event)):
        yield key, None


def _ends(chain: ChainPosted) -> bool:
    return chain.kind is ChainKind.ESCROW_CANCELLED or (chain.released is not None and chain.released.final)


WAITING: InlineTable[WaitingPayment] = InlineTable(
    "waiting_payments", WaitingPayment, ("deliverable_id",), (PaymentDeferred, ChainPosted), _fold
)
