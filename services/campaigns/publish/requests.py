"""What the processes ask of other streams, as commands on `<target>.commands.v1`."""

from typing import Any

from dandelion.campaigns.v1 import commands_pb2 as own
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as compliance
from dandelion.ledger.v1 import commands_pb2 as ledger
from dandelion_contracts.wire import form
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.ids import derived_id
from kernel.streams.relay import OutgoingCommand
from services.campaigns.domain.funding.events import (
    ContractRequested,
    EscrowRequested,
    FundingFailed,
    FundingRequested,
    ReleaseRequested,
    ReturnRequested,
)
from services.campaigns.domain.review.events import ReviewPassedOn, ReviewRequested
from services.campaigns.domain.settlement.events import (
    PaymentRequested,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.publish.content import submission
from services.campaigns.publish.wire import placement_of, who


def request_of(event: Any, requester: str) -> OutgoingCommand | None:
    """The command an event of a process asks for; None for a step that asks for nothing."""
    match event:
        case EscrowRequested() | ReturnRequested() | PaymentRequested():
            return _request("ledger", f"escrow-{event.deliverable_id}", _ledger(event, requester))
        case ReviewRequested(collaboration_id, submitted):
            ids = {**who(submitted.parties), "collaboration_id": collaboration_id, "requester": requester}
            ids |= {"submission_id": submitted.submission_id, "deliverable_id": submitted.deliverable_id}
            key = f"review-{submitted.submission_id}"
            return _request("compliance", key, compliance.ReviewContent(**ids, **submission(submitted)))
        case ReleaseRequested(application_id, reason):
            key = f"application-{application_id}"
            message = own.ReleaseApplication(application_id=application_id, reason=reason, requester=requester)
            return _request("campaigns", key, message)
        case _:
            return _own(event, requester)


def _request(target: str, key: str, message: Message) -> OutgoingCommand:
    return OutgoingCommand(target, key, *form(message))


def _ledger(event: EscrowRequested | ReturnRequested | PaymentRequested, requester: str) -> Message:
    ids = {**who(event.parties), "deliverable_id": event.deliverable_id, "collaboration_id": event.collaboration_id}
    ids |= {"currency": event.currency, "requester": requester}
    match event:
        case EscrowRequested():
            return ledger.HoldEscrow(
                **ids,
                fee_minor=event.fee_minor,
                brand_fee_minor=event.brand_fee_minor,
                revision=1,
                jurisdiction=event.jurisdiction,
            )
        case ReturnRequested():
            return ledger.CancelEscrow(
                **ids,
                refund_id=derived_id("refund", event.deliverable_id),
                kill_fee_minor=event.kill_fee_minor,
                creator_fee_bps=event.creator_fee_bps,
                reason=event.reason,
            )
        case PaymentRequested():
            return ledger.ReleasePayment(
                **ids,
                release_id=event.release_id,
                fee_minor=event.fee_minor,
                brand_fee_minor=event.brand_fee_minor,
                creator_fee_bps=event.creator_fee_bps,
            )


def _own(event: Any, requester: str) -> OutgoingCommand | None:
    if isinstance(event, ContractRequested):
        collaboration_id = event.contract.value.collaboration_id
        message: Message = own.ContractCollaboration(
            collaboration_id=collaboration_id,
            contract_json=event.contract.text,
            terms_hash=event.contract_sha256,
            requester=requester,
        )
        return _request("campaigns", f"collaboration-{collaboration_id}", message)
    found = _collaboration(event, requester)
    return _request("campaigns", f"collaboration-{event.collaboration_id}", found) if found else None


def _collaboration(event: Any, requester: str) -> Message | None:
    match event:
        case FundingRequested(collaboration_id):
            return own.FundCollaboration(collaboration_id=collaboration_id, requester=requester)
        case FundingFailed(collaboration_id, reason):
            return own.CancelCollaboration(collaboration_id=collaboration_id, reason=reason, requester=requester)
        case ReviewPassedOn():
            return _review(event, requester)
        case VerificationRequested() | TakeDownRequested() | SettlementRequested():
            return _deliverable(event, requester)
        case _:
            return None


def _review(event: ReviewPassedOn, requester: str) -> Message:
    return own.RecordReview(
        collaboration_id=event.collaboration_id,
        deliverable_id=event.deliverable_id,
        submission_id=event.submission_id,
        verdict=number(common.Verdict, event.verdict),
        findings=event.findings,
        label=event.label,
        placement=placement_of(event.placement),
        requester=requester,
    )


def _deliverable(event: VerificationRequested | TakeDownRequested | SettlementRequested, requester: str) -> Message:
    ids: dict[str, Any] = {
        "collaboration_id": event.collaboration_id,
        "deliverable_id": event.deliverable_id,
        "requester": requester,
    }
    match event:
        case VerificationRequested(look_id=look_id):
            return own.VerifyContent(**ids, look_id=look_id)
        case TakeDownRequested(reason=reason):
            return own.TakeDownContent(**ids, reason=reason)
        case SettlementRequested():
            return own.SettleDeliverable(
                **ids,
                release_id=event.release_id,
                creator_net_minor=event.creator_net_minor,
                currency=event.currency,
            )
