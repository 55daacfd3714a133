"""One deliverable: its stage, and how far down the cancellation ladder it stands."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from services.campaigns.domain.shared.brief import Brief, local_day
from services.campaigns.domain.shared.content_events import (
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
    LabelPlacement,
    ReviewReminded,
    RevisionRequested,
    RulingRequested,
    Setting,
    SubmissionStage,
    Verdict,
)
from services.campaigns.domain.shared.contract import Contract, DeliverableTerms
from services.campaigns.domain.shared.terms import LadderStage, kill_fee_minor, ladder_share
from services.campaigns.domain.shared.work_events import (
    ClawBackOrdered,
    ClawBackRefused,
    DeliverableClawedBack,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    Ended,
    PaymentAuthorised,
    PaymentWaits,
)


class Stage(StrEnum):
    """Where a deliverable stands; every stage but those in OVER is left by a clock if by nothing else.

    Paid work that breaks the agreement is `breached`; reported as restored it is `curing` until the next look; not restored it
    is `clawing` until the ledger has taken the money back.
    """

    WAITING = "waiting"
    OPEN = "open"
    OUTLINE_SUBMITTED = "outline_submitted"
    OUTLINED = "outlined"
    DRAFT_SUBMITTED = "draft_submitted"
    IN_REVIEW = "in_review"
    REVISION_REQUESTED = "revision_requested"
    IN_RULING = "in_ruling"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    TAKEN_DOWN = "taken_down"
    VERIFIED = "verified"
    PAYING = "paying"
    SETTLED = "settled"
    BREACHED = "breached"
    CURING = "curing"
    CLAWING = "clawing"
    CLAWED_BACK = "clawed_back"
    ENDED = "ended"


OWED = (Stage.VERIFIED, Stage.PAYING)
"""Verified work is owed: no cancellation touches it."""
OVER = (Stage.SETTLED, Stage.CLAWED_BACK, Stage.ENDED)
"""No clock runs."""
BREACH = (Stage.BREACHED, Stage.CURING)
PAID = (Stage.SETTLED, *BREACH, Stage.CLAWING, Stage.CLAWED_BACK)
CLOSED = (*OVER, *BREACH, Stage.CLAWING)
"""The work is done with, whatever becomes of the post."""
AT_THE_LEDGER = (Stage.PAYING, Stage.CLAWING)
"""The ledger has been asked: no dispute stops it."""


@dataclass(frozen=True, slots=True)
class Deliverable:
    """A deliverable as its decisions need it; `due_at` is its one running clock.

    `breach` is what a look found wrong with the paid post, which is to be restored until `cure_by`; a claw-back has brought
    `clawed_back_minor`, of which the creator owes `owed_minor`. `awaits` names whom of the platform's own it waits for past the
    time, `escalations` counts how often staff were told. `waits_for` is what the ledger misses to pay, told `reminders` times.
    `notes` are those of the last revision or ruling asked for, `post_url` and `post_sha256` the address and the text of the post.
    """

    terms: DeliverableTerms
    stage: Stage = Stage.WAITING
    due_at: datetime | None = None
    submissions: tuple[str, ...] = ()
    submitted: SubmissionStage | None = None
    text: str = ""
    text_sha256: str = ""
    setting: Setting | None = None
    approved_id: str = ""
    drafted: bool = False
    outlined: bool = False
    verdict: Verdict | None = None
    label: str = ""
    placement: LabelPlacement | None = None
    reminded: bool = False
    revisions: int = 0
    publish_at: datetime | None = None
    post_id: str = ""
    attempts: int = 0
    creator_net_minor: int = 0
    awaits: str = ""
    escalations: int = 0
    protected_until: datetime | None = None
    breach: str = ""
    cure_by: datetime | None = None
    claw_share_bps: int = 0
    claw_attempts: int = 0
    clawed_back_minor: int = 0
    owed_minor: int = 0
    waits_for: str = ""
    reminders: int = 0
    notes: tuple[str, ...] = ()
    post_url: str = ""
    post_sha256: str = ""

    @property
    def submission_id(self) -> str:
        """The newest submission, or empty."""
        return self.submissions[-1] if self.submissions else ""


_Claw = ClawBackOrdered | DeliverableClawedBack | ClawBackRefused
_Step = ContentEvent | PaymentAuthorised | PaymentWaits | DeliverableSettled | _Claw
DeliverableEvent = _Step | DeliverableEscalated


def evolve_deliverable(state: Deliverable, event: DeliverableEvent) -> Deliverable:
    """The fold of the events that name one deliverable; whatever happens next ends an escalation, but for another try of the
    ledger's."""
    if isinstance(event, DeliverableEscalated):
        return replace(state, awaits=event.awaits.value, escalations=event.escalations, due_at=event.due_at)
    after = _stepped(state, event)
    if not state.awaits or isinstance(event, PaymentAuthorised | ClawBackOrdered):
        return after
    return replace(after, awaits="", escalations=0)


def _stepped(state: Deliverable, event: _Step) -> Deliverable:
    match event:
        case ContentSubmitted():
            return _submitted(state, event)
        case ContentReviewed():
            return _reviewed(state, event)
        case RevisionRequested():
            revised = replace(state, stage=Stage.REVISION_REQUESTED, due_at=event.due_at, notes=event.notes)
            return replace(revised, revisions=event.revisions, reminded=False)
        case RulingRequested():
            return replace(state, stage=Stage.IN_RULING, due_at=event.due_at, notes=event.notes)
        case ReviewReminded():
            return replace(state, due_at=event.due_at, reminded=True)
        case ContentApproved():
            return _approved(state, event)
        case ContentScheduled():
            return replace(state, stage=Stage.SCHEDULED, due_at=event.due_at, publish_at=event.publish_at)
        case ContentPublished():
            return _published(state, event)
        case ContentTakenDown():
            return replace(state, stage=Stage.TAKEN_DOWN, due_at=event.due_at, post_id="")
        case ContentVerified():
            return replace(state, stage=Stage.VERIFIED, due_at=event.due_at)
        case PaymentAuthorised():
            return replace(state, stage=Stage.PAYING, due_at=event.due_at, attempts=event.attempt)
        case PaymentWaits():
            return replace(state, due_at=event.due_at, waits_for=event.reason, reminders=event.reminders)
        case DeliverableSettled():
            net_minor = event.creator_net_minor
            return replace(state, stage=Stage.SETTLED, due_at=None, creator_net_minor=net_minor, waits_for="")
        case BreachNoticed() | BreachCured() | ClawBackOrdered() | DeliverableClawedBack() | ClawBackRefused():
            return _after_payment(state, event)
        case _:
            assert_never(event)


def _after_payment(state: Deliverable, event: BreachNoticed | BreachCured | _Claw) -> Deliverable:
    match event:
        case BreachNoticed():
            cure_by = state.cure_by or event.due_at
            return replace(state, stage=Stage.BREACHED, due_at=event.due_at, breach=event.reason, cure_by=cure_by)
        case BreachCured():
            return replace(state, stage=Stage.SETTLED, due_at=None, breach="", cure_by=None)
        case ClawBackOrdered():
            share_bps, attempts = event.share_bps, event.attempt
            ordered = replace(state, stage=Stage.CLAWING, due_at=event.due_at)
            return replace(ordered, claw_share_bps=share_bps, claw_attempts=attempts)
        case ClawBackRefused():
            return replace(state, stage=Stage.SETTLED, due_at=None)
        case DeliverableClawedBack():
            minor, owed_minor = event.taken_minor + event.owed_minor, event.owed_minor
            return replace(state, stage=Stage.CLAWED_BACK, due_at=None, clawed_back_minor=minor, owed_minor=owed_minor)
        case _:
            assert_never(event)


def _published(state: Deliverable, event: ContentPublished) -> Deliverable:
    """A paid post that is put up again is not paid again: it waits for a look."""
    stage = Stage.CURING if state.stage in BREACH else Stage.PUBLISHED
    until = event.published_at + timedelta(seconds=event.protection_s)
    posted = replace(state, post_id=event.post_id, post_url=event.post_url, post_sha256=event.text_sha256)
    return replace(posted, stage=stage, due_at=event.due_at, protected_until=until)


def _submitted(state: Deliverable, event: ContentSubmitted) -> Deliverable:
    outline = event.stage is SubmissionStage.OUTLINE
    return replace(
        state,
        stage=Stage.OUTLINE_SUBMITTED if outline else Stage.DRAFT_SUBMITTED,
        due_at=event.due_at,
        submissions=(*state.submissions, event.submission_id),
        submitted=event.stage,
        text=event.content.text,
        text_sha256=event.text_sha256,
        setting=event.setting,
        outlined=True,
        drafted=state.drafted or not outline,
        verdict=None,
        label="",
        placement=None,
        reminded=False,
    )


def _reviewed(state: Deliverable, event: ContentReviewed) -> Deliverable:
    stage = Stage.IN_REVIEW if event.verdict is Verdict.CLEAR else state.stage
    judged = replace(state, verdict=event.verdict, label=event.label, placement=event.placement)
    return replace(judged, stage=stage, due_at=event.due_at)


def _approved(state: Deliverable, event: ContentApproved) -> Deliverable:
    stage = Stage.OUTLINED if event.stage is SubmissionStage.OUTLINE else Stage.APPROVED
    return replace(state, stage=stage, due_at=event.due_at, approved_id=event.submission_id, reminded=False)


def ladder_stage(state: Deliverable, brief: Brief, at: datetime) -> LadderStage:
    """The rung a deliverable stands on: the day of publication, at the campaign's place, counts like the second feedback."""
    on_the_day = state.publish_at is not None and local_day(brief, at) >= local_day(brief, state.publish_at)
    if state.stage in (Stage.PUBLISHED, Stage.TAKEN_DOWN, *OWED) or state.revisions >= 2 or on_the_day:
        return LadderStage.AFTER_FEEDBACK
    if state.drafted:
        return LadderStage.AFTER_DRAFT
    return LadderStage.AFTER_OUTLINE if state.outlined else LadderStage.BEFORE_OUTLINE


def ended(state: Deliverable, contract: Contract, at: datetime, share_bps: int | None = None) -> Ended:
    """What ending a deliverable now would cost, by the ladder unless a share is given; also the preview."""
    stage, terms = ladder_stage(state, contract.brief.value, at), state.terms
    share_bps = ladder_share(contract.terms.value.ladder, stage) if share_bps is None else share_bps
    kill_minor = kill_fee_minor(terms.fee_minor, share_bps)
    costs = (share_bps, terms.fee_minor, terms.brand_fee_minor, kill_minor, terms.committed_minor - kill_minor)
    post = (terms.platform.value, state.post_id) if state.stage is Stage.PUBLISHED else ("", "")
    return Ended(terms.deliverable_id, stage, *costs, *post)


def lapsed(
    state: Deliverable, contract: Contract, reason: str, at: datetime, share_bps: int | None = None
) -> DeliverableLapsed:
    """The end of one deliverable, with its reason and its price."""
    end = ended(state, contract, at, share_bps)
    return DeliverableLapsed(contract.parties, reason, end, contract.terms.value.creator_fee_bps, contract.currency)


def returned(
    state: Deliverable, contract: Contract, reason: str, at: datetime, returned_minor: int
) -> DeliverableLapsed:
    """The end of one deliverable whose escrow the ledger has ended: it cost what did not go back to the brand."""
    paid_minor = max(0, state.terms.escrow_minor - returned_minor)
    end = replace(
        ended(state, contract, at, 0), kill_fee_minor=paid_minor, freed_minor=state.terms.committed_minor - paid_minor
    )
    return DeliverableLapsed(contract.parties, reason, end, contract.terms.value.creator_fee_bps, contract.currency)
