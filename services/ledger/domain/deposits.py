"""Money in: own money, deposits in two phases, settlement lines, and money nobody recognises at first."""

from datetime import timedelta

from kernel.core.bounds import limits
from kernel.core.decider import Actor, Context
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id
from services.ledger.domain.accounts import PLATFORM, PROVIDER, Code
from services.ledger.domain.commands import (
    MAX_TEXT,
    ConfirmDeposit,
    FailDeposit,
    IdentifyMoney,
    PayInOwnMoney,
    RequestDeposit,
    SettleLine,
)
from services.ledger.domain.events import ChainEvent, ChainKind, TransferKind, Transferred
from services.ledger.domain.posting import Books
from services.ledger.domain.rows import MISMATCH, TRANSFERS, Transfer, TransferStatus
from services.ledger.domain.transfers import Leg, Phase, Ref, check_amount

CLEARING = Ref(Code.PSP_CLEARING, PROVIDER)
SUSPENSE = Ref(Code.SUSPENSE, PROVIDER)
DEPOSIT_LIFE = timedelta(days=3)
"""A charge that the provider has not confirmed by then is void; money that comes later is posted all the same."""


def require_owner(actor: Actor, owner: str, code: str) -> None:
    """Raises Forbidden `code` unless the actor acts for the owner, or is finance."""
    if actor.tenant != owner and "finance" not in actor.roles:
        raise Forbidden(code)


def check_text(command: object, field: str) -> None:
    """Raises Invalid `text.malformed` unless the text is within the bounds of its field."""
    low, high = limits(command, field)
    if not low <= len(getattr(command, field)) <= high:
        raise Invalid("text.malformed", field=field, limit=high)


def pay_in(command: PayInOwnMoney, context: Context) -> list[ChainEvent]:
    """Row 0; a shortfall of client money is covered at once."""
    context.actor.require("finance")
    check_text(command, "reference")
    check_amount(command.amount_minor, command.currency)
    leg = Leg(Ref(Code.BANK_OWN, PLATFORM), Ref(Code.EQUITY, PLATFORM), command.amount_minor, command.currency)
    return [Books(context.rows).post(command, ChainKind.OWN_MONEY_PAID_IN, command.currency, [leg])]


def request(command: RequestDeposit, context: Context) -> list[ChainEvent]:
    """Row 1: pending on both sides, spendable by nobody."""
    context.actor.require("brand", "agency", "finance")
    require_owner(context.actor, command.brand_id, "deposit.not_a_party")
    checked_id(command.brand_id)
    check_text(command, "instrument")
    check_amount(command.amount_minor, command.currency)
    if context.rows.get(TRANSFERS, (command.deposit_id,)) is not None:
        raise Refused("transfer.exists", transfer_id=command.deposit_id)
    brand = Ref(Code.BRAND_AVAILABLE, command.brand_id)
    leg = Leg(CLEARING, brand, command.amount_minor, command.currency, Phase.PENDING)
    transfer = Transferred(
        command.deposit_id, TransferKind.DEPOSIT, command.brand_id, command.currency, command.amount_minor,
        instrument=command.instrument, expires_at=context.at + DEPOSIT_LIFE,
    )  # fmt: skip
    return [_post(command, context, ChainKind.DEPOSIT_CHARGED, [leg], transfer)]


def confirm(command: ConfirmDeposit, context: Context) -> list[ChainEvent]:
    """Row 2. Money that came is a fact: late, it is posted anew; in another amount, that amount goes to suspense."""
    context.actor.require("system")
    check_amount(command.amount_minor, command.currency)
    row = _deposit(context, command.deposit_id)
    if row.status not in (TransferStatus.PENDING, TransferStatus.FAILED):
        raise Refused("deposit.not_pending", status=row.status)
    transfer = _transferred(row, provider_ref=command.provider_ref)
    brand = Ref(Code.BRAND_AVAILABLE, row.owner)
    pending = row.status == TransferStatus.PENDING
    if (command.amount_minor, command.currency) != (row.amount_minor, row.currency):
        void = [Leg(CLEARING, brand, row.amount_minor, row.currency, Phase.VOID)] if pending else []
        legs = [*void, Leg(CLEARING, SUSPENSE, command.amount_minor, command.currency)]
        return [_post(command, context, ChainKind.DEPOSIT_CONFIRMED, legs, transfer, MISMATCH)]
    phase = Phase.POST if pending else Phase.POSTED
    leg = Leg(CLEARING, brand, row.amount_minor, row.currency, phase)
    return [_post(command, context, ChainKind.DEPOSIT_CONFIRMED, [leg], transfer)]


def fail(command: FailDeposit, context: Context) -> list[ChainEvent]:
    """Row 2: the pending posting is void."""
    context.actor.require("system")
    row = _deposit(context, command.deposit_id)
    if row.status != TransferStatus.PENDING:
        raise Refused("deposit.not_pending", status=row.status)
    leg = Leg(CLEARING, Ref(Code.BRAND_AVAILABLE, row.owner), row.amount_minor, row.currency, Phase.VOID)
    reason = command.reason[:MAX_TEXT]
    return [_post(command, context, ChainKind.DEPOSIT_FAILED, [leg], _transferred(row), reason)]


def settle(command: SettleLine, context: Context) -> list[ChainEvent]:
    """Row 3; a line of an unknown deposit is row 4: its net goes to suspense and to the work list."""
    context.actor.require("system", "finance")
    check_text(command, "batch")
    check_text(command, "line")
    check_amount(command.gross_minor, command.currency)
    if not 0 <= command.fee_minor <= command.gross_minor:
        raise Invalid("settlement.fee_out_of_range", fee_minor=command.fee_minor)
    row = context.rows.get(TRANSFERS, (command.deposit_id,))
    bank, net_minor = Ref(Code.BANK, PROVIDER), command.gross_minor - command.fee_minor
    if row is None or row.kind != TransferKind.DEPOSIT or row.currency != command.currency:
        leg = Leg(bank, SUSPENSE, net_minor, command.currency)
        return [Books(context.rows).post(command, ChainKind.LINE_SETTLED, command.currency, [leg], reason="unmatched")]
    legs = [
        Leg(bank, CLEARING, net_minor, command.currency),
        Leg(Ref(Code.PSP_COST, PROVIDER), CLEARING, command.fee_minor, command.currency),
    ]
    transfer = _transferred(row, "", command.fee_minor, command.batch, command.line, command.gross_minor)
    return [_post(command, context, ChainKind.LINE_SETTLED, legs, transfer)]


def identify(command: IdentifyMoney, context: Context) -> list[ChainEvent]:
    """Row 4, second half."""
    context.actor.require("finance")
    checked_id(command.brand_id)
    check_text(command, "reference")
    check_text(command, "reason")
    check_amount(command.amount_minor, command.currency)
    leg = Leg(SUSPENSE, Ref(Code.BRAND_AVAILABLE, command.brand_id), command.amount_minor, command.currency)
    books = Books(context.rows)
    return [books.post(command, ChainKind.MONEY_IDENTIFIED, command.currency, [leg], reason=command.reason)]


def _deposit(context: Context, deposit_id: str) -> Transfer:
    row = context.rows.get(TRANSFERS, (deposit_id,))
    if row is None or row.kind != TransferKind.DEPOSIT:
        raise Refused("deposit.unknown", deposit_id=deposit_id)
    return row


def _transferred(
    row: Transfer,
    provider_ref: str = "",
    provider_fee_minor: int = 0,
    batch: str = "",
    line: str = "",
    amount_minor: int = 0,
) -> Transferred:
    return Transferred(
        row.transfer_id, TransferKind(row.kind), row.owner, row.currency, amount_minor or row.amount_minor,
        row.instrument, row.source_id, provider_ref[:MAX_TEXT], provider_fee_minor, batch, line,
    )  # fmt: skip


def _post(
    command: RequestDeposit | ConfirmDeposit | FailDeposit | SettleLine,
    context: Context,
    kind: ChainKind,
    legs: list[Leg],
    transfer: Transferred,
    reason: str = "",
) -> ChainEvent:
    return Books(context.rows).post(command, kind, legs[0].currency, legs, transfer=transfer, reason=reason)
