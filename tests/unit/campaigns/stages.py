"""Where a deliverable's stage may go, and what somebody would do next at it."""

from datetime import datetime, timedelta
from typing import Any

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.campaigns.domain.collaboration.commands import (
    ApproveContent,
    EndDeliverable,
    PublishContent,
    RecordClawBack,
    RecordReview,
    RequestRevision,
    RuleContent,
    ScheduleContent,
    SettleDeliverable,
    SubmitContent,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage
from services.campaigns.domain.shared.content_events import Content, LabelPlacement, SubmissionStage, Verdict
from tests.kit.campaigns import BRAND, OPERATOR, SYSTEM

LABEL, TEXT = "#ad", Content("", "A serum")

S = Stage
AFTER: dict[Stage, set[Stage]] = {
    S.WAITING: {S.OPEN},
    S.OPEN: {S.OUTLINE_SUBMITTED, S.DRAFT_SUBMITTED},
    S.OUTLINE_SUBMITTED: {S.OUTLINED, S.REVISION_REQUESTED, S.IN_RULING},
    S.OUTLINED: {S.DRAFT_SUBMITTED},
    S.DRAFT_SUBMITTED: {S.IN_REVIEW, S.REVISION_REQUESTED},
    S.IN_REVIEW: {S.REVISION_REQUESTED, S.IN_RULING, S.APPROVED},
    S.REVISION_REQUESTED: {S.OUTLINE_SUBMITTED, S.DRAFT_SUBMITTED},
    S.IN_RULING: {S.APPROVED, S.OUTLINED},
    S.APPROVED: {S.SCHEDULED, S.PUBLISHED},
    S.SCHEDULED: {S.PUBLISHED},
    S.PUBLISHED: {S.VERIFIED, S.TAKEN_DOWN},
    S.TAKEN_DOWN: {S.PUBLISHED},
    S.VERIFIED: {S.PAYING, S.SETTLED, S.TAKEN_DOWN},
    S.PAYING: {S.SETTLED},
    S.SETTLED: {S.BREACHED},
    S.BREACHED: {S.SETTLED, S.CURING, S.CLAWING, S.CLAWED_BACK},
    S.CURING: {S.SETTLED, S.BREACHED, S.CLAWING, S.CLAWED_BACK},
    S.CLAWING: {S.CLAWED_BACK},
    S.CLAWED_BACK: set(),
    S.ENDED: set(),
}
"""Where a stage may go by one command."""
BY_THE_LEDGER = (S.SETTLED, S.ENDED)
"""Where every stage may go that is not over: the ledger pays or returns the money, whoever asked it to."""
LIKELY: dict[Stage, tuple[int, ...]] = {
    S.OPEN: (0, 1), S.OUTLINED: (1,), S.REVISION_REQUESTED: (0, 1), S.DRAFT_SUBMITTED: (2,),
    S.OUTLINE_SUBMITTED: (3, 3, 4), S.IN_REVIEW: (3, 3, 4), S.IN_RULING: (5, 6), S.APPROVED: (7, 8),
    S.SCHEDULED: (8,), S.PUBLISHED: (9, 9, 10), S.TAKEN_DOWN: (8,), S.PAYING: (11,), S.SETTLED: (10,),
    S.BREACHED: (8, 9), S.CURING: (9, 10), S.CLAWING: (13,),
}  # fmt: skip
"""Which of `next_steps` somebody would take."""


def next_steps(
    one: Deliverable, verdict: Verdict, creator: Actor, number: int, at: datetime
) -> list[tuple[Any, Actor]]:
    """Every command about a deliverable's content with its sender; `number` makes new ids."""
    key, now, new = one.terms.deliverable_id, one.submission_id, derived_id("submission", str(number))
    label = LABEL if verdict is Verdict.CLEAR else ""
    return [
        (SubmitContent(key, new, SubmissionStage.OUTLINE, TEXT), creator),
        (SubmitContent(key, new, SubmissionStage.DRAFT, TEXT), creator),
        (RecordReview(key, now, verdict, 0, label, LabelPlacement.TEXT_START), SYSTEM),
        (ApproveContent(key, now), BRAND),
        (RequestRevision(key, now, ("Again",)), BRAND),
        (RuleContent(key, now, True), OPERATOR),
        (RuleContent(key, now, False), OPERATOR),
        (ScheduleContent(key, at + timedelta(hours=1)), creator),
        (PublishContent(key, f"post-{number}", "https://post.test", f"{LABEL} A serum"), creator),
        (VerifyContent(key, "look"), SYSTEM),
        (TakeDownContent(key, "content.gone"), SYSTEM),
        (SettleDeliverable(key, "release", 1), SYSTEM),
        (EndDeliverable(key, "escrow.expired", one.terms.escrow_minor - number % 2), SYSTEM),
        (RecordClawBack(key, "claw", 1, 0), SYSTEM),
    ]
