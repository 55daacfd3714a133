"""Money out: payouts of what was earned and refunds of free deposit, both asked, then confirmed or failed.

The request already reserves the bank (a pending leg): a confirmation is a fact and can never be refused for want of it.
The provider's fee is kept from its next settlement, hence psp_cost against psp_clearing.
"""

from dataclasses import replace

from kernel.core.decider import Actor, Context
from kernel.core.faults import Invalid, NotFound, Refused
from services.ledger.domain.accounts import PROVIDER, Code
from services.ledger.domain.clearing import CLEARING
from services.ledger.domain.commands import MAX_TEXT, ConfirmTransfer, FailTransfer, RequestPayout, RequestRefund
from services.ledger.domain.deposits import check_text, require_owner
from services.ledger.domain.events import ChainEvent, ChainKind, TransferKind, Transferred
from services.ledger.domain.funding import BANK
from services.ledger.domain.holds import check_not_held
from services.ledger.domain.payees import PAYOUT_ACCOUNTS, check_payee
from services.ledger.domain.posting import Books
from services.ledger.domain.reversals import ReturnTransfer, is_of_another_try
from services.ledger.domain.rows import TRANSFERS, Transfer, TransferStatus
from services.ledger.domain.ties import check_no_payer
from services.ledger.domain.transfers import Leg, Phase, Ref, check_amount

PAYABLE = {Code.CREATOR_AVAILABLE: "creator", Code.AGENCY_AVAILABLE: "agency"}
"""Accounts that can be paid out, and the role that may ask."""


def check_payout_asker(command: RequestPayout, actor: Actor) -> None:
    """Who may ask: the owner of the account, and finance."""
    if command.account not in PAYABLE:
        raise Invalid("payout.account_not_payable", account=command.account)
    actor.require(PAYABLE[command.account], "finance")
    require_owner(actor, command.owner, "payout.not_a_party")


def request_payout(command: RequestPayout, context: Context) -> list[ChainEvent]:
    """Row 11."""
    check_text(command, "instrument")
    check_amount(command.amount_minor, command.currency)
    _check_new(context, command.payout_id)
    check_not_held(command.owner, context.rows)
    check_payee(context.rows.get(PAYOUT_ACCOUNTS, (command.owner, command.currency)), command.instrument, context.at)
    check_no_payer(command.owner, command.instrument, context.rows)
    books, source = Books(context.rows), Ref(command.account, command.owner)
    _check_available(books, source, command.amount_minor, command.currency)
    if books.short_minor(command.currency):
        raise Refused("payout.client_money_short", short_minor=books.short_minor(command.currency))
    transfer = Transferred(
        command.payout_id, TransferKind.PAYOUT, command.owner, command.currency, command.amount_minor,
        instrument=command.instrument,
    )  # fmt: skip
    legs = _out_legs(source, transfer)
    return [books.post(command, ChainKind.PAYOUT_REQUESTED, command.currency, legs, transfer=transfer)]


def refunded(command: RequestRefund, context: Context) -> Transfer:
    """The deposit of the caller's own, for finance any; NotFound `deposit.unknown` for every other, there or not."""
    context.actor.require("brand", "agency", "finance")
    deposit = context.rows.get(TRANSFERS, (command.deposit_id,))
    own = deposit is not None and (context.actor.tenant == deposit.owner or "finance" in context.actor.roles)
    if deposit is None or deposit.kind != TransferKind.DEPOSIT or not own:
        raise NotFound("deposit.unknown", deposit_id=command.deposit_id)
    return deposit


def request_refund(command: RequestRefund, context: Context) -> list[ChainEvent]:
    """Row 16: at most what came with the deposit, to the instrument it came from."""
    deposit = refunded(command, context)
    _check_new(context, command.refund_id)
    check_amount(command.amount_minor, deposit.currency)
    if deposit.status != TransferStatus.CONFIRMED:
        raise Refused("deposit.not_confirmed", status=deposit.status)
    left_minor = deposit.amount_minor - deposit.refunded_minor - deposit.reversed_minor
    if command.amount_minor > left_minor:
        raise Refused("refund.more_than_deposited", left_minor=left_minor, currency=deposit.currency)
    transfer = Transferred(
        command.refund_id, TransferKind.REFUND, deposit.owner, deposit.currency, command.amount_minor,
        instrument=deposit.instrument, source_id=command.deposit_id,
    )  # fmt: skip
    legs = _out_legs(Ref(Code.BRAND_AVAILABLE, deposit.owner), transfer)
    return [Books(context.rows).post(command, ChainKind.REFUND_REQUESTED, deposit.currency, legs, transfer=transfer)]


def confirm(command: ConfirmTransfer, context: Context) -> list[ChainEvent]:
    """Row 12 and the end of 16; excludes a failure."""
    context.actor.require("system")
    if command.fee_minor < 0:
        raise Invalid("amount.not_positive", amount_minor=command.fee_minor)
    row = _known(context, command)
    _check_pending(command, row)
    transit = _transit(command.kind, row.transfer_id)
    legs = [
        Leg(transit, BANK, row.amount_minor, row.currency, Phase.POST),
        Leg(Ref(Code.PSP_COST, PROVIDER), CLEARING, command.fee_minor, row.currency),
    ]
    payout = command.kind is TransferKind.PAYOUT
    kind = ChainKind.PAYOUT_CONFIRMED if payout else ChainKind.REFUND_CONFIRMED
    reference = command.provider_ref[:MAX_TEXT]
    transfer = replace(
        _transferred(row), provider_ref=reference, provider_fee_minor=command.fee_minor, said_at=command.said_at
    )
    return [Books(context.rows).post(command, kind, row.currency, legs, (transit,), transfer=transfer)]


def fail(command: FailTransfer, context: Context) -> list[ChainEvent]:
    """Row 13: back to where it came from. Of a transfer that had arrived it says that the money came back (row 14), unless it
    is said of another try."""
    context.actor.require("system")
    row = _known(context, command)
    arrived, failed = (row.provider_ref, row.said_at), (command.provider_ref, command.said_at)
    if row.status == TransferStatus.CONFIRMED and is_of_another_try(failed, arrived):
        return []
    if row.status in (TransferStatus.CONFIRMED, TransferStatus.RETURNED):
        return give_back(ReturnTransfer(command.kind, command.transfer_id, command.reason), context)
    return _fail(command, context, row)


def give_back(command: ReturnTransfer, context: Context) -> list[ChainEvent]:
    """Row 14: the transit account is opened anew for what came back, and emptied by row 13."""
    context.actor.require("system")
    row = _known(context, command)
    if row.status == TransferStatus.PENDING:
        return _fail(command, context, row)
    if row.status != TransferStatus.CONFIRMED:
        return []
    transit, home = _transit(command.kind, f"{row.transfer_id}:ret"), Ref(Code(row.account), row.owner)
    legs = [Leg(BANK, transit, row.amount_minor, row.currency), Leg(transit, home, row.amount_minor, row.currency)]
    kind = ChainKind.PAYOUT_RETURNED if command.kind is TransferKind.PAYOUT else ChainKind.REFUND_RETURNED
    return [_close(command, context, kind, row, legs, transit)]


def _fail(command: FailTransfer | ReturnTransfer, context: Context, row: Transfer) -> list[ChainEvent]:
    _check_pending(command, row)
    transit = _transit(command.kind, row.transfer_id)
    legs = [
        Leg(transit, BANK, row.amount_minor, row.currency, Phase.VOID),
        Leg(transit, Ref(Code(row.account), row.owner), row.amount_minor, row.currency),
    ]
    kind = ChainKind.PAYOUT_FAILED if command.kind is TransferKind.PAYOUT else ChainKind.REFUND_FAILED
    return [_close(command, context, kind, row, legs, transit)]


def _close(
    command: FailTransfer | ReturnTransfer,
    context: Context,
    kind: ChainKind,
    row: Transfer,
    legs: list[Leg],
    transit: Ref,
) -> ChainEvent:
    books, reason = Books(context.rows), command.reason[:MAX_TEXT]
    return books.post(command, kind, row.currency, legs, (transit,), transfer=_transferred(row), reason=reason)


def _check_available(books: Books, source: Ref, amount_minor: int, currency: str) -> None:
    """The owner's own account first, so that nobody who asks for too much hears of the platform's bank instead."""
    available_minor = max(0, books.account(source.code, source.owner, currency).spendable_minor)
    if amount_minor > available_minor:
        raise Refused(
            "payout.more_than_available", currency=currency, asked_minor=amount_minor, available_minor=available_minor,
            owner=source.owner, do="ask for at most what is available",
        )  # fmt: skip


def _check_new(context: Context, transfer_id: str) -> None:
    if context.rows.get(TRANSFERS, (transfer_id,)) is not None:
        raise Refused("transfer.exists", transfer_id=transfer_id)


def _out_legs(source: Ref, transfer: Transferred) -> list[Leg]:
    transit = _transit(transfer.kind, transfer.transfer_id)
    return [
        Leg(source, transit, transfer.amount_minor, transfer.currency),
        Leg(transit, BANK, transfer.amount_minor, transfer.currency, Phase.PENDING),
    ]


def _transit(kind: TransferKind, transfer_id: str) -> Ref:
    return Ref(Code.PAYOUT_IN_TRANSIT if kind is TransferKind.PAYOUT else Code.REFUND_IN_TRANSIT, transfer_id)


def _known(context: Context, command: ConfirmTransfer | FailTransfer | ReturnTransfer) -> Transfer:
    row = context.rows.get(TRANSFERS, (command.transfer_id,))
    if row is None or row.kind != command.kind:
        raise Refused(f"{command.kind}.unknown", transfer_id=command.transfer_id)
    return row


def _check_pending(command: ConfirmTransfer | FailTransfer | ReturnTransfer, row: Transfer) -> None:
    if row.status != TransferStatus.PENDING:
        raise Refused(f"{command.kind}.not_pending", status=row.status)


def _transferred(row: Transfer) -> Transferred:
    kind = TransferKind(row.kind)
    return Transferred(row.transfer_id, kind, row.owner, row.currency, row.amount_minor, row.instrument, row.source_id)
