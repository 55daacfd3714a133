"""Review: a draft goes to compliance, and its verdict and label come back to the collaboration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from services.campaigns.domain.review.causes import DisclosureAttached, ReviewCompleted
from services.campaigns.domain.review.events import (
    LabelNoted,
    ReviewEvent,
    ReviewPassedOn,
    ReviewRequested,
    VerdictNoted,
)
from services.campaigns.domain.shared.content_events import ContentSubmitted, LabelPlacement, SubmissionStage, Verdict
from services.campaigns.domain.shared.requests import RequestRefused

CATEGORY = "review"


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of one submission; `told` is the verdict the collaboration has been told last."""

    collaboration_id: str = ""
    deliverable_id: str = ""
    submission_id: str = ""
    verdict: Verdict | None = None
    findings: int = 0
    label: str = ""
    placement: LabelPlacement | None = None
    told: Verdict | None = None
    refused: str = ""


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per submission; outlines are not reviewed."""
    match incoming.event:
        case ContentSubmitted(stage=stage, submission_id=submission_id):
            return None if stage is SubmissionStage.OUTLINE else f"{CATEGORY}-{submission_id}"
        case ReviewCompleted() | DisclosureAttached() as event:
            return f"{CATEGORY}-{event.submission_id}"
        case CommandRefused(requester=requester):
            return requester if split_stream(requester)[0] == CATEGORY else None
        case _:
            return None


def decide(incoming: Delivered[Any], state: Review, context: Context) -> Sequence[ReviewEvent]:
    """A clear verdict is passed on with its label, in whatever order the two arrive."""
    match incoming.event:
        case ContentSubmitted() as event:
            return [] if state.submission_id else [ReviewRequested(split_stream(incoming.stream)[1], event)]
        case ReviewCompleted(_, verdict, findings):
            return _completed(verdict, findings, state)
        case DisclosureAttached(_, label, placement):
            return _attached(label, placement, state)
        case CommandRefused(command_id=command_id, command=command, code=code):
            return [] if command_id == state.refused else [RequestRefused(command_id, command, code)]
        case _:
            return []


def _completed(verdict: Verdict, findings: int, state: Review) -> Sequence[ReviewEvent]:
    if not state.submission_id or state.told in (verdict, Verdict.CLEAR, Verdict.BLOCKED):
        return []
    if verdict is Verdict.CLEAR and not state.label:
        return [] if state.verdict is verdict else [VerdictNoted(verdict, findings)]
    return [_passed_on(replace(state, verdict=verdict, findings=findings))]


def _attached(label: str, placement: LabelPlacement | None, state: Review) -> Sequence[ReviewEvent]:
    if not state.submission_id or state.label:
        return []
    labelled = replace(state, label=label, placement=placement)
    if state.verdict is Verdict.CLEAR and state.told is not Verdict.CLEAR:
        return [_passed_on(labelled)]
    return [LabelNoted(label, placement)]


def _passed_on(state: Review) -> ReviewPassedOn:
    return ReviewPassedOn(
        state.collaboration_id,
        state.deliverable_id,
        state.submission_id,
        state.verdict or Verdict.NEEDS_HUMAN,
        state.findings,
        state.label,
        state.placement,
    )


def evolve(state: Review, event: ReviewEvent) -> Review:
    """The fold; total."""
    match event:
        case ReviewRequested(collaboration_id, submission):
            return Review(collaboration_id, submission.deliverable_id, submission.submission_id)
        case VerdictNoted(verdict, findings):
            return replace(state, verdict=verdict, findings=findings)
        case LabelNoted(label, placement):
            return replace(state, label=label, placement=placement)
        case ReviewPassedOn():
            told = event.verdict
            return replace(state, verdict=told, told=told, label=event.label, placement=event.placement)
        case RequestRefused(command_id=command_id):
            return replace(state, refused=command_id)
        case _:
            assert_never(event)


REVIEW = Decider(CATEGORY, Review(), decide, evolve, published=False)
