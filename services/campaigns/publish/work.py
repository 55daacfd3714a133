"""Events of `collaboration-` streams in public; those about content are in content.py."""

from collections.abc import Callable
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.events import Delivered
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.work_events import (
    AmendmentConsented,
    ClawBackOrdered,
    ClawBackRefused,
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    CollaborationSettled,
    DeliverableClawedBack,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    PaymentAuthorised,
    PaymentWaits,
    ProductReceived,
    ProductSent,
    WorkEvent,
    WorkStarted,
)
from services.campaigns.publish import content
from services.campaigns.publish.wire import (
    named,
    party,
    who,
    wire_compensation,
    wire_deliverable,
    wire_due,
    wire_ended,
    wire_product,
    wire_terms,
)


def wire_work(event: WorkEvent, collaboration_id: str, incoming: Delivered[Any]) -> Message:
    """One message per event."""
    return FORMS[type(event)](event, collaboration_id, stamp(incoming.at))


def _contracted(event: CollaborationContracted, collaboration_id: str, at: Timestamp | None) -> Message:
    contract = event.contract.value
    brief = contract.brief.value
    return pb.CollaborationContracted(
        **who(contract.parties),
        collaboration_id=contract.collaboration_id,
        application_id=contract.application_id,
        type=number(common.CampaignType, brief.campaign_type),
        compensation=wire_compensation(brief.compensation),
        deliverables=map(wire_deliverable, contract.deliverables),
        currency=contract.currency,
        total_minor=contract.escrow_minor,
        product_category=brief.product_category,
        products=map(wire_product, brief.products),
        jurisdiction=brief.jurisdiction,
        brief_version=contract.brief_version,
        terms_hash=event.contract_sha256,
        terms=wire_terms(contract.terms.value, brief),
        contracted_at=at,
        funding_due_at=stamp(event.funding_due_at),
    )


def _consented(event: AmendmentConsented, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.AmendmentConsented(
        **who(event.contract.value.parties),
        collaboration_id=collaboration_id,
        brief_version=event.contract.value.brief_version,
        terms_hash=event.contract_sha256,
        consented_at=at,
    )


def _sent(event: ProductSent, collaboration_id: str, at: Timestamp | None) -> Message:
    """Without carrier and number, which lead to where somebody lives: GetCollaboration tells the parties."""
    return pb.ProductSent(**who(event.parties), collaboration_id=collaboration_id, sent_at=at)


def _started(event: WorkStarted, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.WorkStarted(collaboration_id=collaboration_id, clocks=map(wire_due, event.clocks), started_at=at)


def _funded(event: CollaborationFunded, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.CollaborationFunded(
        **who(event.parties),
        collaboration_id=collaboration_id,
        total_minor=event.total_minor,
        currency=event.currency,
        funded_at=at,
    )


def _funding_waits(event: FundingWaits, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.FundingWaits(**{**named(pb.FundingWaits, event), **ids}, told_at=at)


def _funding_retried(event: FundingRetried, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.FundingRetried(**ids, attempt=event.attempt, retried_at=at)


def _received(event: ProductReceived, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.ProductReceived(**who(event.parties), collaboration_id=collaboration_id, received_at=at)


def _disputed(event: DisputeOpened, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    due_at = stamp(event.due_at)
    return pb.DisputeOpened(**ids, opened_by=party(event.by), reason=event.reason, opened_at=at, due_at=due_at)


def _dispute_escalated(event: DisputeEscalated, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    due_at = stamp(event.due_at)
    return pb.DisputeEscalated(**ids, escalations=event.escalations, escalated_at=at, due_at=due_at)


def _escalated(event: DeliverableEscalated, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.DeliverableEscalated(
        **who(event.parties),
        deliverable_id=event.deliverable_id,
        collaboration_id=collaboration_id,
        awaits=event.awaits,
        escalations=event.escalations,
        escalated_at=at,
        due_at=stamp(event.due_at),
    )


def _ruled(event: DisputeRuled, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    clocks = map(wire_due, event.clocks)
    return pb.DisputeRuled(**ids, outcome=event.outcome, share_bps=event.share_bps, clocks=clocks, ruled_at=at)


def _authorised(event: PaymentAuthorised, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.PaymentAuthorised(
        **who(event.parties),
        deliverable_id=event.deliverable_id,
        collaboration_id=collaboration_id,
        attempt=event.attempt,
        fee_minor=event.fee_minor,
        brand_fee_minor=event.brand_fee_minor,
        creator_fee_bps=event.creator_fee_bps,
        currency=event.currency,
        authorised_at=at,
    )


def _paid(event: DeliverableSettled, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.DeliverableSettled(
        **who(event.parties),
        deliverable_id=event.deliverable_id,
        collaboration_id=collaboration_id,
        release_id=event.release_id,
        creator_net_minor=event.creator_net_minor,
        currency=event.currency,
        settled_at=at,
    )


def _claw_back(event: ClawBackOrdered, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.ClawBackOrdered(**{**named(pb.ClawBackOrdered, event), **ids}, ordered_at=at)


def _clawed_back(event: DeliverableClawedBack, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.DeliverableClawedBack(**{**named(pb.DeliverableClawedBack, event), **ids}, clawed_back_at=at)


def _claw_back_refused(event: ClawBackRefused, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.ClawBackRefused(**{**named(pb.ClawBackRefused, event), **ids}, refused_at=at)


def _waits(event: PaymentWaits, collaboration_id: str, at: Timestamp | None) -> Message:
    ids = {**who(event.parties), "collaboration_id": collaboration_id}
    return pb.PaymentWaits(**{**named(pb.PaymentWaits, event), **ids}, told_at=at)


def _lapsed(event: DeliverableLapsed, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.DeliverableLapsed(
        **who(event.parties),
        collaboration_id=collaboration_id,
        reason=event.reason,
        deliverable=wire_ended(event.ended),
        currency=event.currency,
        freed_minor=event.freed_minor,
        lapsed_at=at,
    )


def _settled(event: CollaborationSettled, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.CollaborationSettled(
        **who(event.parties),
        collaboration_id=collaboration_id,
        creator_net_minor=event.creator_net_minor,
        currency=event.currency,
        settled_at=at,
    )


def _cancelled(event: CollaborationCancelled, collaboration_id: str, at: Timestamp | None) -> Message:
    return pb.CollaborationCancelled(
        **who(event.parties),
        collaboration_id=collaboration_id,
        cancelled_by=party(event.by),
        reason=event.reason,
        funded=event.funded,
        deliverables=map(wire_ended, event.deliverables),
        currency=event.currency,
        freed_minor=event.freed_minor,
        cancelled_at=at,
    )


FORMS: dict[type, Callable[[Any, str, Timestamp | None], Message]] = {
    CollaborationContracted: _contracted,
    CollaborationFunded: _funded,
    FundingWaits: _funding_waits,
    FundingRetried: _funding_retried,
    WorkStarted: _started,
    AmendmentConsented: _consented,
    CollaborationSettled: _settled,
    CollaborationCancelled: _cancelled,
    ProductSent: _sent,
    ProductReceived: _received,
    **dict.fromkeys(content.FORMS, content.wire_content),
    PaymentAuthorised: _authorised,
    DeliverableSettled: _paid,
    DeliverableLapsed: _lapsed,
    DeliverableEscalated: _escalated,
    ClawBackOrdered: _claw_back,
    DeliverableClawedBack: _clawed_back,
    ClawBackRefused: _claw_back_refused,
    PaymentWaits: _waits,
    DisputeOpened: _disputed,
    DisputeEscalated: _dispute_escalated,
    DisputeRuled: _ruled,
}
"""The public form of each event of a `collaboration-` stream."""
