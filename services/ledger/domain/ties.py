"""Organisations that are tied by an account: who pays from the account that another is paid to belongs together with it.

An account is known by an id of ours: its token at the provider stays in the inline table that gives it its id. Money from one to
the other waits until two people of finance have cleared the tie; an account that ties them later takes another clearance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import checked_id, derived_id, stream_id
from services.ledger.domain.deposits import check_text
from services.ledger.domain.events import ChainKind, ChainPosted
from services.ledger.domain.four_eyes import check_two_people
from services.ledger.domain.set_by_hand import ClearTie, PayoutAccountChanged, TieCleared

TIE = "tie"
KEPT = 20
"""So many accounts and payers of an organisation are kept, the newest; the account that money goes to is looked at anyway."""
ITSELF = "itself"
"""In place of an account: payer and payee are one organisation."""
SAME_ACCOUNT, SAME_PAYEE = "party.same_account", "party.same_payee"
"""Reasons of a payment that waits for a clearance."""


@dataclass(frozen=True, slots=True)
class PayAccount:
    """One row of the inline table `pay_accounts` per token of the provider."""

    instrument: str
    account_id: str


@dataclass(frozen=True, slots=True)
class AccountUse:
    """One row of the inline table `account_uses`: the organisation has paid from the account, or named it for payouts."""

    owner: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Party:
    """One row of the inline table `parties`: an organisation's accounts and who has paid it, the newest last."""

    owner: str
    account_ids: tuple[str, ...] = ()
    payer_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleared:
    """One row of the inline table `cleared_ties`: what ties the two and was cleared."""

    brand_id: str
    payee_id: str
    account_ids: tuple[str, ...]


def tie_stream(brand_id: str, payee_id: str) -> str:
    return stream_id(TIE, derived_id(TIE, brand_id, payee_id))


def ties(brand_id: str, payee_id: str, rows: Rows) -> tuple[str, ...]:
    """What ties payer and payee: accounts that both use, or ITSELF."""
    if brand_id == payee_id:
        return (ITSELF,)
    party = rows.get(PARTIES, (payee_id,))
    return tuple(one for one in party.account_ids if _uses(brand_id, one, rows)) if party else ()


def _uses(owner: str, account_id: str, rows: Rows) -> bool:
    return rows.get(ACCOUNT_USES, (owner, account_id)) is not None


def uncleared(brand_id: str, payee_id: str, found: Sequence[str], rows: Rows) -> tuple[str, ...]:
    """Those of the ties that two people of finance have not cleared."""
    row = rows.get(CLEARED, (brand_id, payee_id)) if found else None
    return tuple(one for one in found if row is None or one not in row.account_ids)


def tied(brand_id: str, payees: Iterable[str], rows: Rows) -> tuple[str, str] | None:
    """The first payee whose money from this payer waits for a clearance, and the reason."""
    for payee_id in payees:
        left = uncleared(brand_id, payee_id, ties(brand_id, payee_id, rows), rows)
        if left:
            return payee_id, SAME_PAYEE if ITSELF in left else SAME_ACCOUNT
    return None


def check_no_payer(owner: str, instrument: str, rows: Rows) -> None:
    """Raises Refused `payout.account_of_a_payer`: the account became the owner's after it was paid for the deal."""
    party, account = rows.get(PARTIES, (owner,)), rows.get(PAY_ACCOUNTS, (instrument,))
    for payer_id in party.payer_ids if party and account else ():
        assert account is not None
        found = (account.account_id,) if _uses(payer_id, account.account_id, rows) else ()
        if uncleared(payer_id, owner, found, rows):
            raise Refused(
                "payout.account_of_a_payer",
                do="name an account that nobody uses who pays you, or let finance clear the tie",
            )


def tie_stands(command: ClearTie, rows: Rows) -> bool:
    """Whether all that ties the two is cleared."""
    found = ties(command.brand_id, command.payee_id, rows)
    return bool(found) and not uncleared(command.brand_id, command.payee_id, found, rows)


def _decide(command: ClearTie, state: None, context: Context) -> Sequence[TieCleared]:
    context.actor.require("finance")
    check_text(command, "reason")
    brand_id, payee_id = checked_id(command.brand_id), checked_id(command.payee_id)
    if tie_stands(command, context.rows):
        return []
    check_two_people(command, context)
    found = ties(brand_id, payee_id, context.rows)
    if not found:
        raise Refused("tie.none", do="clear only what a payment waits for")
    return [TieCleared(brand_id, payee_id, command.reason, found)]


def named_by(event: ChainPosted | PayoutAccountChanged) -> tuple[str, str] | None:
    """The organisation and the token of its account, of an event that names one: a deposit names its own once it arrived."""
    if isinstance(event, PayoutAccountChanged):
        return event.owner, event.instrument
    if event.transfer is None or event.kind not in (ChainKind.DEPOSIT_CONFIRMED, ChainKind.PAYOUT_REQUESTED):
        return None
    return (event.transfer.owner, event.transfer.instrument) if event.transfer.instrument else None


Naming = DecidedEvent[ChainPosted | PayoutAccountChanged]


def _account_id(fact: Naming, instrument: str, rows: Rows) -> str:
    """The account's id; a new one is made of where it was named first, and tells nothing of the token."""
    row = rows.get(PAY_ACCOUNTS, (instrument,))
    return row.account_id if row else derived_id("pay account", fact.stream, str(fact.version))


def _fold_accounts(fact: Naming, rows: Rows) -> Iterable[tuple[Key, PayAccount]]:
    named = named_by(fact.event)
    if named is not None and rows.get(PAY_ACCOUNTS, (named[1],)) is None:
        yield (named[1],), PayAccount(named[1], _account_id(fact, named[1], rows))


def _fold_uses(fact: Naming, rows: Rows) -> Iterable[tuple[Key, AccountUse]]:
    named = named_by(fact.event)
    if named is not None:
        key = (named[0], _account_id(fact, named[1], rows))
        if rows.get(ACCOUNT_USES, key) is None:
            yield key, AccountUse(*key)


def _fold_parties(fact: Naming, rows: Rows) -> Iterable[tuple[Key, Party]]:
    named = named_by(fact.event)
    if named is not None:
        row = rows.get(PARTIES, (named[0],)) or Party(named[0])
        account_id = _account_id(fact, named[1], rows)
        if row.account_ids[-1:] != (account_id,):
            yield (named[0],), replace(row, account_ids=_with(row.account_ids, account_id))
    elif isinstance(fact.event, ChainPosted):
        yield from _paid(fact.event, rows)


def _paid(chain: ChainPosted, rows: Rows) -> Iterator[tuple[Key, Party]]:
    if chain.released is None or chain.deal is None:
        return
    for payee_id in paid_by(chain):
        row = rows.get(PARTIES, (payee_id,)) or Party(payee_id)
        if row.payer_ids[-1:] != (chain.deal.brand_id,):
            yield (payee_id,), replace(row, payer_ids=_with(row.payer_ids, chain.deal.brand_id))


def paid_by(chain: ChainPosted) -> list[str]:
    """Whom a release paid: those who made the content, and their agency."""
    assert chain.released is not None
    assert chain.deal is not None
    agency = [chain.deal.agency_id] if chain.released.agency_minor else []
    return list(dict.fromkeys([payee.creator_id for payee in chain.released.payees if payee.share_minor] + agency))


def _with(kept: tuple[str, ...], one: str) -> tuple[str, ...]:
    return (*(each for each in kept if each != one), one)[-KEPT:]


def _fold_cleared(fact: DecidedEvent[TieCleared], rows: Rows) -> Iterable[tuple[Key, Cleared]]:
    event = fact.event
    key = (event.brand_id, event.payee_id)
    row = rows.get(CLEARED, key)
    yield key, Cleared(*key, tuple(dict.fromkeys((*(row.account_ids if row else ()), *event.account_ids)))[-KEPT:])


def _reads(command: ClearTie, state: None) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield PARTIES, (command.payee_id,)
    yield CLEARED, (command.brand_id, command.payee_id)


_ON = (ChainPosted, PayoutAccountChanged)
PAY_ACCOUNTS: InlineTable[PayAccount] = InlineTable("pay_accounts", PayAccount, ("instrument",), _ON, _fold_accounts)
ACCOUNT_USES: InlineTable[AccountUse] = InlineTable(
    "account_uses", AccountUse, ("owner", "account_id"), _ON, _fold_uses
)
PARTIES: InlineTable[Party] = InlineTable("parties", Party, ("owner",), _ON, _fold_parties)
CLEARED: InlineTable[Cleared] = InlineTable(
    "cleared_ties", Cleared, ("brand_id", "payee_id"), (TieCleared,), _fold_cleared
)
TIES: Decider[ClearTie, None, TieCleared] = Decider(TIE, None, _decide, lambda state, _: state, reads=_reads)
