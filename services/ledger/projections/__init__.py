"""Read models of money, made from the log alone: balances, statement lines and what is in escrow. No clock, no float."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from kernel.core.canonical import canonical
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.ids import PUBLIC, role_reader, split_stream
from kernel.processors.projector import Projection, Target, fold_rows
from services.ledger.domain.accounts import PLATFORM, Account, Code, Side
from services.ledger.domain.events import ChainKind, ChainPosted
from services.ledger.domain.four_eyes import EVENTS as MOVES
from services.ledger.domain.four_eyes import (
    MoveApproved,
    MoveCarriedOut,
    MoveExpired,
    MoveProposed,
    MoveRejected,
    moved_by,
)
from services.ledger.domain.policies import FeePolicyApproved, FeePolicyProposed, FeePolicyRejected
from services.ledger.domain.set_by_hand import ReferenceRateSet, Set, TaxResidenceVerified
from services.ledger.domain.transfers import Leg, Phase, Ref, account_key, apply_legs, leg_keys, opened
from services.ledger.domain.waiting import PaymentDeferred
from services.ledger.projections.listed import LISTS
from services.ledger.tables import (
    AMOUNTS,
    BALANCES,
    DEFERRED_PAYMENTS,
    HAND_MOVES,
    HELD_ESCROWS,
    POLICIES,
    RATES,
    RESIDENCES,
    STATEMENT_LINES,
)

STAFF = tuple(map(role_reader, ("auditor", "finance", "operator")))
PARTY = frozenset(
    {
        Code.BRAND_AVAILABLE, Code.CREATOR_AVAILABLE, Code.AGENCY_AVAILABLE, Code.BRAND_RECEIVABLE,
        Code.CREATOR_RECEIVABLE, Code.AGENCY_RECEIVABLE,
    }
)  # fmt: skip
"""Accounts whose owner is an organisation."""
MOVED = (Phase.POSTED, Phase.POST)


@dataclass(slots=True)
class _Batch:
    """Accounts as they stand while a batch is applied, who may read them, and the lines it makes."""

    accounts: dict[Key, Account]
    readers: dict[Key, frozenset[str]]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def post(self, incoming: Delivered[Any]) -> None:
        chain: ChainPosted = incoming.event
        for ref, currency in _ends(chain):
            key = account_key(ref, currency)
            self.readers[key] = self.readers.get(key, frozenset()) | _readers(chain, ref)
        number = 0
        for leg in chain.legs:
            self.accounts.update(apply_legs(self.accounts, [leg]))
            if leg.phase in MOVED:
                for mine, other in ((leg.debit, leg.credit), (leg.credit, leg.debit)):
                    self.lines.append(self._line(incoming, number, leg, mine, other))
                    number += 1

    def _line(self, incoming: Delivered[Any], number: int, leg: Leg, mine: Ref, other: Ref) -> dict[str, Any]:
        chain: ChainPosted = incoming.event
        key, deal = account_key(mine, leg.currency), chain.deal
        account = self.accounts[key]
        grows = (account.kind.side is Side.DEBIT) == (mine == leg.debit)
        return {
            "position": incoming.position, "line": number, "owner": mine.owner, "account": mine.code.value,
            "currency": leg.currency, "chain_id": chain.chain_id, "kind": chain.kind.value,
            "counterparty": other.owner, "campaign_id": deal.campaign_id if deal else "",
            "collaboration_id": deal.collaboration_id if deal else "",
            "deliverable_id": deal.deliverable_id if deal else "",
            "amount_minor": leg.amount_minor if grows else -leg.amount_minor, "balance_minor": account.balance_minor,
            "recorded_at": incoming.at, "readers": sorted(self.readers[key]),
        }  # fmt: skip


def _ends(chain: ChainPosted) -> Iterable[tuple[Ref, str]]:
    return ((ref, leg.currency) for leg in chain.legs for ref in (leg.debit, leg.credit))


def _readers(chain: ChainPosted, ref: Ref) -> frozenset[str]:
    """The organisation that owns the account; for an escrow its parties, for a transfer under way its owner; and staff."""
    if ref.code in PARTY:
        return frozenset((*STAFF, ref.owner))
    if ref.code in (Code.ESCROW, Code.DISPUTE) and chain.deal is not None:
        return frozenset((*STAFF, *_parties(chain)))
    if ref.code in (Code.PAYOUT_IN_TRANSIT, Code.REFUND_IN_TRANSIT) and chain.transfer is not None:
        return frozenset((*STAFF, chain.transfer.owner))
    return frozenset(STAFF)


def _parties(chain: ChainPosted) -> list[str]:
    deal = chain.deal
    assert deal is not None
    return [party for party in (deal.brand_id, deal.creator_id, deal.agency_id) if party]


def _row_key(key: Key) -> Key:
    currency, code, owner = key
    return owner, code, currency


async def _apply_balances(target: Target, events: Sequence[Delivered[Any]]) -> None:
    posted = [incoming for incoming in events if isinstance(incoming.event, ChainPosted)]
    keys = {key for incoming in posted for key in leg_keys(incoming.event.legs)}
    closed = {account_key(ref, one.event.currency) for one in posted for ref in one.event.closes}
    if not keys | closed:
        return
    stored = await target.rows(BALANCES, (_row_key(key) for key in keys | closed))
    batch = _Batch(
        {key: _account(key, stored.get(_row_key(key))) for key in keys | closed},
        {key: frozenset(row["readers"]) for key in keys | closed if (row := stored.get(_row_key(key)))},
    )
    for incoming in posted:
        batch.post(incoming)
    rows = [_balance(key, account, batch.readers.get(key), key in closed) for key, account in batch.accounts.items()]
    await target.upsert(BALANCES, rows)
    await target.upsert(STATEMENT_LINES, batch.lines)


def _account(key: Key, row: Mapping[str, Any] | None) -> Account:
    if row is None:
        return opened(key)
    currency, code, owner = key
    debits, credits = (row["debits_pending"], row["debits_posted"]), (row["credits_pending"], row["credits_posted"])
    return Account(currency, code, owner, *debits, *credits, bool(row["closed"]))


def _balance(key: Key, account: Account, readers: frozenset[str] | None, closed: bool) -> dict[str, Any]:
    owner, code, currency = _row_key(key)
    return {
        "owner": owner, "account": code, "currency": currency, "closed": account.closed or closed,
        "readers": sorted(readers or STAFF), **{name: getattr(account, name) for name in AMOUNTS},
    }  # fmt: skip


async def _apply_escrows(target: Target, events: Sequence[Delivered[Any]]) -> None:
    rows: dict[Key, dict[str, Any] | None] = {}
    chains = [one.event for one in events if isinstance(one.event, ChainPosted) and one.event.deal]
    stored = await target.rows(HELD_ESCROWS, ((chain.deal.deliverable_id,) for chain in chains if chain.deal))
    for chain in chains:
        assert chain.deal is not None
        key = (chain.deal.deliverable_id,)
        rows[key] = _held(chain, rows[key] if key in rows else stored.get(key))
    await target.delete(HELD_ESCROWS, (key for key, row in rows.items() if row is None and key in stored))
    await target.upsert(HELD_ESCROWS, [row for row in rows.values() if row is not None])


def _held(chain: ChainPosted, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    deal = chain.deal
    assert deal is not None
    moved = _escrow_change(chain)
    ended = chain.kind is ChainKind.ESCROW_CANCELLED or (chain.released is not None and chain.released.final)
    if ended or chain.kind is ChainKind.CLAWED_BACK:
        return None
    return {
        "deliverable_id": deal.deliverable_id, "collaboration_id": deal.collaboration_id, "brand_id": deal.brand_id,
        "campaign_id": deal.campaign_id, "creator_id": deal.creator_id, "currency": deal.currency,
        "held_minor": (row["held_minor"] if row else 0) + moved, "readers": sorted((*STAFF, *_parties(chain))),
    }  # fmt: skip


def _escrow_change(chain: ChainPosted) -> int:
    came = sum(leg.amount_minor for leg in chain.legs if leg.credit.code is Code.ESCROW)
    return came - sum(leg.amount_minor for leg in chain.legs if leg.debit.code is Code.ESCROW)


async def _apply_residences(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, RESIDENCES, _of(TaxResidenceVerified, events), lambda one: (one.event.payee_id,), _resident)


def _of(kind: type | tuple[type, ...], events: Sequence[Delivered[Any]]) -> list[Delivered[Any]]:
    return [incoming for incoming in events if isinstance(incoming.event, kind)]


def _resident(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    event: TaxResidenceVerified = incoming.event
    return {
        "payee_id": event.payee_id, "country": event.country, "reference": event.reference,
        "verified_at": incoming.at, "readers": sorted((*STAFF, event.payee_id)),
    }  # fmt: skip


async def _apply_rates(target: Target, events: Sequence[Delivered[Any]]) -> None:
    own = _of(ReferenceRateSet, events)
    await fold_rows(target, RATES, own, lambda one: (one.event.currency, one.event.month), _rated)


def _rated(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    event: ReferenceRateSet = incoming.event
    return {
        "currency": event.currency, "month": event.month, "cny_minor": event.cny_minor, "per_minor": event.per_minor,
        "set_at": incoming.at, "readers": [PUBLIC],
    }  # fmt: skip


async def _apply_deferred(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """What changes an escrow after it was held: a payment that waits, or one that was made."""
    moved = [one for one in _of((ChainPosted, PaymentDeferred), events) if one.event.deal is not None]
    own = [one for one in moved if getattr(one.event, "kind", None) is not ChainKind.ESCROW_HELD]
    await fold_rows(target, DEFERRED_PAYMENTS, own, lambda one: (one.event.deal.deliverable_id,), _deferred)


def _deferred(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any] | None:
    event = incoming.event
    if not isinstance(event, PaymentDeferred):
        return None
    deal = event.deal
    parties = {deal.brand_id, deal.creator_id, deal.agency_id, event.payee_id} - {""}
    amount_minor = event.release.fee_minor if event.release else event.cancel.kill_fee_minor if event.cancel else 0
    return {
        "deliverable_id": deal.deliverable_id, "collaboration_id": deal.collaboration_id, "brand_id": deal.brand_id,
        "campaign_id": deal.campaign_id, "creator_id": deal.creator_id, "payee_id": event.payee_id,
        "reason": event.reason, "currency": deal.currency, "amount_minor": amount_minor,
        "deferred_at": row["deferred_at"] if row else incoming.at, "readers": sorted((*STAFF, *parties)),
    }  # fmt: skip


async def _apply_policies(target: Target, events: Sequence[Delivered[Any]]) -> None:
    own = _of((FeePolicyProposed, FeePolicyApproved, FeePolicyRejected), events)
    await fold_rows(target, POLICIES, own, lambda one: (split_stream(one.stream)[1],), _policy)


def _policy(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    """What is not approved is staff's matter."""
    event, policy = incoming.event, incoming.event.policy
    found = {
        "policy_id": split_stream(incoming.stream)[1], "name": policy.name, "since": policy.since,
        "brand_fee_bps": policy.brand_fee_bps, "creator_fee_bps": policy.creator_fee_bps, "approved_by": "",
        "proposed_by": row["proposed_by"] if row else "", "reason": "", "changed_at": incoming.at,
        "readers": sorted(STAFF),
    }  # fmt: skip
    match event:
        case FeePolicyProposed(_, proposed_by):
            return found | {"status": "proposed", "proposed_by": proposed_by}
        case FeePolicyApproved(_, _, approved_by):
            return found | {"status": "approved", "approved_by": approved_by, "readers": [PUBLIC]}
        case _:
            return found | {"status": "rejected", "reason": event.reason}


async def _apply_moves(target: Target, events: Sequence[Delivered[Any]]) -> None:
    own = _of((*MOVES, *get_args(Set)), events)
    await fold_rows(target, HAND_MOVES, own, lambda one: (moved_by(one.event, one.stream),), _move)


def _move(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any] | None:
    """For staff and for those whose money it is; a proposal that is made again begins anew."""
    event, changed = incoming.event, {"changed_at": incoming.at}
    match event:
        case MoveProposed(move, proposed_by, expires_at):
            return changed | {
                "proposal_id": split_stream(incoming.stream)[1], "move": move.command, "command": move.data,
                "sums": canonical(move.sums).decode(), "status": "proposed", "proposed_by": proposed_by,
                "approved_by": "", "rejected_by": "", "reason": "", "proposed_at": incoming.at,
                "expires_at": expires_at, "readers": sorted({*STAFF, *move.owners} - {PLATFORM}),
            }  # fmt: skip
        case _ if row is None:
            return None
        case MoveApproved(approved_by=approved_by):
            return row | changed | {"status": "approved", "approved_by": approved_by}
        case MoveRejected(rejected_by=rejected_by, reason=reason):
            return row | changed | {"status": "rejected", "rejected_by": rejected_by, "reason": reason}
        case MoveExpired():
            return row | changed | {"status": "expired"}
        case _ if row["status"] == "approved" or isinstance(event, MoveCarriedOut):
            return row | changed | {"status": "carried_out"}
        case _:
            return row


BALANCES_PROJECTION = Projection("balances", 1, (BALANCES, STATEMENT_LINES), _apply_balances)
ESCROWS_PROJECTION = Projection("held_escrows", 1, (HELD_ESCROWS,), _apply_escrows)
RESIDENCES_PROJECTION = Projection("residences", 1, (RESIDENCES,), _apply_residences)
RATES_PROJECTION = Projection("rates", 1, (RATES,), _apply_rates)
DEFERRED_PROJECTION = Projection("deferred_payments", 1, (DEFERRED_PAYMENTS,), _apply_deferred)
POLICIES_PROJECTION = Projection("policies", 1, (POLICIES,), _apply_policies)
MOVES_PROJECTION = Projection("hand_moves", 2, (HAND_MOVES,), _apply_moves)
PROJECTIONS = (
    BALANCES_PROJECTION, ESCROWS_PROJECTION, RESIDENCES_PROJECTION, RATES_PROJECTION, DEFERRED_PROJECTION,
    POLICIES_PROJECTION, MOVES_PROJECTION, *LISTS,
)  # fmt: skip
