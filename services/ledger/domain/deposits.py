"""Money in: own money, deposits in two phases, and money nobody recognises at first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from kernel.core.bounds import limits
from kernel.core.decider import Actor, Context
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id
from services.ledger.domain.accounts import PLATFORM, PROVIDER, Code
from services.ledger.domain.clearing import CLEARING
from services.ledger.domain.commands import (
    MAX_TEXT,
    ConfirmDeposit,
    FailDeposit,
    IdentifyMoney,
    PayInOwnMoney,
    RequestDeposit,
)
from services.ledger.domain.events import ChainEvent, ChainKind, TransferKind, Transferred
from services.ledger.domain.posting import Books
from services.ledger.domain.reversals import (
    RETURNED,
    RestoreDeposit,
    ReverseDeposit,
    is_of_another_try,
    opened_case,
    reversal_of,
)
from services.ledger.domain.rows import MISMATCH, TRANSFERS, Transfer, TransferStatus
from services.ledger.domain.transfers import Leg, Phase, Ref, check_amount

SUSPENSE = Ref(Code.SUSPENSE, PROVIDER)
DEPOSIT_LIFE = timedelta(days=3)
"""A charge that the provider has not confirmed by then is void; money that comes later is posted all the same."""
EXPIRED = "deposit.expired"
"""The reason of a failure that the clock says, and not the provider."""


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


def check_asker(command: RequestDeposit, actor: Actor) -> None:
    """Who may ask: the brand, and finance."""
    actor.require("brand", "agency", "finance")
    require_owner(actor, command.brand_id, "deposit.not_a_party")


def request(command: RequestDeposit, context: Context) -> list[ChainEvent]:
    """Row 1: pending on both sides, spendable by nobody."""
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
    return [_post(command, Books(context.rows), ChainKind.DEPOSIT_CHARGED, [leg], transfer)]


def confirm(command: ConfirmDeposit, context: Context, booked: Sequence[str]) -> list[ChainEvent]:
    """Row 2. Money that came is a fact: late, it is posted anew; in another amount or currency, that goes to suspense.
    `booked` are the chains of the deposit's stream: what came back before this word of it was heard is not posted."""
    context.actor.require("system")
    check_amount(command.amount_minor, command.currency)
    row = _deposit(context, command.deposit_id)
    if row.status not in (TransferStatus.PENDING, TransferStatus.FAILED):
        raise Refused("deposit.not_pending", status=row.status)
    return [_confirm(command, Books(context.rows), row, booked)]


def _confirm(command: ConfirmDeposit, books: Books, row: Transfer, booked: Sequence[str]) -> ChainEvent:
    if reversal_of(row.transfer_id, RETURNED) in booked:
        raise Refused("deposit.came_back", do="compare the provider's list of the deposit with its statement")
    transfer = replace(_transferred(row, provider_ref=command.provider_ref), said_at=command.said_at)
    brand = Ref(Code.BRAND_AVAILABLE, row.owner)
    pending = row.status == TransferStatus.PENDING
    if (command.amount_minor, command.currency) != (row.amount_minor, row.currency):
        void = [Leg(CLEARING, brand, row.amount_minor, row.currency, Phase.VOID)] if pending else []
        legs = [*void, Leg(CLEARING, SUSPENSE, command.amount_minor, command.currency)]
        return _post(command, books, ChainKind.DEPOSIT_CONFIRMED, legs, transfer, MISMATCH)
    phase = Phase.POST if pending else Phase.POSTED
    leg = Leg(CLEARING, brand, row.amount_minor, row.currency, phase)
    return _post(command, books, ChainKind.DEPOSIT_CONFIRMED, [leg], transfer)


def fail(command: FailDeposit, context: Context, booked: Sequence[str]) -> list[ChainEvent]:
    """Row 2: the pending posting is void. Of a deposit that was confirmed it says that the money came back (row 20), once,
    unless it is said of another try: `booked` are the chains of its stream."""
    context.actor.require("system")
    row = _deposit(context, command.deposit_id)
    if command.reason == EXPIRED and row.status != TransferStatus.PENDING:
        return []  # the provider's word came while the clock ran out: the clock knows of no money that came back
    if row.status in (TransferStatus.CONFIRMED, TransferStatus.RETURNED):
        return _came_back(command, context, row, booked)
    return _void(command, context, row, command.reason)


def _came_back(command: FailDeposit, context: Context, row: Transfer, booked: Sequence[str]) -> list[ChainEvent]:
    arrived, failed = (row.provider_ref, row.said_at), (command.provider_ref, command.said_at)
    if reversal_of(row.transfer_id, RETURNED) in booked or is_of_another_try(failed, arrived):
        return []
    left_minor = row.amount_minor - row.reversed_minor
    if not left_minor:
        raise Refused(
            "deposit.disputed", do="ask the provider whether the money went by the dispute or came back besides"
        )
    back = ReverseDeposit(row.transfer_id, RETURNED, row.currency, left_minor, 0, command.reason)
    return reverse(back, context, booked)


def reverse(command: ReverseDeposit, context: Context, booked: Sequence[str]) -> list[ChainEvent]:
    """Row 20: the provider keeps it from what it settles next; what the brand has spent already it owes the platform. Only
    what arrived is disputed: of a deposit whose arrival was not told, the dispute tells it."""
    context.actor.require("system")
    check_amount(command.amount_minor, command.currency)
    row = _deposit(context, command.deposit_id)
    whole = command.case == RETURNED and (command.amount_minor, command.currency) == (row.amount_minor, row.currency)
    if row.status == TransferStatus.PENDING and whole:
        return _void(command, context, row, command.reason)
    if row.status == TransferStatus.FAILED and command.case == RETURNED:
        return []
    if command.fee_minor < 0:
        raise Invalid("amount.not_positive", amount_minor=command.fee_minor)
    books, arrived = Books(context.rows), list[ChainEvent]()
    if row.status in (TransferStatus.PENDING, TransferStatus.FAILED) and command.case != RETURNED:
        arrived = [_confirm(ConfirmDeposit(row.transfer_id, row.currency, row.amount_minor), books, row, booked)]
        row = replace(row, status=TransferStatus.CONFIRMED.value)
    _check_reversal(command, row, row.amount_minor - row.reversed_minor)
    return [*arrived, _reversed(command, books, row)]


def _reversed(command: ReverseDeposit, books: Books, row: Transfer) -> ChainEvent:
    amount_minor = command.amount_minor
    there_minor = books.account(Code.BRAND_AVAILABLE, row.owner, row.currency).spendable_minor
    free_minor = min(amount_minor, there_minor)
    legs = [
        Leg(Ref(Code.BRAND_AVAILABLE, row.owner), CLEARING, free_minor, row.currency),
        Leg(Ref(Code.BRAND_RECEIVABLE, row.owner), CLEARING, amount_minor - free_minor, row.currency),
        Leg(Ref(Code.PSP_COST, PROVIDER), CLEARING, command.fee_minor, row.currency),
    ]
    transfer = _transferred(row, command.case, command.fee_minor, amount_minor=amount_minor)
    reason = command.reason[:MAX_TEXT]
    return books.post(command, ChainKind.DEPOSIT_REVERSED, row.currency, legs, transfer=transfer, reason=reason)


def restore(
    command: RestoreDeposit, context: Context, cases: Mapping[str, int], booked: Sequence[str]
) -> list[ChainEvent]:
    """Row 21: the brand's debt first, the rest is free deposit again. `cases` are what each reversal of the deposit took, by
    chain: only a case that was opened is won, and of it no more than it took; `booked` are the chains of its stream."""
    context.actor.require("system")
    check_amount(command.amount_minor, command.currency)
    row = _deposit(context, command.deposit_id)
    case = opened_case(command, cases, booked)
    if not case:
        raise Refused("deposit.case_unknown", case=command.case[:MAX_TEXT])
    command = replace(command, case=case)
    _check_reversal(command, row, cases[command.opened_by])
    books = Books(context.rows)
    debt_minor = books.account(Code.BRAND_RECEIVABLE, row.owner, row.currency).spendable_minor
    paid_minor = min(command.amount_minor, debt_minor)
    legs = [
        Leg(CLEARING, Ref(Code.BRAND_RECEIVABLE, row.owner), paid_minor, row.currency),
        Leg(CLEARING, Ref(Code.BRAND_AVAILABLE, row.owner), command.amount_minor - paid_minor, row.currency),
    ]
    transfer = _transferred(row, command.case, amount_minor=command.amount_minor)
    return [books.post(command, ChainKind.DEPOSIT_RESTORED, row.currency, legs, transfer=transfer)]


def _check_reversal(command: ReverseDeposit | RestoreDeposit, row: Transfer, limit_minor: int) -> None:
    if row.status not in (TransferStatus.CONFIRMED, TransferStatus.RETURNED):
        raise Refused("deposit.not_confirmed", status=row.status)
    if command.currency != row.currency:
        raise Refused("deposit.currency_differs", currency=row.currency)
    if command.amount_minor > limit_minor:
        raise Refused("deposit.reversal_too_large", left_minor=limit_minor)


def _void(command: FailDeposit | ReverseDeposit, context: Context, row: Transfer, reason: str) -> list[ChainEvent]:
    if row.status != TransferStatus.PENDING:
        raise Refused("deposit.not_pending", status=row.status)
    leg = Leg(CLEARING, Ref(Code.BRAND_AVAILABLE, row.owner), row.amount_minor, row.currency, Phase.VOID)
    return [_post(command, Books(context.rows), ChainKind.DEPOSIT_FAILED, [leg], _transferred(row), reason[:MAX_TEXT])]


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
    row: Transfer, provider_ref: str = "", provider_fee_minor: int = 0, amount_minor: int = 0
) -> Transferred:
    return Transferred(
        row.transfer_id, TransferKind(row.kind), row.owner, row.currency, amount_minor or row.amount_minor,
        row.instrument, row.source_id, provider_ref[:MAX_TEXT], provider_fee_minor,
    )  # fmt: skip


def _post(
    command: RequestDeposit | ConfirmDeposit | FailDeposit | ReverseDeposit,
    books: Books,
    kind: ChainKind,
    legs: list[Leg],
    transfer: Transferred,
    reason: str = "",
) -> ChainEvent:
    """The chain is in the currency of its last leg: what came may be in another than what was asked for and is void."""
    return books.post(command, kind, legs[-1].currency, legs, transfer=transfer, reason=reason)
