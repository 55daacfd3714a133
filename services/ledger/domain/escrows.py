"""Escrow per deliverable: held at contract, released on verification, returned on cancellation. Decided at the head."""

from dataclasses import replace
from datetime import timedelta

from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id
from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, checked_currency, share_down
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import CancelEscrow, HoldEscrow, ReleasePayment
from services.ledger.domain.events import (
    ChainKind,
    Deal,
    EscrowRefused,
    ReleaseKind,
)
from services.ledger.domain.fees import FeePolicy, policy_at
from services.ledger.domain.policies import approved, sealed_under
from services.ledger.domain.posting import Books
from services.ledger.domain.releases import kill_fee_of, pay_out
from services.ledger.domain.repeats import input_hash
from services.ledger.domain.rows import ESCROWS, Escrow, EscrowStatus, deal_of
from services.ledger.domain.ties import tied
from services.ledger.domain.transfers import Leg, Ref
from services.ledger.domain.waiting import EscrowEvent, awaited, check_alone, deferred

ESCROW_LIFE_S = 400 * 86_400
"""After this an escrow that nobody released or cancelled goes back to the brand: no money is stuck for ever."""
MAX_ESCROW_LIFE_S = 1_200 * 86_400
MAX_REVISION = 1_000


def hold(command: HoldEscrow, context: Context) -> list[EscrowEvent]:
    """Row 5, and 6 for a later revision; an uncovered hold answers EscrowRefused."""
    context.actor.require("system", "finance")
    _check_hold(command)
    row = context.rows.get(ESCROWS, (command.deliverable_id,))
    deal = _deal(command, context)
    more_minor = _checked_change(deal, row)
    books = Books(context.rows)
    available_minor = books.account(Code.BRAND_AVAILABLE, deal.brand_id, deal.currency).spendable_minor
    if more_minor > 0 and (why := _uncovered(books, deal, more_minor, available_minor)):
        return [EscrowRefused(command.chain_id, input_hash(command), deal, why, more_minor, available_minor)]
    brand, escrow = Ref(Code.BRAND_AVAILABLE, deal.brand_id), Ref(Code.ESCROW, deal.deliverable_id)
    debit, credit = (brand, escrow) if more_minor > 0 else (escrow, brand)
    leg = Leg(debit, credit, abs(more_minor), deal.currency)
    return [books.post(command, ChainKind.ESCROW_HELD, deal.currency, [leg], deal=deal)]


def _uncovered(books: Books, deal: Deal, more_minor: int, available_minor: int) -> str:
    """Why no more is held; empty when it can be. A brand whose charge was disputed promises nothing new while it owes."""
    if books.account(Code.BRAND_RECEIVABLE, deal.brand_id, deal.currency).spendable_minor > 0:
        return "escrow.brand_owes"
    return "escrow.not_covered" if more_minor > available_minor else ""


def _check_hold(command: HoldEscrow) -> None:
    checked_currency(command.currency)
    for id_ in (command.collaboration_id, command.campaign_id, command.brand_id, command.creator_id):
        checked_id(id_)
    if not 1 <= command.revision <= MAX_REVISION:
        raise Invalid("escrow.revision_out_of_range", revision=command.revision, limit=MAX_REVISION)
    if command.fee_minor < 0 or command.brand_fee_minor < 0 or command.fee_minor + command.brand_fee_minor == 0:
        raise Invalid("escrow.amount_not_positive", fee_minor=command.fee_minor)
    if max(command.fee_minor, command.brand_fee_minor) > LIMIT_MINOR:
        raise Invalid("amount.too_large", limit_minor=LIMIT_MINOR)
    if not 0 <= command.agency_bps <= BASIS_POINTS or (command.agency_bps and not command.agency_id):
        raise Invalid("escrow.agency_share_out_of_range", agency_bps=command.agency_bps)
    if not 0 <= command.expires_s <= MAX_ESCROW_LIFE_S:
        raise Invalid("escrow.life_out_of_range", expires_s=command.expires_s, limit_s=MAX_ESCROW_LIFE_S)


def _deal(command: HoldEscrow, context: Context) -> Deal:
    return Deal(
        command.deliverable_id, command.revision, command.collaboration_id, command.campaign_id, command.brand_id,
        command.creator_id, command.agency_id, command.agency_bps, command.jurisdiction, command.currency,
        command.fee_minor, command.brand_fee_minor, _policy(command, context).name,
        context.at + timedelta(seconds=command.expires_s or ESCROW_LIFE_S),
    )  # fmt: skip


def _policy(command: HoldEscrow, context: Context) -> FeePolicy:
    """The policy that the deal was sealed under; the brand's fee is what it says, whoever asks for the hold."""
    if not command.fee_policy:
        return policy_at(context.at, approved(context.rows))
    named = sealed_under(command.fee_policy, context.rows)
    expected_minor = share_down(command.fee_minor, named.brand_fee_bps)
    if command.brand_fee_minor != expected_minor:
        raise Refused("fee.not_by_policy", fee_policy=named.name, expected_minor=expected_minor)
    return named


def _checked_change(deal: Deal, row: Escrow | None) -> int:
    """How much more is to be held (negative: less), once the revision follows the one at the head."""
    if row is None:
        return deal.fee_minor + deal.brand_fee_minor
    if row.status != EscrowStatus.HELD:
        raise Refused("escrow.not_held", status=row.status)
    if deal.revision <= row.revision:
        raise Refused("escrow.revision_is_old", revision=deal.revision, held=row.revision)
    parties = (row.brand_id, row.creator_id, row.currency, row.agency_id, row.jurisdiction)
    if parties != (deal.brand_id, deal.creator_id, deal.currency, deal.agency_id, deal.jurisdiction):
        raise Refused("escrow.terms_differ")
    gone_fee, gone_brand_fee = row.fee_minor - row.fee_left_minor, row.brand_fee_minor - row.brand_fee_left_minor
    if deal.fee_minor < gone_fee or deal.brand_fee_minor < gone_brand_fee:
        raise Refused("escrow.already_released", released_minor=gone_fee + gone_brand_fee)
    change = deal.fee_minor + deal.brand_fee_minor - row.held_minor
    if not change:
        raise Refused("escrow.nothing_changes", held_minor=row.held_minor)
    return change


def held_escrow(context: Context, deliverable_id: str, creator_id: str, currency: str) -> Escrow:
    """The escrow at the head; raises Refused `escrow.not_held` (with its status) or `escrow.terms_differ`."""
    row = context.rows.get(ESCROWS, (deliverable_id,))
    if row is None or row.status != EscrowStatus.HELD:
        raise Refused("escrow.not_held", status=row.status if row else "none")
    if (row.creator_id, row.currency) != (creator_id, currency):
        raise Refused("escrow.terms_differ", currency=row.currency)
    return row


def release(command: ReleasePayment, context: Context) -> list[EscrowEvent]:
    """Rows 7 to 10; waits while a payee's residence for tax, or the rate that it is taxed at, is not known, and while brand and
    payee are tied and nobody has cleared it."""
    context.actor.require("system", "finance")
    row = held_escrow(context, command.deliverable_id, command.creator_id, command.currency)
    if command.fee_minor < 0 or command.brand_fee_minor < 0 or command.fee_minor + command.brand_fee_minor == 0:
        raise Invalid("amount.not_positive", amount_minor=command.fee_minor)
    if command.fee_minor > row.fee_left_minor or command.brand_fee_minor > row.brand_fee_left_minor:
        raise Refused("escrow.not_enough_left", left_minor=row.left_minor, currency=row.currency)
    check_alone(command, context)
    final = command.fee_minor + command.brand_fee_minor == row.left_minor
    payees = payees_of(command) if command.fee_minor else ()
    if (wait := _awaited(row, payees, context)) is not None:
        return deferred(command, deal_of(row), *wait, context)
    return pay_out(Books(context.rows), command, context, row, final, ReleaseKind.SETTLEMENT)


def _awaited(row: Escrow, payees: tuple[str, ...], context: Context) -> tuple[str, str] | None:
    """The payee and the reason that a payment has to wait for; an agency is paid by it too."""
    agency = (row.agency_id,) if row.agency_bps else ()
    return tied(row.brand_id, (*payees, *agency) if payees else (), context.rows) or awaited(row, payees, context)


def cancel(command: CancelEscrow, context: Context) -> list[EscrowEvent]:
    """Row 15: the kill fee by the chain of row 7, the rest back to the brand; one append, so never one without the other. Only
    the kill fee waits for what is not known of its payee: the brand's rest is back at once. Where finance has paid a part of
    the fee before, the process, which does not know of it, pays at most what is left."""
    context.actor.require("system", "finance")
    row = held_escrow(context, command.deliverable_id, command.creator_id, command.currency)
    _check_agreed(command, row, context)
    limit_minor = row.fee_minor if "system" in context.actor.roles else row.fee_left_minor
    if not 0 <= command.kill_fee_minor <= limit_minor:
        raise Invalid("escrow.kill_fee_out_of_range", left_minor=row.fee_left_minor, currency=row.currency)
    kill_minor = kill_fee_of(command, row)
    payees = payees_of(command) if kill_minor else ()
    books, events = Books(context.rows), list[EscrowEvent]()
    back_minor = row.left_minor - kill_minor
    escrow = Ref(Code.ESCROW, row.deliverable_id)
    leg = Leg(escrow, Ref(Code.BRAND_AVAILABLE, row.brand_id), back_minor, row.currency)
    if (wait := _awaited(row, payees, context)) is not None:
        waits = deferred(command, deal_of(row), *wait, context)
        return [*_rest(command, books, row, leg), *waits]
    if kill_minor:
        events += pay_out(books, command, context, row, final=False, kind=ReleaseKind.KILL_FEE)
    returned = books.post(
        command, ChainKind.ESCROW_CANCELLED, row.currency, [leg], (escrow,),
        deal=deal_of(row), returned_minor=back_minor, killed_minor=kill_minor, reason=command.reason,
    )  # fmt: skip
    return [*events, returned]


def _check_agreed(command: CancelEscrow, row: Escrow, context: Context) -> None:
    """People agree on a sum: raises Refused `escrow.left_differs` where the escrow was changed since."""
    if "system" not in context.actor.roles and command.left_minor != row.left_minor:
        raise Refused(
            "escrow.left_differs", left_minor=row.left_minor, do="propose the cancellation of what is left now"
        )


def _rest(command: CancelEscrow, books: Books, row: Escrow, leg: Leg) -> list[EscrowEvent]:
    """The brand's part of a cancellation whose kill fee waits, under a chain of its own; nothing when it is back already."""
    if not leg.amount_minor:
        return []
    chain = books.post(
        command, ChainKind.ESCROW_REDUCED, row.currency, [leg],
        deal=deal_of(row), returned_minor=leg.amount_minor, reason=command.reason,
    )  # fmt: skip
    return [replace(chain, chain_id=f"{command.chain_id}:rest")]


def payees_of(command: ReleasePayment | CancelEscrow) -> tuple[str, ...]:
    """Who is paid by a command: the deal's creator, or those who share the deliverable."""
    split = command.split if isinstance(command, ReleasePayment) else ()
    return tuple(part.creator_id for part in split) or (command.creator_id,)
