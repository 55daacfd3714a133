"""Events of review: each is a step, and most are a request to another stream, which the relay sends."""

from dataclasses import dataclass

from services.campaigns.domain.shared.content_events import ContentSubmitted, LabelPlacement, Verdict
from services.campaigns.domain.shared.requests import RequestRefused


@dataclass(frozen=True, slots=True)
class ReviewRequested:
    """compliance.ReviewContent, with all it needs to judge."""

    collaboration_id: str
    submission: ContentSubmitted


@dataclass(frozen=True, slots=True)
class VerdictNoted:
    """Compliance has cleared the content; its label is still to come."""

    verdict: Verdict
    findings: int


@dataclass(frozen=True, slots=True)
class LabelNoted:
    """Compliance has attached the label; its verdict is still to come."""

    label: str
    placement: LabelPlacement | None


@dataclass(frozen=True, slots=True)
class ReviewPassedOn:
    """campaigns.RecordReview."""

    collaboration_id: str
    deliverable_id: str
    submission_id: str
    verdict: Verdict
    findings: int
    label: str
    placement: LabelPlacement | None


ReviewEvent = ReviewRequested | VerdictNoted | LabelNoted | ReviewPassedOn | RequestRefused
