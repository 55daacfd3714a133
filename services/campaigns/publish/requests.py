"""What the processes ask of other streams, as commands on `<target>.commands.v1`."""

from collections.abc import Callable
from typing import Any

from dandelion.campaigns.v1 import commands_pb2 as own
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as compliance
from dandelion.discovery.v1 import commands_pb2 as discovery
from dandelion.ledger.v1 import commands_pb2 as ledger
from dandelion_contracts.wire import form, stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.ids import derived_id
from kernel.core.personal import ErasureAsked, ErasureDone
from kernel.streams.relay import OutgoingCommand
from services.campaigns.domain.conduct.events import ConductEvent, SanctionRequested, StrikeCounted
from services.campaigns.domain.creators.events import CreatorHeard
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.funding.events import (
    ContractRequested,
    EndRequested,
    EscrowConfirmed,
    EscrowRequested,
    EscrowUncovered,
    FundingCompleted,
    FundingEvent,
    FundingFailed,
    FundingRequested,
    FundingStopped,
    FundingWaitNoted,
    ReleaseRequested,
    ReturnRequested,
)
from services.campaigns.domain.parties.events import PartyHeard
from services.campaigns.domain.review.events import (
    LabelNoted,
    ReviewEvent,
    ReviewPassedOn,
    ReviewRequested,
    VerdictNoted,
)
from services.campaigns.domain.settlement.events import (
    ClawBackConfirmed,
    ClawBackFailed,
    ClawBackRequested,
    PartPaid,
    PaymentRequested,
    PaymentWaitNoted,
    SettlementEvent,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.publish.content import submission
from services.campaigns.publish.wire import named, placement_of, who

Request = Callable[[Any, str], OutgoingCommand | None]
"""`(event, requester)` -> the command that the event asks for."""


ProcessEvent = (
    CreatorHeard
    | FeePolicyHeard
    | PartyHeard
    | ConductEvent
    | FundingEvent
    | ReviewEvent
    | SettlementEvent
    | ErasureAsked
    | ErasureDone
)


def request_of(event: ProcessEvent, requester: str) -> OutgoingCommand | None:
    """The command an event of a process asks for; None for a step that asks for nothing."""
    return REQUESTS[type(event)](event, requester)


def _request(target: str, key: str, message: Message) -> OutgoingCommand:
    return OutgoingCommand(target, key, *form(message))


def _ids(
    event: EscrowRequested | ReturnRequested | PaymentRequested | ClawBackRequested, requester: str
) -> dict[str, Any]:
    """The fields that every command to the ledger has."""
    ids = {**who(event.parties), "deliverable_id": event.deliverable_id, "collaboration_id": event.collaboration_id}
    return {**ids, "currency": event.currency, "requester": requester}


def _hold(event: EscrowRequested, requester: str) -> OutgoingCommand:
    priced = {"fee_minor": event.fee_minor, "brand_fee_minor": event.brand_fee_minor, "fee_policy": event.fee_policy}
    where: dict[str, Any] = {"jurisdiction": event.jurisdiction, "expires_s": event.expires_s, **priced}
    message = ledger.HoldEscrow(**_ids(event, requester), revision=event.attempt, **where)
    return _request("ledger", f"escrow-{event.deliverable_id}", message)


def _return(event: ReturnRequested, requester: str) -> OutgoingCommand:
    message = ledger.CancelEscrow(
        **_ids(event, requester),
        refund_id=derived_id("refund", event.deliverable_id),
        kill_fee_minor=event.kill_fee_minor,
        creator_fee_bps=event.creator_fee_bps,
        reason=event.reason,
    )
    return _request("ledger", f"escrow-{event.deliverable_id}", message)


def _pay(event: PaymentRequested, requester: str) -> OutgoingCommand:
    message = ledger.ReleasePayment(
        **_ids(event, requester),
        release_id=event.release_id,
        fee_minor=event.fee_minor,
        brand_fee_minor=event.brand_fee_minor,
        creator_fee_bps=event.creator_fee_bps,
    )
    return _request("ledger", f"escrow-{event.deliverable_id}", message)


def _review(event: ReviewRequested, requester: str) -> OutgoingCommand:
    submitted = event.submission
    ids = {**who(submitted.parties), "collaboration_id": event.collaboration_id, "requester": requester}
    ids |= {"submission_id": submitted.submission_id, "deliverable_id": submitted.deliverable_id}
    message = compliance.ReviewContent(**ids, **submission(submitted))
    return _request("compliance", f"review-{submitted.submission_id}", message)


def _release(event: ReleaseRequested, requester: str) -> OutgoingCommand:
    message = own.ReleaseApplication(**named(own.ReleaseApplication, event), requester=requester)
    return _request("campaigns", f"application-{event.application_id}", message)


def _own(collaboration_id: str, message: Message) -> OutgoingCommand:
    """A command to a collaboration of campaigns itself."""
    return _request("campaigns", f"collaboration-{collaboration_id}", message)


def _own_from(command: Any) -> Request:
    """A command to a collaboration of campaigns itself, all of whose fields the event has by the same name."""

    def request(event: object, requester: str) -> OutgoingCommand:
        fields = named(command, event)
        return _own(fields["collaboration_id"], command(**fields, requester=requester))

    return request


def _contract(event: ContractRequested, requester: str) -> OutgoingCommand:
    """The document travels as the text that its hash covers."""
    collaboration_id = event.contract.value.collaboration_id
    message = own.ContractCollaboration(
        collaboration_id=collaboration_id,
        contract_json=event.contract.text,
        terms_hash=event.contract_sha256,
        requester=requester,
    )
    return _own(collaboration_id, message)


def _record(event: ReviewPassedOn, requester: str) -> OutgoingCommand:
    message = own.RecordReview(
        **named(own.RecordReview, event),
        verdict=number(common.Verdict, event.verdict),
        placement=placement_of(event.placement),
        requester=requester,
    )
    return _own(event.collaboration_id, message)


def _claw_back(event: ClawBackRequested, requester: str) -> OutgoingCommand:
    message = ledger.ClawBackPayment(
        **_ids(event, requester),
        claw_back_id=event.claw_back_id,
        amount_minor=event.amount_minor,
        reason=event.reason,
    )
    return _request("ledger", f"escrow-{event.deliverable_id}", message)


def _suspend(event: SanctionRequested, requester: str) -> OutgoingCommand:
    message = discovery.SuspendCreator(
        creator_id=event.creator_id, reason=event.reason, until=stamp(event.until), requester=requester
    )
    return _request("discovery", f"creator-{event.creator_id}", message)


def _nothing(event: object, requester: str) -> None:
    return None


STEPS = (
    CreatorHeard,
    ErasureAsked,
    ErasureDone,
    FeePolicyHeard,
    PartyHeard,
    EscrowConfirmed,
    EscrowUncovered,
    FundingCompleted,
    FundingStopped,
    VerdictNoted,
    LabelNoted,
    PartPaid,
    StrikeCounted,
    RequestRefused,
)
REQUESTS: dict[type, Request] = {
    ContractRequested: _contract,
    EscrowRequested: _hold,
    FundingRequested: _own_from(own.FundCollaboration),
    FundingWaitNoted: _own_from(own.NoteFundingWait),
    FundingFailed: _own_from(own.CancelCollaboration),
    ReturnRequested: _return,
    EndRequested: _own_from(own.EndDeliverable),
    ReleaseRequested: _release,
    ReviewRequested: _review,
    ReviewPassedOn: _record,
    VerificationRequested: _own_from(own.VerifyContent),
    TakeDownRequested: _own_from(own.TakeDownContent),
    PaymentRequested: _pay,
    SettlementRequested: _own_from(own.SettleDeliverable),
    ClawBackRequested: _claw_back,
    ClawBackConfirmed: _own_from(own.RecordClawBack),
    ClawBackFailed: _own_from(own.RefuseClawBack),
    PaymentWaitNoted: _own_from(own.NotePaymentWait),
    SanctionRequested: _suspend,
    **dict.fromkeys(STEPS, _nothing),
}
"""The command that each event of a process asks for."""
