"""Events of `collaboration-` streams about content, in public; and a submission as compliance is asked to judge it."""

from collections.abc import Callable
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.money import share_down
from services.campaigns.domain.shared.content_events import (
    BLOCKED,
    BreachCured,
    BreachNoticed,
    ContentApproved,
    ContentEvent,
    ContentPublished,
    ContentReviewed,
    ContentScheduled,
    ContentSubmitted,
    ContentTakenDown,
    ContentVerified,
    Evidence,
    Media,
    ReviewReminded,
    RevisionRequested,
    Ruler,
    RulingRequested,
    Setting,
)
from services.campaigns.publish.wire import named, party, placement_of, who, wire_product

PERSONAL = ("title", "text", "tags", "links", "evidence")
"""What a submission is made of, by field names: for compliance's judgement, and in no topic of events."""


def wire_content(event: ContentEvent, collaboration_id: str, at: Timestamp | None) -> Message:
    """One message per event."""
    ids = {**who(event.parties), "deliverable_id": event.deliverable_id, "collaboration_id": collaboration_id}
    return FORMS[type(event)](event, ids, at)


def wire_media(media: Media) -> pb.Media:
    return pb.Media(content_hash=media.sha256, kind=media.kind, duration_ms=media.duration_ms, ai_made=media.ai_made)


def wire_evidence(proof: Evidence) -> pb.Evidence:
    expires_on = proof.expires_on.isoformat() if proof.expires_on else ""
    return pb.Evidence(kind=proof.kind, phrase=proof.phrase, reference=proof.reference, expires_on=expires_on)


def setting(deal: Setting) -> dict[str, Any]:
    """The deal behind the content, by the field names that ContentSubmitted and compliance's ReviewContent share."""
    return {
        "platform": number(common.Platform, deal.platform),
        "format": number(common.Format, deal.format),
        "jurisdiction": deal.jurisdiction,
        "product_category": deal.product_category,
        "type": number(common.CampaignType, deal.campaign_type),
        "compensation_kind": number(common.CompensationKind, deal.compensation_kind),
        "product_used": deal.product_used,
        "virtual_human": deal.virtual_human,
        "products": [wire_product(product) for product in deal.products],
    }


def submission(event: ContentSubmitted) -> dict[str, Any]:
    """Everything about a submission but its ids, by the same shared field names."""
    content = event.content
    return {
        **setting(event.setting),
        "stage": number(common.SubmissionStage, event.stage),
        "round": event.round,
        "title": content.title,
        "text": content.text,
        "tags": content.tags,
        "links": content.links,
        "media": [wire_media(media) for media in content.media],
        "language": content.language,
        "evidence": [wire_evidence(proof) for proof in content.evidence],
        "text_hash": event.text_sha256,
        "submitted_at": stamp(event.submitted_at),
    }


def _submitted(event: ContentSubmitted, ids: dict[str, Any], at: Timestamp | None) -> Message:
    """Without what is personal: a topic keeps everything."""
    told = {name: value for name, value in submission(event).items() if name not in PERSONAL}
    return pb.ContentSubmitted(**ids, submission_id=event.submission_id, **told)


def _ruling(event: RulingRequested, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.RulingRequested(**{**named(pb.RulingRequested, event), **ids}, requested_at=at)


def _reminded(event: ReviewReminded, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ReviewReminded(**ids, reminded_at=at, due_at=stamp(event.due_at))


def _scheduled(event: ContentScheduled, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ContentScheduled(**{**named(pb.ContentScheduled, event), **ids}, scheduled_at=at)


def _taken_down(event: ContentTakenDown, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ContentTakenDown(**ids, reason=event.reason, taken_down_at=at)


def _reviewed(event: ContentReviewed, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ReviewRecorded(
        **{**named(pb.ReviewRecorded, event), **ids},
        verdict=number(common.Verdict, event.verdict),
        placement=placement_of(event.placement),
        recorded_at=at,
    )


def _revision(event: RevisionRequested, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.RevisionRequested(
        **{**named(pb.RevisionRequested, event), **ids},
        requested_by=party(event.by),
        reason=BLOCKED if event.by is Ruler.COMPLIANCE else "",
        requested_at=at,
    )


def _approved(event: ContentApproved, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ContentApproved(
        **{**named(pb.ContentApproved, event), **ids},
        deemed=event.by is Ruler.CLOCK,
        placement=placement_of(event.placement),
        approved_at=at,
        stage=number(common.SubmissionStage, event.stage),
    )


def _published(event: ContentPublished, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ContentPublished(
        **{**named(pb.ContentPublished, event.setting, event), **ids},
        platform=number(common.Platform, event.setting.platform),
        format=number(common.Format, event.setting.format),
        placement=placement_of(event.placement),
    )


def _verified(event: ContentVerified, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.ContentVerified(
        **{**named(pb.ContentVerified, event), **ids},
        creator_fee_minor=share_down(event.fee_minor, event.creator_fee_bps),
        verified_at=at,
        settles_at=stamp(event.due_at),
    )


def _noticed(event: BreachNoticed, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.BreachNoticed(**{**named(pb.BreachNoticed, event), **ids}, noticed_at=at)


def _cured(event: BreachCured, ids: dict[str, Any], at: Timestamp | None) -> Message:
    return pb.BreachCured(**{**named(pb.BreachCured, event), **ids}, cured_by=party(event.by), cured_at=at)


FORMS: dict[type, Callable[[Any, dict[str, Any], Timestamp | None], Message]] = {
    ContentSubmitted: _submitted,
    ContentReviewed: _reviewed,
    RevisionRequested: _revision,
    RulingRequested: _ruling,
    ReviewReminded: _reminded,
    ContentApproved: _approved,
    ContentScheduled: _scheduled,
    ContentPublished: _published,
    ContentTakenDown: _taken_down,
    ContentVerified: _verified,
    BreachNoticed: _noticed,
    BreachCured: _cured,
}
"""The public form of each event about content."""
