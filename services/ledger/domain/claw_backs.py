"""Row 19, the creator's part of it: what was paid for a deliverable goes back to the brand, in whole or in part.

From the creator's balance, as far as it goes; the rest is a debt (`creator_receivable`), which row 10 recovers from the next
release. The brand has its money at once: own money covers the debt by the funding rule.
"""

from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import ClawBackPayment
from services.ledger.domain.events import ChainEvent, ChainKind
from services.ledger.domain.posting import Books
from services.ledger.domain.rows import ESCROWS, Escrow, EscrowStatus, deal_of
from services.ledger.domain.transfers import Leg, Ref


def claw_back(command: ClawBackPayment, context: Context) -> list[ChainEvent]:
    """At most the fee that was released, over all claw-backs of the deliverable."""
    context.actor.require("system")
    row = _released(command, context)
    books, currency = Books(context.rows), row.currency
    balance_minor = books.account(Code.CREATOR_AVAILABLE, row.creator_id, currency).spendable_minor
    taken_minor = min(command.amount_minor, max(0, balance_minor))
    owed_minor = command.amount_minor - taken_minor
    brand = Ref(Code.BRAND_AVAILABLE, row.brand_id)
    legs = (
        Leg(Ref(Code.CREATOR_AVAILABLE, row.creator_id), brand, taken_minor, currency),
        Leg(Ref(Code.CREATOR_RECEIVABLE, row.creator_id), brand, owed_minor, currency),
    )
    chain = books.post(
        command, ChainKind.CLAWED_BACK, currency, legs,
        deal=deal_of(row), taken_minor=taken_minor, owed_minor=owed_minor, reason=command.reason,
    )  # fmt: skip
    return [chain]


def _released(command: ClawBackPayment, context: Context) -> Escrow:
    row = context.rows.get(ESCROWS, (command.deliverable_id,))
    if row is None or row.status != EscrowStatus.RELEASED:
        raise Refused("escrow.not_released", status=row.status if row else "none")
    if (row.brand_id, row.creator_id, row.currency) != (command.brand_id, command.creator_id, command.currency):
        raise Refused("escrow.terms_differ", currency=row.currency)
    left_minor = row.fee_minor - row.clawed_back_minor
    if not 0 < command.amount_minor <= left_minor:
        raise Invalid("claw_back.amount_out_of_range", left_minor=left_minor, currency=row.currency)
    return row
