"""Private events to public ones: pure, one message per stored event. What is promised is proto/dandelion/compliance/v1.

No personal field is published: a topic keeps everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, refusal, stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.events import CommandRefused, Delivered
from kernel.core.personal import ErasureAsked, ErasureDone, ErasurePostponed
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.compliance.domain import erasure, live, review
from services.compliance.domain.findings import Evidence, Finding
from services.compliance.domain.review import About


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event of a `review-`, `look-`, `subject-` or `refusal-` stream."""
    if isinstance(incoming.event, ErasurePostponed | ErasureAsked | ErasureDone):
        return []
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("compliance", incoming.event, incoming.at))]
    return [PublicEvent(*form(wire_of(incoming.event)))]


def wire_of(event: review.Event | live.Event | erasure.Event) -> Message:
    return FORMS[type(event)](event)


def _parties(about: About) -> dict[str, str]:
    """The ids that every event carries."""
    names = ("deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id")
    return {name: getattr(about, name) for name in names}


def _opened(event: review.ReviewOpened) -> pb.ReviewOpened:
    return pb.ReviewOpened(
        review_id=event.about.submission_id,
        submission_id=event.about.submission_id,
        **_parties(event.about),
        stage=number(common.SubmissionStage, event.content.stage),
        round=event.round,
        jurisdiction=event.content.jurisdiction,
        text_hash=event.text_hash,
        submitted_at=stamp(event.submitted_at),
        opened_at=stamp(event.opened_at),
    )


def _attached(event: review.DisclosureAttached) -> pb.DisclosureAttached:
    return pb.DisclosureAttached(
        review_id=event.about.submission_id,
        submission_id=event.about.submission_id,
        **_parties(event.about),
        label=event.label,
        placement=number(common.LabelPlacement, event.placement),
        jurisdiction=event.jurisdiction,
        platform=number(common.Platform, event.platform),
        format=number(common.Format, event.format),
        rule=event.rule,
        attached_at=stamp(event.attached_at),
    )


def _completed(event: review.ReviewCompleted) -> pb.ReviewCompleted:
    return pb.ReviewCompleted(
        review_id=event.about.submission_id,
        submission_id=event.about.submission_id,
        **_parties(event.about),
        verdict=number(common.Verdict, event.verdict),
        findings=[wire_finding(replace(finding, excerpt="")) for finding in event.findings],
        rule_packs=event.packs,
        jurisdiction=event.jurisdiction,
        by_reviewer=event.by_reviewer,
        completed_at=stamp(event.completed_at),
    )


def wire_evidence(shown: Evidence) -> campaigns.Evidence:
    expires_on = shown.expires_on.isoformat() if shown.expires_on else ""
    return campaigns.Evidence(kind=shown.kind, phrase=shown.phrase, reference=shown.reference, expires_on=expires_on)


def wire_finding(finding: Finding) -> pb.Finding:
    return pb.Finding(
        rule_id=finding.rule_id,
        law=f"{finding.law} {finding.article}".strip(),
        jurisdiction=finding.jurisdiction,
        severity=number(pb.Severity, finding.severity),
        field=finding.part,
        span_start=finding.start,
        span_end=finding.end,
        excerpt=finding.excerpt,
        reason=finding.why,
        suggestion=finding.fix,
    )


def _decided(event: review.ReviewerDecided) -> pb.ReviewerDecided:
    return pb.ReviewerDecided(
        review_id=event.about.submission_id,
        **_parties(event.about),
        reviewer_id=event.reviewer_id,
        approved=event.approved,
        decided_at=stamp(event.decided_at),
    )


def _scheduled(event: live.LooksScheduled) -> pb.LooksScheduled:
    return pb.LooksScheduled(
        **_parties(event.about),
        platform=number(common.Platform, event.post.platform),
        post_id=event.post.post_id,
        url=event.post.url,
        first_at=stamp(event.first_at),
        until=stamp(event.until),
    )


def _requested(event: live.LookRequested) -> pb.LookRequested:
    return pb.LookRequested(
        look_id=event.look_id,
        **_parties(event.about),
        platform=number(common.Platform, event.post.platform),
        post_id=event.post.post_id,
        url=event.post.url,
        label=event.post.label,
        text_hash=event.post.text_hash,
        ordinal=event.ordinal,
        requested_at=stamp(event.requested_at),
    )


def _looked_at(event: live.ContentLookedAt) -> pb.ContentLookedAt:
    return pb.ContentLookedAt(
        look_id=event.look_id,
        **_parties(event.about),
        ok=event.ok,
        found=event.found,
        label_present=event.label_present,
        text_unchanged=event.text_unchanged,
        text_hash=event.text_hash,
        platform=number(common.Platform, event.post.platform),
        post_id=event.post.post_id,
        ordinal=event.ordinal,
        looked_at=stamp(event.looked_at),
        unreadable=event.unreadable,
        author_differs=event.author_differs,
    )


def _missing(event: live.DisclosureMissing) -> pb.DisclosureMissing:
    return pb.DisclosureMissing(
        look_id=event.look_id,
        **_parties(event.about),
        label=event.post.label,
        jurisdiction=event.post.jurisdiction,
        post_id=event.post.post_id,
        url=event.post.url,
        looked_at=stamp(event.looked_at),
    )


def _ended(event: live.LooksEnded) -> pb.LooksEnded:
    return pb.LooksEnded(**_parties(event.about), reason=event.reason, ended_at=stamp(event.ended_at))


def _erasure_requested(event: erasure.ErasureRequested) -> pb.ErasureRequested:
    return pb.ErasureRequested(subject_id=event.subject_id, requested_at=stamp(event.requested_at))


def _erased(event: erasure.SubjectErased) -> pb.SubjectErased:
    return pb.SubjectErased(subject_id=event.subject_id, reason=event.reason, erased_at=stamp(event.erased_at))


def _erasure_declined(event: erasure.ErasureDeclined) -> pb.ErasureDeclined:
    return pb.ErasureDeclined(subject_id=event.subject_id, reason=event.reason, declined_at=stamp(event.declined_at))


FORMS: dict[type, Callable[[Any], Message]] = {
    review.ReviewOpened: _opened,
    review.DisclosureAttached: _attached,
    review.ReviewCompleted: _completed,
    review.ReviewerDecided: _decided,
    live.LooksScheduled: _scheduled,
    live.LookRequested: _requested,
    live.ContentLookedAt: _looked_at,
    live.DisclosureMissing: _missing,
    live.LooksEnded: _ended,
    erasure.ErasureRequested: _erasure_requested,
    erasure.SubjectErased: _erased,
    erasure.ErasureDeclined: _erasure_declined,
}
"""The public form of each event of a `review-`, `look-` or `subject-` stream."""
