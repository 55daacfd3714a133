"""The review of a submission: judged by the rule pack in force, labelled, and where the pack is unsure decided by a person.

Stream `review-<submission uuid>`, owned by the brand. A text without its label is not refused here: the finding says which
label will be attached, DisclosureAttached obliges to it, publication without it is refused and looked for afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, assert_never

from annotated_types import Len

from kernel.core.bounds import Asked, ends, limits, on
from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id
from kernel.core.personal import DataSubject, PersonalData
from services.compliance.domain.disclosure import Label
from services.compliance.domain.findings import Content, Finding, Severity, Verdict, is_advert, verdict_of
from services.compliance.domain.packs import Pack, day_of, in_force

UNKNOWN_JURISDICTION_LABEL = "#ad"


@dataclass(frozen=True, slots=True)
class About:
    """Which submission, and the parties of its deal (ids; brand_id and creator_id are tenants). What is personal in an event is
    the creator's."""

    submission_id: str
    deliverable_id: str
    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: Annotated[str, DataSubject()]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a pack says of a content at a time; `label` None: not an advert."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    packs: tuple[str, ...]
    label: Label | None
    rule: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement that was made before the command was queued, and the day whose law it is by."""

    judgement: Judgement
    day: date


@dataclass(frozen=True, slots=True)
class ReviewContent:
    """Judge this; `text_hash` is campaigns' SHA-256 of what is submitted, `submitted_at` when it was.

    `judged` spares the writer the work. It is used on its own day only: the next may have another law.
    """

    about: About
    content: Content
    round: int
    language: str
    text_hash: str
    submitted_at: datetime
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class DecideReview:
    """A reviewer's decision on a review that waits for one; the reason is kept. With four eyes `voices_needed` is 2."""

    approved: bool
    reason: Annotated[str, Asked(Len(1, 1_000))]
    voices_needed: int = 1


Command = ReviewContent | DecideReview


@dataclass(frozen=True, slots=True)
class ReviewOpened:
    """The intake record: what was handed in for review."""

    about: About
    content: Content
    round: int
    language: str
    text_hash: str
    submitted_at: datetime
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class DisclosureAttached:
    """The label that the published content has to carry; `rule` is `<pack>/<rule id>`."""

    about: About
    label: str
    placement: str
    jurisdiction: str
    language: str
    platform: str
    format: str
    rule: str
    attached_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewCompleted:
    """A verdict with its findings; `packs` names what judged, e.g. ("CN@2026-02-01",). `note` is a reviewer's reason."""

    about: About
    verdict: Verdict
    findings: tuple[Finding, ...]
    packs: tuple[str, ...]
    jurisdiction: str
    by_reviewer: bool
    note: Annotated[str, PersonalData()]
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewerDecided:
    """One reviewer's voice; with four eyes an approval needs two."""

    about: About
    reviewer_id: str
    approved: bool
    reason: Annotated[str, PersonalData()]
    decided_at: datetime


Event = ReviewOpened | DisclosureAttached | ReviewCompleted | ReviewerDecided


class Status(StrEnum):
    NEW = "new"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class State:
    """`completed` is the last ReviewCompleted; `approvals` the reviewers who approved so far."""

    status: Status = Status.NEW
    text_hash: str = ""
    completed: ReviewCompleted | None = None
    approvals: tuple[str, ...] = ()


def review_decider(packs: Sequence[Pack]) -> Decider[Command, State, Event]:
    """Reviews by these packs."""
    return Decider("review", State(), partial(decide, packs), evolve, owner=_owner)


def _owner(command: Command) -> str | None:
    return command.about.brand_id if isinstance(command, ReviewContent) else None


def decide(packs: Sequence[Pack], command: Command, state: State, context: Context) -> Sequence[Event]:
    match command:
        case ReviewContent():
            return _review(packs, command, state, context)
        case DecideReview():
            return _by_hand(command, state, context)
        case _:
            assert_never(command)


def _review(packs: Sequence[Pack], command: ReviewContent, state: State, context: Context) -> Sequence[Event]:
    context.actor.require("system", "operator")
    check_content(command.content)
    for part in (command.about.submission_id, command.about.brand_id, command.about.creator_id):
        checked_id(part)
    if state.status is not Status.NEW:
        if state.text_hash == command.text_hash:
            return []
        raise Refused("review.content_differs", status=state.status.value)
    about, at = command.about, context.at
    opened = ReviewOpened(
        about, command.content, command.round, command.language, command.text_hash, command.submitted_at, at
    )
    judged = _judged(packs, command, at)
    completed = ReviewCompleted(
        about, judged.verdict, judged.findings, judged.packs, command.content.jurisdiction, False, "", at
    )
    return [opened, *_attached(judged, command, at), completed]


def _judged(packs: Sequence[Pack], command: ReviewContent, at: datetime) -> Judgement:
    ready = command.judged
    if ready is not None and ready.day == day_of(packs, command.content.jurisdiction, at):
        return ready.judgement
    return judge(packs, command.content, at)


def _attached(judged: Judgement, command: ReviewContent, at: datetime) -> list[Event]:
    if judged.label is None:
        return []
    label, content = judged.label, command.content
    where = (content.jurisdiction, label.language, content.platform, content.format)
    return [DisclosureAttached(command.about, label.label, label.placement, *where, judged.rule, at)]


def judge(packs: Sequence[Pack], content: Content, at: datetime) -> Judgement:
    """Findings, verdict and label by the pack in force at `at`; where there is none, a person has to judge."""
    pack = in_force(packs, content.jurisdiction, at)
    if pack is None:
        finding = _no_pack(content.jurisdiction)
        label = Label(content.jurisdiction, "en", "*", "*", UNKNOWN_JURISDICTION_LABEL, "text_start")
        return Judgement(Verdict.NEEDS_HUMAN, (finding,), (), label if is_advert(content) else None, finding.rule_id)
    findings = pack.findings(content, at)
    day = pack.day(content.jurisdiction, at)
    due = pack.labels.attached(content, day) if is_advert(content) else None
    rule = f"{pack.id}/{pack.jurisdiction.lower()}.label.missing"
    return Judgement(verdict_of(findings), findings, (pack.id,), due, rule)


def _no_pack(jurisdiction: str) -> Finding:
    return Finding(
        "pack.none_in_force", jurisdiction, "", "", Severity.WARNING, "content", 0, 0, "",
        "No rule pack covers this jurisdiction on this day.", "A reviewer judges by hand.",
    )  # fmt: skip


def _by_hand(command: DecideReview, state: State, context: Context) -> Sequence[Event]:
    actor = context.actor
    actor.require("reviewer")
    shortest, longest = limits(command, "reason")
    if not shortest <= len(command.reason.strip()) <= longest:
        raise Invalid("review.reason_length", min_chars=shortest, max_chars=longest)
    waiting = state.completed
    if waiting is None:
        raise Refused("review.not_opened", status=state.status.value)
    if actor.tenant in (waiting.about.brand_id, waiting.about.creator_id):
        raise Forbidden("review.party_may_not_decide")
    if state.status is Status.DONE:
        return _repeated(command, waiting)
    if command.approved and actor.id in state.approvals:
        return []
    voice = ReviewerDecided(waiting.about, actor.id, command.approved, command.reason, context.at)
    if command.approved and len(state.approvals) + 1 < command.voices_needed:
        return [voice]
    verdict = Verdict.CLEAR if command.approved else Verdict.BLOCKED
    return [voice, replace(waiting, verdict=verdict, by_reviewer=True, note=command.reason, completed_at=context.at)]


def _repeated(command: DecideReview, last: ReviewCompleted) -> Sequence[Event]:
    """The same decision again says nothing; another one, or one on an automatic verdict, is refused."""
    if last.by_reviewer and command.approved == (last.verdict is Verdict.CLEAR):
        return []
    code = "review.already_decided" if last.by_reviewer else "review.not_waiting"
    raise Refused(code, verdict=last.verdict.value)


def check_content(content: Content) -> None:
    """Raises Invalid `review.*` for a text or list out of bounds."""
    _bounded(len(content.text), on(content, "text").whole, "review.text_too_long")
    _bounded(len(content.title), on(content, "title").whole, "review.title_too_long")
    for field in ("tags", "links", "codes"):
        items, bounds = getattr(content, field), on(content, field)
        _bounded(len(items), bounds.whole, "review.too_many_items")
        _bounded(max(map(len, items), default=0), bounds.each, "review.item_too_long")


def _bounded(size: int, bounds: Any, code: str) -> None:
    _, limit = ends(bounds)
    if size > limit:
        raise Invalid(code, limit=limit)


def evolve(state: State, event: Event) -> State:
    match event:
        case ReviewOpened():
            return State(Status.WAITING, event.text_hash)
        case ReviewCompleted():
            done = event.verdict is not Verdict.NEEDS_HUMAN
            return replace(state, status=Status.DONE if done else Status.WAITING, completed=event)
        case ReviewerDecided():
            voices = (*state.approvals, event.reviewer_id) if event.approved else state.approvals
            return replace(state, approvals=voices)
        case DisclosureAttached():
            return state
        case _:
            assert_never(event)
