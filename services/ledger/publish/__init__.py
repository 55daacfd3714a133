"""Private events to public ones: pure. What is promised is proto/dandelion/ledger/v1; every number stands in the event."""

from collections.abc import Callable, Sequence
from typing import Any

from dandelion.ledger.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, refusal, stamp
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.ledger.domain.accounts import Code
from services.ledger.domain.announcing import AccountNamed
from services.ledger.domain.commands import CHAIN, REFUND
from services.ledger.domain.discrepancies import DISCREPANCY
from services.ledger.domain.events import ChainKind, ChainPosted, Deal, EscrowRefused, ReleaseKind, TaxWithheld
from services.ledger.domain.fees import FeePolicy
from services.ledger.domain.files import FILE
from services.ledger.domain.four_eyes import MoveApproved, MoveCarriedOut, MoveExpired, MoveProposed, MoveRejected
from services.ledger.domain.holds import HOLD
from services.ledger.domain.payees import PAYEE
from services.ledger.domain.policies import FeePolicyApproved, FeePolicyProposed, FeePolicyRejected
from services.ledger.domain.residences import RATE, RESIDENCE
from services.ledger.domain.rows import MISMATCH
from services.ledger.domain.seals import SEAL
from services.ledger.domain.set_by_hand import TieCleared
from services.ledger.domain.tax import CN_CURRENCY
from services.ledger.domain.waiting import PaymentDeferred
from services.ledger.domain.watches import WATCH
from services.ledger.publish.moves import public_move

PROVIDER = "psp"
PRIVATE = frozenset({CHAIN, REFUND, WATCH, SEAL, PAYEE, RESIDENCE, RATE, DISCREPANCY, FILE, HOLD})
"""Categories whose streams are not published."""


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event of a published stream; nothing for private ones."""
    if split_stream(incoming.stream)[0] in PRIVATE:
        return []
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("ledger", incoming.event, incoming.at))]
    return [PublicEvent(*form(wire_of(incoming.event, stamp(incoming.at), split_stream(incoming.stream)[1])))]


def wire_of(event: object, at: Timestamp, proposal_id: str = "") -> Message:
    match event:
        case ChainPosted():
            return _CHAINS[event.kind](event, at)
        case EscrowRefused():
            return _escrow_refused(event, at)
        case TaxWithheld():
            return _tax(event, at)
        case PaymentDeferred():
            return _deferred(event, at)
        case AccountNamed(owner, account_id):
            return pb.AccountNamed(owner_id=owner, account_id=account_id, named_at=at)
        case TieCleared(brand_id, payee_id, _, account_ids):
            return pb.TieCleared(brand_id=brand_id, payee_id=payee_id, account_ids=account_ids, cleared_at=at)
        case FeePolicyProposed(policy):
            return pb.FeePolicyProposed(**_policy(policy), proposed_at=at)
        case FeePolicyApproved(policy):
            return pb.FeePolicyChanged(**_policy(policy), approved_at=at)
        case FeePolicyRejected(policy, reason):
            return pb.FeePolicyRejected(**_policy(policy), reason=reason, rejected_at=at)
        case MoveProposed() | MoveApproved() | MoveRejected() | MoveExpired():
            return public_move(event, proposal_id, at)
        case MoveCarriedOut():
            return pb.HandMoveCarriedOut(proposal_id=event.proposal_id, carried_out_at=at)
        case _:
            raise TypeError(f"{type(event).__name__} has no public form")


def _policy(policy: FeePolicy) -> dict[str, Any]:
    return {
        "fee_policy": policy.name, "since": stamp(policy.since), "brand_fee_bps": policy.brand_fee_bps,
        "creator_fee_bps": policy.creator_fee_bps,
    }  # fmt: skip


def _deposit(event: ChainPosted) -> dict[str, Any]:
    transfer = event.transfer
    assert transfer is not None
    return {"deposit_id": transfer.transfer_id, "brand_id": transfer.owner, "currency": transfer.currency}


def _deposit_requested(event: ChainPosted, at: Timestamp) -> Message:
    transfer = event.transfer
    assert transfer is not None
    assert transfer.expires_at is not None
    return pb.DepositRequested(
        **_deposit(event), amount_minor=transfer.amount_minor, provider=PROVIDER, requested_at=at,
        expires_at=stamp(transfer.expires_at),
    )  # fmt: skip


def _deposit_confirmed(event: ChainPosted, at: Timestamp) -> Message:
    """Another amount than asked stays in suspense: for the brand that deposit failed."""
    transfer = event.transfer
    assert transfer is not None
    if event.reason == MISMATCH:
        return _deposit_failed(event, at)
    return pb.DepositConfirmed(
        **_deposit(event), amount_minor=transfer.amount_minor, provider=PROVIDER,
        provider_reference=transfer.provider_ref, confirmed_at=at,
    )  # fmt: skip


def _deposit_failed(event: ChainPosted, at: Timestamp) -> Message:
    assert event.transfer is not None
    amount_minor, reason = event.transfer.amount_minor, event.reason
    return pb.DepositFailed(**_deposit(event), amount_minor=amount_minor, reason=reason, failed_at=at)


def _deposit_reversed(event: ChainPosted, at: Timestamp) -> Message:
    transfer = event.transfer
    assert transfer is not None
    debt_minor = sum(leg.amount_minor for leg in event.legs if leg.debit.code is Code.BRAND_RECEIVABLE)
    return pb.DepositReversed(
        **_deposit(event), amount_minor=transfer.amount_minor, debt_minor=debt_minor, reference=transfer.provider_ref,
        provider_fee_minor=transfer.provider_fee_minor, reason=event.reason, reversed_at=at,
    )  # fmt: skip


def _deposit_restored(event: ChainPosted, at: Timestamp) -> Message:
    transfer = event.transfer
    assert transfer is not None
    amount_minor, reference = transfer.amount_minor, transfer.provider_ref
    return pb.DepositRestored(**_deposit(event), amount_minor=amount_minor, reference=reference, restored_at=at)


def _deposit_settled(event: ChainPosted, at: Timestamp) -> Message:
    transfer = event.transfer
    if transfer is None:  # a line whose reference looks like one of ours and is not
        return pb.DepositSettled(currency=event.currency, net_minor=_into_bank(event), settled_at=at)
    fee_minor = transfer.provider_fee_minor
    return pb.DepositSettled(
        **_deposit(event), batch_id=transfer.batch, line=int(transfer.line) if transfer.line.isdigit() else 0,
        net_minor=transfer.amount_minor - fee_minor, provider_fee_minor=fee_minor, settled_at=at,
    )  # fmt: skip


def _into_bank(event: ChainPosted) -> int:
    """By how much the bank grows, own money left out; a line whose fee is all of it has no leg."""
    legs = [leg for leg in event.legs if Code.BANK_OWN not in (leg.debit.code, leg.credit.code)]
    came = sum(leg.amount_minor for leg in legs if leg.debit.code is Code.BANK)
    return came - sum(leg.amount_minor for leg in legs if leg.credit.code is Code.BANK)


def _deal(deal: Deal) -> dict[str, Any]:
    return {
        "deliverable_id": deal.deliverable_id, "collaboration_id": deal.collaboration_id, "brand_id": deal.brand_id,
        "campaign_id": deal.campaign_id, "creator_id": deal.creator_id, "currency": deal.currency,
    }  # fmt: skip


def _escrow_held(event: ChainPosted, at: Timestamp) -> Message:
    deal = event.deal
    assert deal is not None
    return pb.EscrowHeld(
        **_deal(deal), gross_minor=deal.fee_minor + deal.brand_fee_minor, fee_minor=deal.fee_minor,
        brand_fee_minor=deal.brand_fee_minor, revision=deal.revision, held_at=at,
    )  # fmt: skip


def _escrow_refused(event: EscrowRefused, at: Timestamp) -> Message:
    needed, available = event.needed_minor, event.available_minor
    return pb.EscrowRefused(
        **_deal(event.deal), code=event.code, needed_minor=needed, available_minor=available, refused_at=at
    )


_KINDS = {
    ReleaseKind.SETTLEMENT: pb.RELEASE_KIND_SETTLEMENT,
    ReleaseKind.KILL_FEE: pb.RELEASE_KIND_KILL_FEE,
}


def _released(event: ChainPosted, at: Timestamp) -> Message:
    """`creator_net_minor` includes what an old debt took of it: that is the creator's money too."""
    deal, released = event.deal, event.released
    assert deal is not None
    assert released is not None
    tax_minor = sum(payee.tax.withheld_minor for payee in released.payees)
    return pb.PaymentReleased(
        **_deal(deal),
        release_id=released.release_id,
        agency_id=deal.agency_id,
        kind=_KINDS[released.kind],
        gross_minor=released.gross_minor,
        fee_minor=released.fee_minor,
        brand_fee_minor=released.brand_revenue_minor,
        creator_fee_minor=released.creator_revenue_minor,
        vat_minor=released.vat_minor,
        agency_minor=released.agency_minor,
        tax_minor=tax_minor,
        creator_net_minor=sum(payee.share_minor for payee in released.payees) - tax_minor,
        fee_policy=deal.policy_id,
        tax_rule=released.payees[0].tax.rule,
        released_at=at,
        partial=released.kind is ReleaseKind.SETTLEMENT and not released.final,
    )


def _refund(event: ChainPosted, at: Timestamp) -> Message:
    assert event.deal is not None
    return pb.RefundIssued(
        **_deal(event.deal), refund_id=event.chain_id.partition(":")[2], amount_minor=event.returned_minor,
        kill_fee_minor=event.killed_minor, reason=event.reason, refunded_at=at,
    )  # fmt: skip


def _clawed_back(event: ChainPosted, at: Timestamp) -> Message:
    assert event.deal is not None
    return pb.PaymentClawedBack(
        **_deal(event.deal), claw_back_id=event.chain_id.partition(":")[2], taken_minor=event.taken_minor,
        owed_minor=event.owed_minor, reason=event.reason, clawed_back_at=at,
    )  # fmt: skip


def _tax(event: TaxWithheld, at: Timestamp) -> Message:
    tax = event.tax
    return pb.TaxWithheld(
        release_id=event.release_id,
        creator_id=event.creator_id,
        deliverable_id=event.deliverable_id,
        authority=tax.authority.partition("-")[0].upper(),
        period=f"{tax.year}-{tax.month:02d}",
        tax_rule=tax.rule,
        base_minor=tax.income_minor,
        tax_minor=tax.withheld_minor,
        year_base_minor=tax.income_to_date_minor,
        year_tax_minor=tax.withheld_before_minor + tax.of_the_year[1],
        currency=event.currency,
        withheld_at=at,
        year_currency=CN_CURRENCY if tax.rate_per_minor else "",
        rate_cny_minor=tax.rate_cny_minor,
        rate_per_minor=tax.rate_per_minor,
    )


def _deferred(event: PaymentDeferred, at: Timestamp) -> Message:
    asked = event.release or event.cancel
    assert asked is not None
    return pb.PaymentDeferred(
        **_deal(event.deal), chain_id=asked.chain_id, payee_id=event.payee_id, reason=event.reason,
        fee_minor=event.release.fee_minor if event.release else 0,
        kill_fee_minor=event.cancel.kill_fee_minor if event.cancel else 0, deferred_at=at,
    )  # fmt: skip


def _payout(event: ChainPosted) -> dict[str, Any]:
    transfer = event.transfer
    assert transfer is not None
    return {
        "payout_id": transfer.transfer_id, "creator_id": transfer.owner, "amount_minor": transfer.amount_minor,
        "currency": transfer.currency,
    }  # fmt: skip


def _payout_requested(event: ChainPosted, at: Timestamp) -> Message:
    return pb.PayoutRequested(**_payout(event), provider=PROVIDER, requested_at=at)


def _payout_confirmed(event: ChainPosted, at: Timestamp) -> Message:
    assert event.transfer is not None
    reference, fee_minor = event.transfer.provider_ref, event.transfer.provider_fee_minor
    return pb.PayoutConfirmed(
        **_payout(event), provider_reference=reference, provider_fee_minor=fee_minor, confirmed_at=at
    )


def _payout_failed(event: ChainPosted, at: Timestamp) -> Message:
    return pb.PayoutFailed(**_payout(event), reason=event.reason, failed_at=at)


def _payout_returned(event: ChainPosted, at: Timestamp) -> Message:
    return pb.PayoutReturned(**_payout(event), reason=event.reason, returned_at=at)


_CHAINS: dict[ChainKind, Callable[[ChainPosted, Timestamp], Message]] = {
    ChainKind.DEPOSIT_CHARGED: _deposit_requested,
    ChainKind.DEPOSIT_CONFIRMED: _deposit_confirmed,
    ChainKind.DEPOSIT_FAILED: _deposit_failed,
    ChainKind.DEPOSIT_REVERSED: _deposit_reversed,
    ChainKind.DEPOSIT_RESTORED: _deposit_restored,
    ChainKind.LINE_SETTLED: _deposit_settled,
    ChainKind.ESCROW_HELD: _escrow_held,
    ChainKind.PAYMENT_RELEASED: _released,
    ChainKind.ESCROW_CANCELLED: _refund,
    ChainKind.ESCROW_REDUCED: _refund,
    ChainKind.CLAWED_BACK: _clawed_back,
    ChainKind.PAYOUT_REQUESTED: _payout_requested,
    ChainKind.PAYOUT_CONFIRMED: _payout_confirmed,
    ChainKind.PAYOUT_FAILED: _payout_failed,
    ChainKind.PAYOUT_RETURNED: _payout_returned,
}
"""Every kind that stands on a published stream."""
