"""Lines of the provider's settlement file (rows 3 and 4): each is booked once, against what is due or owed, or refused.

A refusal voids nothing and invents nothing: the line stands in the work list, and the bank keeps the balance it had.
"""

from collections.abc import Sequence

from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.ledger.domain.accounts import PROVIDER, Code
from services.ledger.domain.clearing import CLEARING
from services.ledger.domain.commands import MAX_TEXT
from services.ledger.domain.deposits import SUSPENSE, check_text
from services.ledger.domain.events import ChainEvent, ChainKind, TransferKind, Transferred
from services.ledger.domain.funding import BANK
from services.ledger.domain.lines import SettleLine
from services.ledger.domain.posting import Books
from services.ledger.domain.rows import SETTLED_LINES, TRANSFERS, Transfer
from services.ledger.domain.transfers import Leg, Ref

COST = Ref(Code.PSP_COST, PROVIDER)
UNMATCHED, FEE = "unmatched", "provider.fee"


def settle(command: SettleLine, context: Context, booked: Sequence[str]) -> list[ChainEvent]:
    """`booked` are the chains of the line's stream."""
    context.actor.require("system", "finance")
    check_text(command, "batch")
    check_text(command, "line")
    _check_amounts(command)
    row = context.rows.get(TRANSFERS, (command.reference,))
    if row is None:
        return [_unknown(command, context, booked)]
    if row.kind != command.kind:
        raise Refused("settlement.kind_differs", kind=row.kind, do="upload the file again")
    if row.currency != command.currency:
        raise Refused("settlement.currency_differs", currency=row.currency)
    legs = _of_deposit(command, row) if command.kind is TransferKind.DEPOSIT else _of_outgoing(command, row)
    transfer = Transferred(
        row.transfer_id, command.kind, row.owner, row.currency, command.gross_minor, row.instrument, row.source_id,
        command.provider_ref[:MAX_TEXT], command.fee_minor, command.batch, command.line,
    )  # fmt: skip
    chain = Books(context.rows).post(
        command, ChainKind.LINE_SETTLED, row.currency, legs, transfer=transfer, line_key=command.key
    )
    return [chain]


def is_settled(command: SettleLine, context: Context) -> bool:
    """Whether the batch has booked just this line: under the same number, or under another number of the batch, which came again
    with its lines in another order. Raises Refused `settlement.settled_before` where the number is new in the batch: whether the
    line stands twice there is for a person to find out."""
    booked = context.rows.get(SETTLED_LINES, (command.key,))
    if booked is None:
        return False
    if booked.chain_id == command.chain_id or context.rows.get(SETTLED_LINES, (command.chain_id,)) is not None:
        return True
    raise Refused("settlement.settled_before", do="ask the provider whether the line stands twice in its batch")


def _check_amounts(command: SettleLine) -> None:
    checked_currency(command.currency)
    if not command.gross_minor and not command.fee_minor:
        raise Invalid("settlement.moves_nothing")
    if max(abs(command.gross_minor), abs(command.fee_minor)) > LIMIT_MINOR:
        raise Invalid("amount.too_large", limit_minor=LIMIT_MINOR)
    if command.fee_minor < 0 or (command.gross_minor > 0 and command.fee_minor > command.gross_minor):
        raise Invalid("settlement.fee_out_of_range", fee_minor=command.fee_minor)


def _of_deposit(command: SettleLine, row: Transfer) -> list[Leg]:
    if command.gross_minor <= 0:
        return _kept(command, row.owed_minor, -command.gross_minor)
    if command.gross_minor > row.due_minor:
        raise Refused("settlement.more_than_due", due_minor=row.due_minor, status=row.status)
    net_minor = command.gross_minor - command.fee_minor
    return [
        Leg(BANK, CLEARING, net_minor, row.currency),
        Leg(COST, CLEARING, command.fee_minor, row.currency),
    ]


def _of_outgoing(command: SettleLine, row: Transfer) -> list[Leg]:
    """The bank has moved already, when the transfer was confirmed or came back: only the fee is booked."""
    if command.gross_minor < 0 and -command.gross_minor > _sent_minor(row) - row.settled_minor:
        raise Refused("settlement.more_than_sent", left_minor=_sent_minor(row) - row.settled_minor, status=row.status)
    if command.gross_minor > row.reversed_minor:
        raise Refused("settlement.more_than_returned", left_minor=row.reversed_minor, status=row.status)
    return _kept(command, row.owed_minor, 0)


def _sent_minor(row: Transfer) -> int:
    return row.amount_minor if row.status in ("confirmed", "returned") else 0


def _kept(command: SettleLine, owed_minor: int, taken_minor: int) -> list[Leg]:
    """The provider's fee: first the fee that is owed to it; beyond that only the fee of a line that moves something else."""
    owed_part_minor = min(taken_minor + command.fee_minor, owed_minor)
    beyond_minor = taken_minor + command.fee_minor - owed_part_minor
    if beyond_minor > (command.fee_minor if command.gross_minor else 0):
        raise Refused("settlement.more_than_owed", owed_minor=owed_minor, do="find what the provider keeps this for")
    return [
        Leg(CLEARING, BANK, owed_part_minor, command.currency),
        Leg(COST, BANK, beyond_minor, command.currency),
    ]


def _unknown(command: SettleLine, context: Context, booked: Sequence[str]) -> ChainEvent:
    """Row 4: money nobody asked for goes to suspense, a bare fee is a cost; another batch does not bring it again."""
    if any(id_.startswith("settle:") for id_ in booked):
        raise Refused("settlement.settled_before", do="ask the provider which batch is right")
    if command.gross_minor < 0:
        raise Refused("settlement.deduction_unknown", do="find what the provider keeps this for")
    if command.gross_minor:
        leg, reason = Leg(BANK, SUSPENSE, command.gross_minor - command.fee_minor, command.currency), UNMATCHED
    else:
        leg, reason = Leg(COST, BANK, command.fee_minor, command.currency), FEE
    return Books(context.rows).post(
        command, ChainKind.LINE_SETTLED, command.currency, [leg], reason=reason, line_key=command.key
    )
