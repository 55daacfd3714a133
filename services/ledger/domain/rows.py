"""The ledger's inline tables: what must be exact at the head when the next chain is decided."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from services.ledger.domain import clearing
from services.ledger.domain.accounts import Account
from services.ledger.domain.clearing import Clearing, cleared
from services.ledger.domain.events import ChainKind, ChainPosted, Deal, TransferKind, Transferred
from services.ledger.domain.funding import ClientMoney, moved
from services.ledger.domain.tax import Rule, TaxYear, year_after
from services.ledger.domain.transfers import account_key, apply_legs, closed_accounts, leg_keys, opened

Posted = DecidedEvent[ChainPosted]


class EscrowStatus(StrEnum):
    """`released`: all went out by releases; `returned`: all went back; `closed`: cancelled with a kill fee."""

    HELD = "held"
    RELEASED = "released"
    RETURNED = "returned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Escrow:
    """One row of `escrows` per deliverable, whoever asks and under whatever id. Held = left + released + returned."""

    deliverable_id: str
    status: str
    revision: int
    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    agency_id: str
    agency_bps: int
    jurisdiction: str
    currency: str
    fee_minor: int
    brand_fee_minor: int
    fee_left_minor: int
    brand_fee_left_minor: int
    released_minor: int
    returned_minor: int
    policy_id: str
    expires_at: datetime
    clawed_back_minor: int = 0

    @property
    def held_minor(self) -> int:
        return self.fee_minor + self.brand_fee_minor

    @property
    def left_minor(self) -> int:
        return self.fee_left_minor + self.brand_fee_left_minor


def deal_of(row: Escrow) -> Deal:
    """The deal as the escrow row keeps it."""
    return Deal(
        row.deliverable_id, row.revision, row.collaboration_id, row.campaign_id, row.brand_id, row.creator_id,
        row.agency_id, row.agency_bps, row.jurisdiction, row.currency, row.fee_minor, row.brand_fee_minor,
        row.policy_id, row.expires_at,
    )  # fmt: skip


class TransferStatus(StrEnum):
    """`mismatched`: the provider confirmed another amount; that amount is in suspense. `returned`: it had arrived, and all
    of it came back."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    MISMATCHED = "mismatched"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One row of `transfers` per deposit, payout or refund. `account` is where the money came from or went to.

    `due_minor` is confirmed and not settled, `owed_minor` fees and reversals that no settlement line has kept yet;
    `settled_minor` is what lines have named of it, `reversed_minor` what came back of it: of a deposit in all, of a payout or
    refund as long as no line has named it. `provider_ref` and `said_at` are the provider's name and time of the arrival."""

    transfer_id: str
    kind: str
    status: str
    owner: str
    account: str
    currency: str
    amount_minor: int
    refunded_minor: int
    source_id: str
    instrument: str
    due_minor: int = 0
    owed_minor: int = 0
    settled_minor: int = 0
    reversed_minor: int = 0
    provider_ref: str = ""
    said_at: datetime | None = None


def _fold_accounts(fact: Posted, rows: Rows) -> Iterable[tuple[Key, Account]]:
    chain = fact.event
    closing = [account_key(ref, chain.currency) for ref in chain.closes]
    before = {key: rows.get(ACCOUNTS, key) or opened(key) for key in (*leg_keys(chain.legs), *closing)}
    after = before | apply_legs(before, chain.legs)
    after.update(closed_accounts(after, closing))
    return after.items()


def _fold_client_money(fact: Posted, rows: Rows) -> Iterable[tuple[Key, ClientMoney]]:
    for currency in sorted({leg.currency for leg in fact.event.legs}):
        row = rows.get(CLIENT_MONEY, (currency,)) or ClientMoney(currency)
        yield (currency,), moved(row, fact.event.legs)


def _fold_clearing(fact: Posted, rows: Rows) -> Iterable[tuple[Key, Clearing]]:
    chain = fact.event
    if any(cleared(chain.kind, chain.currency, chain.legs)):
        row = rows.get(CLEARINGS, (chain.currency,)) or Clearing(chain.currency)
        yield (chain.currency,), clearing.after(row, chain.kind, chain.legs)


def _fold_escrows(fact: Posted, rows: Rows) -> Iterable[tuple[Key, Escrow]]:
    chain = fact.event
    if chain.deal is None:
        return
    key = (chain.deal.deliverable_id,)
    row = rows.get(ESCROWS, key)
    yield key, _held(chain, row) if chain.kind is ChainKind.ESCROW_HELD or row is None else _drained(chain, row)


def _held(chain: ChainPosted, row: Escrow | None) -> Escrow:
    """The row after a hold; a revision moves what is left by the change of the totals."""
    deal = chain.deal
    assert deal is not None
    fee_left = deal.fee_minor - (row.fee_minor - row.fee_left_minor if row else 0)
    brand_fee_left = deal.brand_fee_minor - (row.brand_fee_minor - row.brand_fee_left_minor if row else 0)
    return Escrow(
        deal.deliverable_id, EscrowStatus.HELD.value, deal.revision, deal.collaboration_id, deal.campaign_id, deal.brand_id,
        deal.creator_id, deal.agency_id, deal.agency_bps, deal.jurisdiction, deal.currency,
        deal.fee_minor, deal.brand_fee_minor, fee_left, brand_fee_left, row.released_minor if row else 0,
        row.returned_minor if row else 0, deal.policy_id, deal.expires_at,
    )  # fmt: skip


def _drained(chain: ChainPosted, row: Escrow) -> Escrow:
    if chain.kind is ChainKind.CLAWED_BACK:
        return replace(row, clawed_back_minor=row.clawed_back_minor + chain.taken_minor + chain.owed_minor)
    fee_minor = chain.released.fee_minor if chain.released else 0
    brand_fee_minor = chain.released.brand_fee_minor if chain.released else 0
    row = replace(
        row,
        fee_left_minor=row.fee_left_minor - fee_minor,
        brand_fee_left_minor=row.brand_fee_left_minor - brand_fee_minor,
        released_minor=row.released_minor + fee_minor + brand_fee_minor,
        returned_minor=row.returned_minor + chain.returned_minor,
    )
    if chain.kind is ChainKind.ESCROW_REDUCED:  # all but the kill fee
        return replace(row, fee_left_minor=row.left_minor - chain.returned_minor, brand_fee_left_minor=0)
    if chain.kind is ChainKind.ESCROW_CANCELLED:
        status = EscrowStatus.CLOSED if row.released_minor else EscrowStatus.RETURNED
        return replace(row, status=status.value, fee_left_minor=0, brand_fee_left_minor=0)
    return replace(row, status=EscrowStatus.RELEASED.value) if chain.released and chain.released.final else row


_STATUS = {
    ChainKind.DEPOSIT_CHARGED: TransferStatus.PENDING,
    ChainKind.PAYOUT_REQUESTED: TransferStatus.PENDING,
    ChainKind.REFUND_REQUESTED: TransferStatus.PENDING,
    ChainKind.DEPOSIT_CONFIRMED: TransferStatus.CONFIRMED,
    ChainKind.PAYOUT_CONFIRMED: TransferStatus.CONFIRMED,
    ChainKind.REFUND_CONFIRMED: TransferStatus.CONFIRMED,
    ChainKind.DEPOSIT_FAILED: TransferStatus.FAILED,
    ChainKind.PAYOUT_FAILED: TransferStatus.FAILED,
    ChainKind.REFUND_FAILED: TransferStatus.FAILED,
    ChainKind.PAYOUT_RETURNED: TransferStatus.RETURNED,
    ChainKind.REFUND_RETURNED: TransferStatus.RETURNED,
    ChainKind.DEPOSIT_RESTORED: TransferStatus.CONFIRMED,
}


ARRIVED = (ChainKind.DEPOSIT_CONFIRMED, ChainKind.PAYOUT_CONFIRMED, ChainKind.REFUND_CONFIRMED)


def _fold_transfers(fact: Posted, rows: Rows) -> Iterable[tuple[Key, Transfer]]:
    chain, transfer = fact.event, fact.event.transfer
    if transfer is None:
        return
    key = (transfer.transfer_id,)
    row = rows.get(TRANSFERS, key)
    yield key, _asked(chain, transfer) if row is None else _moved(chain, transfer, row)
    yield from _fold_refunded(chain, rows)


def _asked(chain: ChainPosted, transfer: Transferred) -> Transfer:
    account = chain.legs[0].credit if transfer.kind is TransferKind.DEPOSIT else chain.legs[0].debit
    return Transfer(
        transfer.transfer_id, transfer.kind.value, _STATUS[chain.kind].value, transfer.owner, account.code.value,
        transfer.currency, transfer.amount_minor, 0, transfer.source_id, transfer.instrument,
    )  # fmt: skip


def _moved(chain: ChainPosted, transfer: Transferred, row: Transfer) -> Transfer:
    due_minor, owed_minor = cleared(chain.kind, chain.currency, chain.legs)
    row = replace(row, due_minor=row.due_minor + due_minor, owed_minor=row.owed_minor + owed_minor)
    settled = chain.kind is ChainKind.LINE_SETTLED
    back_minor = row.reversed_minor + _came_back(chain.kind, transfer)
    row = replace(row, reversed_minor=back_minor, settled_minor=row.settled_minor + (settled and _named(transfer)))
    if chain.kind in ARRIVED:
        row = replace(row, provider_ref=transfer.provider_ref, said_at=transfer.said_at)
    if chain.currency != row.currency:  # a deposit that came in another: its settlement line will name that one
        row = replace(row, currency=chain.currency, amount_minor=due_minor)
    return replace(row, status=_status(chain, row).value)


def _status(chain: ChainPosted, row: Transfer) -> TransferStatus:
    if chain.kind is ChainKind.DEPOSIT_CONFIRMED and chain.reason == MISMATCH:
        return TransferStatus.MISMATCHED
    if chain.kind is ChainKind.DEPOSIT_REVERSED and row.reversed_minor == row.amount_minor:
        return TransferStatus.RETURNED
    return _STATUS.get(chain.kind, TransferStatus(row.status))


def _came_back(kind: ChainKind, transfer: Transferred) -> int:
    """What a step adds to `reversed_minor`."""
    outgoing = transfer.kind is not TransferKind.DEPOSIT
    if kind in (ChainKind.DEPOSIT_REVERSED, ChainKind.PAYOUT_RETURNED, ChainKind.REFUND_RETURNED):
        return transfer.amount_minor
    if kind is ChainKind.DEPOSIT_RESTORED or (
        kind is ChainKind.LINE_SETTLED and outgoing and transfer.amount_minor > 0
    ):
        return -transfer.amount_minor
    return 0


def _named(transfer: Transferred) -> int:
    """What a settlement line adds to `settled_minor`: the way of the transfer itself, not what the provider takes back."""
    way = 1 if transfer.kind is TransferKind.DEPOSIT else -1
    return max(0, way * transfer.amount_minor)


MISMATCH = "deposit.amount_differs"


def _fold_refunded(chain: ChainPosted, rows: Rows) -> Iterable[tuple[Key, Transfer]]:
    """A refund counts against its deposit from the request on; one that failed or came back frees it again."""
    signs = {ChainKind.REFUND_REQUESTED: 1, ChainKind.REFUND_FAILED: -1, ChainKind.REFUND_RETURNED: -1}
    if chain.transfer is None or chain.kind not in signs:
        return
    key = (chain.transfer.source_id,)
    deposit = rows.get(TRANSFERS, key)
    if deposit is not None:
        refunded = deposit.refunded_minor + signs[chain.kind] * chain.transfer.amount_minor
        yield key, replace(deposit, refunded_minor=refunded)


def _fold_tax_years(fact: Posted, rows: Rows) -> Iterable[tuple[Key, TaxYear]]:
    for payee in fact.event.released.payees if fact.event.released else ():
        if payee.tax.rule is not Rule.NONE:
            key = (payee.creator_id, str(payee.tax.year))
            yield key, year_after(rows.get(TAX_YEARS, key), payee.creator_id, payee.tax)


@dataclass(frozen=True, slots=True)
class SettledLine:
    """Two rows of `settled_lines` per booked line of a settlement file: by what it says, and by its chain (by number)."""

    name: str
    chain_id: str


def _fold_lines(fact: Posted, rows: Rows) -> Iterable[tuple[Key, SettledLine]]:
    chain = fact.event
    for name in (chain.line_key, chain.chain_id) if chain.line_key else ():
        yield (name,), SettledLine(name, chain.chain_id)


_ON = (ChainPosted,)
ACCOUNTS: InlineTable[Account] = InlineTable("accounts", Account, ("currency", "code", "owner"), _ON, _fold_accounts)
CLIENT_MONEY: InlineTable[ClientMoney] = InlineTable(
    "client_money", ClientMoney, ("currency",), _ON, _fold_client_money
)
CLEARINGS: InlineTable[Clearing] = InlineTable("clearing", Clearing, ("currency",), _ON, _fold_clearing)
ESCROWS: InlineTable[Escrow] = InlineTable("escrows", Escrow, ("deliverable_id",), _ON, _fold_escrows)
TRANSFERS: InlineTable[Transfer] = InlineTable("transfers", Transfer, ("transfer_id",), _ON, _fold_transfers)
TAX_YEARS: InlineTable[TaxYear] = InlineTable("tax_years", TaxYear, ("creator_id", "tax_year"), _ON, _fold_tax_years)
SETTLED_LINES: InlineTable[SettledLine] = InlineTable("settled_lines", SettledLine, ("name",), _ON, _fold_lines)
INLINES = (ACCOUNTS, CLIENT_MONEY, CLEARINGS, ESCROWS, TRANSFERS, TAX_YEARS, SETTLED_LINES)
