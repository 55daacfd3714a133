"""Where earned money may go: an account that was paid before is changed only after a pause, so that who takes over a
login for an hour cannot take the money."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import checked_id, derived_id, stream_id
from kernel.core.money import checked_currency
from services.ledger.domain.deposits import check_text, require_owner
from services.ledger.domain.events import ChainKind, ChainPosted
from services.ledger.domain.four_eyes import check_two_people
from services.ledger.domain.set_by_hand import ChangePayoutAccount, PayoutAccountChanged

PAYEE = "payee"
COOL_DOWN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class PayoutAccount:
    """One row of `payout_accounts`: `proven` once money arrived there; `next_instrument` waits until `next_usable_at`."""

    owner: str
    currency: str
    instrument: str
    proven: bool
    next_instrument: str
    next_usable_at: datetime | None

    @property
    def named(self) -> str:
        """The account that was named last: the one that waits, if one does."""
        return self.next_instrument or self.instrument


def payee_stream(owner: str, currency: str) -> str:
    return stream_id(PAYEE, derived_id(PAYEE, owner, currency))


def account_stands(command: ChangePayoutAccount, rows: Rows) -> bool:
    row = rows.get(PAYOUT_ACCOUNTS, (command.owner, command.currency))
    return row is not None and row.named == command.instrument


def check_payee(row: PayoutAccount | None, instrument: str, at: datetime) -> None:
    """Raises Refused `payout.account_unknown`, or `payout.account_cooling_down` with the time it is usable from.

    As long as no money has arrived at an account there is nothing to protect: the owner may name another one at once."""
    if row is None or not row.proven or row.instrument == instrument:
        return
    if row.next_usable_at is None or row.next_instrument != instrument:
        raise Refused("payout.account_unknown", do="register the new account first")
    if at < row.next_usable_at:
        raise Refused("payout.account_cooling_down", usable_at=row.next_usable_at.isoformat())


def _decide(command: ChangePayoutAccount, state: None, context: Context) -> Sequence[PayoutAccountChanged]:
    context.actor.require("creator", "agency", "finance")
    require_owner(context.actor, checked_id(command.owner), "payout.not_a_party")
    check_text(command, "instrument")
    row = context.rows.get(PAYOUT_ACCOUNTS, (command.owner, checked_currency(command.currency)))
    if account_stands(command, context.rows):
        return []
    check_two_people(command, context, command.owner)
    new = row is not None and row.proven and command.instrument != row.instrument
    pause = COOL_DOWN if new else timedelta(0)
    return [PayoutAccountChanged(command.owner, command.currency, command.instrument, context.at + pause)]


def _fold(fact: DecidedEvent[ChainPosted | PayoutAccountChanged], rows: Rows) -> Iterable[tuple[Key, PayoutAccount]]:
    event = fact.event
    if isinstance(event, PayoutAccountChanged):
        key = (event.owner, event.currency)
        row = rows.get(PAYOUT_ACCOUNTS, key) or PayoutAccount(*key, event.instrument, False, "", None)
        yield key, replace(row, next_instrument=event.instrument, next_usable_at=event.usable_at)
    elif event.transfer is not None and event.kind in (ChainKind.PAYOUT_REQUESTED, ChainKind.PAYOUT_CONFIRMED):
        yield from _paid(event, event.transfer.owner, event.transfer.instrument, rows)


def _paid(event: ChainPosted, owner: str, instrument: str, rows: Rows) -> Iterable[tuple[Key, PayoutAccount]]:
    """A payout that was allowed names the account; one that arrived proves it. What is proven stays so."""
    row = rows.get(PAYOUT_ACCOUNTS, (owner, event.currency))
    proven, known = row is not None and row.proven, row.instrument if row else ""
    if event.kind is ChainKind.PAYOUT_CONFIRMED and proven:
        return
    proven = proven or event.kind is ChainKind.PAYOUT_CONFIRMED
    if row is not None and known == instrument:
        yield (owner, event.currency), replace(row, proven=proven)
    else:
        yield (owner, event.currency), PayoutAccount(owner, event.currency, instrument, proven, "", None)


def _reads(command: ChangePayoutAccount, state: None) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield PAYOUT_ACCOUNTS, (command.owner, command.currency)


PAYOUT_ACCOUNTS: InlineTable[PayoutAccount] = InlineTable(
    "payout_accounts", PayoutAccount, ("owner", "currency"), (ChainPosted, PayoutAccountChanged), _fold
)
PAYEES: Decider[ChangePayoutAccount, None, PayoutAccountChanged] = Decider(
    PAYEE, None, _decide, lambda state, _: state, published=False, reads=_reads
)
