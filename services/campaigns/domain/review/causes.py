"""Causes of review from other services; subscribe.py makes each of a public message."""

from dataclasses import dataclass

from services.campaigns.domain.shared.content_events import LabelPlacement, Verdict


@dataclass(frozen=True, slots=True)
class ReviewCompleted:
    """compliance: the verdict on a submission; after `needs_human` a second one follows."""

    submission_id: str
    verdict: Verdict
    findings: int


@dataclass(frozen=True, slots=True)
class DisclosureAttached:
    """compliance: the label that the post of a submission must carry."""

    submission_id: str
    label: str
    placement: LabelPlacement | None
