"""The ledger's inline tables: what must be exact at the head when the next chain is decided."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from services.ledger.domain.accounts import Account
from services.ledger.domain.events import ChainKind, ChainPosted, TransferKind
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

    @property
    def held_minor(self) -> int:
        return self.fee_minor + self.brand_fee_minor

    @property
    def left_minor(self) -> int:
        return self.fee_left_minor + self.brand_fee_left_minor


class TransferStatus(StrEnum):
    """`mismatched`: the provider confirmed another amount; that amount is in suspense."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    MISMATCHED = "mismatched"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One row of `transfers` per deposit, payout or refund. `account` is where the money came from or went to."""

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
    fee_minor = chain.released.fee_minor if chain.released else 0
    brand_fee_minor = chain.released.brand_fee_minor if chain.released else 0
    row = replace(
        row,
        fee_left_minor=row.fee_left_minor - fee_minor,
        brand_fee_left_minor=row.brand_fee_left_minor - brand_fee_minor,
        released_minor=row.released_minor + fee_minor + brand_fee_minor,
        returned_minor=row.returned_minor + chain.returned_minor,
    )
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
}


def _fold_transfers(fact: Posted, rows: Rows) -> Iterable[tuple[Key, Transfer]]:
    chain, transfer = fact.event, fact.event.transfer
    if transfer is None or chain.kind not in _STATUS:
        return
    key = (transfer.transfer_id,)
    status = _STATUS[chain.kind]
    row = rows.get(TRANSFERS, key)
    if row is None:
        account = chain.legs[0].credit if transfer.kind is TransferKind.DEPOSIT else chain.legs[0].debit
        yield key, Transfer(
            transfer.transfer_id, transfer.kind.value, status.value, transfer.owner, account.code.value,
            transfer.currency, transfer.amount_minor, 0, transfer.source_id, transfer.instrument,
        )  # fmt: skip
    else:
        mismatched = chain.kind is ChainKind.DEPOSIT_CONFIRMED and chain.reason == MISMATCH
        yield key, replace(row, status=(TransferStatus.MISMATCHED if mismatched else status).value)
    yield from _fold_refunded(chain, rows)


MISMATCH = "deposit.amount_differs"


def _fold_refunded(chain: ChainPosted, rows: Rows) -> Iterable[tuple[Key, Transfer]]:
    """A refund counts against its deposit from the request on; a failed one frees it again."""
    signs = {ChainKind.REFUND_REQUESTED: 1, ChainKind.REFUND_FAILED: -1}
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


_ON = (ChainPosted,)
ACCOUNTS: InlineTable[Account] = InlineTable("accounts", Account, ("currency", "code", "owner"), _ON, _fold_accounts)
CLIENT_MONEY: InlineTable[ClientMoney] = InlineTable(
    "client_money", ClientMoney, ("currency",), _ON, _fold_client_money
)
ESCROWS: InlineTable[Escrow] = InlineTable("escrows", Escrow, ("deliverable_id",), _ON, _fold_escrows)
TRANSFERS: InlineTable[Transfer] = InlineTable("transfers", Transfer, ("transfer_id",), _ON, _fold_transfers)
TAX_YEARS: InlineTable[TaxYear] = InlineTable("tax_years", TaxYear, ("creator_id", "tax_year"), _ON, _fold_tax_years)
INLINES = (ACCOUNTS, CLIENT_MONEY, ESCROWS, TRANSFERS, TAX_YEARS)
