"""Transfers, escrows, releases and payout accounts as lists: folded by the same functions that keep the inline tables.

So a list says what the books decide on, as far as the log has been read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa

from kernel.core.canonical import canonical
from kernel.core.decider import DecidedEvent, InlineTable, Key
from kernel.core.events import Delivered
from kernel.core.ids import role_reader
from kernel.processors.projector import Projection, Target, fold_rows
from services.ledger.domain.events import ChainKind, ChainPosted, Payee, TransferKind
from services.ledger.domain.payees import PAYOUT_ACCOUNTS
from services.ledger.domain.rows import ARRIVED, ESCROWS, TRANSFERS, TransferStatus
from services.ledger.domain.set_by_hand import PayoutAccountChanged
from services.ledger.tables.listed import LISTED_ESCROWS, LISTED_PAYOUT_ACCOUNTS, LISTED_TRANSFERS, RELEASES

Row = dict[str, Any]
STAFF = tuple(map(role_reader, ("auditor", "finance", "operator")))
UNWELL = (TransferStatus.FAILED.value, TransferStatus.MISMATCHED.value, TransferStatus.RETURNED.value)


@dataclass(frozen=True, slots=True)
class Listing:
    """A read model that follows an inline table: which rows an event touches, and what a row has beyond the inline one."""

    table: sa.Table
    inline: InlineTable[Any]
    touched: Callable[[Any], Iterable[Key]]
    beside: Callable[[Row | None, Row, Delivered[Any]], Row]

    async def apply(self, target: Target, events: Sequence[Delivered[Any]]) -> None:
        own = [one for one in events if isinstance(one.event, self.inline.events)]
        keys = {key for one in own for key in self.touched(one.event)}
        if not keys:
            return
        standing = _Standing(await target.rows(self.table, keys))
        for incoming in own:
            fact = DecidedEvent(incoming.stream, incoming.tenant, incoming.version, incoming.at, incoming.event)
            for key, row in list(self.inline.fold(fact, standing)):
                assert row is not None, "no row of these tables is ever deleted"
                after = asdict(row)
                standing.rows[key] = after | self.beside(standing.rows.get(key), after, incoming)
        await target.upsert(self.table, list(standing.rows.values()))


@dataclass(frozen=True, slots=True)
class _Standing:
    """Rows of the read model, as the fold of the inline table reads them."""

    rows: dict[Key, Row]

    def get(self, table: InlineTable[Any], key: Key) -> Any:
        row = self.rows.get(key)
        return None if row is None else table.row(**{field.name: row[field.name] for field in fields(table.row)})

    def find(self, table: InlineTable[Any], **columns: str) -> Any:
        raise LookupError(f"{table.name}: a list has the rows of its batch only")


def _transfers_of(chain: ChainPosted) -> Iterable[Key]:
    transfer = chain.transfer
    if transfer is not None:
        yield (transfer.transfer_id,)
        if transfer.kind is TransferKind.REFUND:
            yield (transfer.source_id,)


def _transfer(before: Row | None, after: Row, incoming: Delivered[Any]) -> Row:
    chain: ChainPosted = incoming.event
    transfer = chain.transfer
    assert transfer is not None
    kept = before or {"requested_at": incoming.at, "expires_at": transfer.expires_at, "reason": ""}
    own = transfer.transfer_id == after["transfer_id"]
    unwell = after["status"] in UNWELL or after["reversed_minor"] > 0
    reason = (chain.reason or kept["reason"]) if unwell else ""
    arrived = own and chain.kind in ARRIVED
    return {
        "requested_at": kept["requested_at"], "expires_at": kept["expires_at"], "changed_at": incoming.at,
        "said_at": after["said_at"] or (incoming.at if arrived else before["said_at"] if before else None),
        "reason": reason if own else kept["reason"], "readers": sorted({*STAFF, after["owner"]}),
    }  # fmt: skip


def _escrows_of(chain: ChainPosted) -> Iterable[Key]:
    if chain.deal is not None:
        yield (chain.deal.deliverable_id,)


def _escrow(before: Row | None, after: Row, incoming: Delivered[Any]) -> Row:
    parties = {after[name] for name in ("brand_id", "creator_id", "agency_id")} - {""}
    held_at = before["held_at"] if before else incoming.at
    return {"held_at": held_at, "changed_at": incoming.at, "readers": sorted({*STAFF, *parties})}


def _accounts_of(event: ChainPosted | PayoutAccountChanged) -> Iterable[Key]:
    if isinstance(event, PayoutAccountChanged):
        yield (event.owner, event.currency)
    elif event.transfer is not None and event.kind in (ChainKind.PAYOUT_REQUESTED, ChainKind.PAYOUT_CONFIRMED):
        yield (event.transfer.owner, event.currency)


def _account(before: Row | None, after: Row, incoming: Delivered[Any]) -> Row:
    same = before is not None and all(before[name] == value for name, value in after.items())
    changed_at = before["changed_at"] if before is not None and same else incoming.at
    return {"changed_at": changed_at, "readers": sorted({*STAFF, after["owner"]})}


async def _apply_releases(target: Target, events: Sequence[Delivered[Any]]) -> None:
    paid = [one for one in events if isinstance(one.event, ChainPosted) and one.event.released is not None]
    await fold_rows(target, RELEASES, paid, lambda one: (one.event.chain_id,), _release)


def _release(row: Row | None, incoming: Delivered[Any]) -> Row:
    chain: ChainPosted = incoming.event
    deal, released = chain.deal, chain.released
    assert deal is not None
    assert released is not None
    parties = {deal.brand_id, deal.creator_id, deal.agency_id, *_payee_ids(released.payees)} - {""}
    same = (
        "release_id",
        "fee_minor",
        "brand_revenue_minor",
        "creator_revenue_minor",
        "vat_minor",
        "agency_minor",
        "final",
    )
    of_deal = (
        "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id", "agency_bps",
        "currency", "policy_id",
    )  # fmt: skip
    return {
        "chain_id": chain.chain_id, **{name: getattr(released, name) for name in same},
        **{name: getattr(deal, name) for name in of_deal}, "kind": released.kind.value,
        "gross_minor": released.gross_minor, "payees": canonical(released.payees).decode(),
        "released_at": incoming.at, "readers": sorted({*STAFF, *parties}),
    }  # fmt: skip


def _payee_ids(payees: Sequence[Payee]) -> set[str]:
    return {payee.creator_id for payee in payees}


TRANSFERS_LISTED = Listing(LISTED_TRANSFERS, TRANSFERS, _transfers_of, _transfer)
ESCROWS_LISTED = Listing(LISTED_ESCROWS, ESCROWS, _escrows_of, _escrow)
ACCOUNTS_LISTED = Listing(LISTED_PAYOUT_ACCOUNTS, PAYOUT_ACCOUNTS, _accounts_of, _account)
TRANSFERS_PROJECTION = Projection("listed_transfers", 1, (LISTED_TRANSFERS,), TRANSFERS_LISTED.apply)
LISTED_ESCROWS_PROJECTION = Projection("listed_escrows", 1, (LISTED_ESCROWS,), ESCROWS_LISTED.apply)
RELEASES_PROJECTION = Projection("releases", 1, (RELEASES,), _apply_releases)
ACCOUNTS_PROJECTION = Projection("listed_payout_accounts", 1, (LISTED_PAYOUT_ACCOUNTS,), ACCOUNTS_LISTED.apply)
LISTS = (TRANSFERS_PROJECTION, LISTED_ESCROWS_PROJECTION, RELEASES_PROJECTION, ACCOUNTS_PROJECTION)
