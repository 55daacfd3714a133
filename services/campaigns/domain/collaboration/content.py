"""The content of a deliverable until it is approved: outline, draft, review, revision, ruling."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kernel.core.ids import checked_id
from services.campaigns.domain.collaboration.commands import (
    ApproveContent,
    RecordReview,
    RequestRevision,
    RuleContent,
    SubmitContent,
)
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage, lapsed
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.brief import local_day, posting_window
from services.campaigns.domain.shared.checks import check_count, check_number, check_text, check_texts, valid
from services.campaigns.domain.shared.content_events import (
    BLOCKED,
    Content,
    ContentApproved,
    ContentReviewed,
    ContentSubmitted,
    EvidenceKind,
    RevisionRequested,
    Ruler,
    RulingRequested,
    Setting,
    SubmissionStage,
    Verdict,
)
from services.campaigns.domain.shared.creators import CREATORS
from services.campaigns.domain.shared.work_events import WorkEvent

MAX_SUBMISSIONS = 20
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def submit(command: SubmitContent, work: Work) -> Sequence[WorkEvent]:
    """The creator hands in an outline or a draft; the same submission again says nothing."""
    work.by_creator()
    one, content = work.deliverable, command.content
    check_content(content)
    seal = content_sha256(content)
    if (checked_id(command.submission_id), seal) == (one.submission_id, one.text_sha256):
        return []
    if command.submission_id in one.submissions:
        raise work.refuse("content.submission_id_used")
    if len(one.submissions) >= MAX_SUBMISSIONS:
        raise work.refuse("content.too_many_submissions")
    if command.stage not in _expected(one):
        raise work.refuse("content.stage_not_expected")
    return [_submitted(command, seal, work)]


def _expected(one: Deliverable) -> tuple[SubmissionStage, ...]:
    drafts = (SubmissionStage.DRAFT, SubmissionStage.FINAL)
    match one.stage:
        case Stage.OPEN:
            return (SubmissionStage.OUTLINE,) if one.terms.outline_required else tuple(SubmissionStage)
        case Stage.OUTLINED:
            return drafts
        case Stage.REVISION_REQUESTED:
            return (SubmissionStage.OUTLINE,) if one.submitted is SubmissionStage.OUTLINE else drafts
        case _:
            return ()


def _submitted(command: SubmitContent, seal: str, work: Work) -> ContentSubmitted:
    clocks, one = work.contract.terms.value.clocks, work.deliverable
    wait_s = clocks.brand_review_s if command.stage is SubmissionStage.OUTLINE else clocks.compliance_s
    return ContentSubmitted(
        work.contract.parties,
        one.terms.deliverable_id,
        command.submission_id,
        command.stage,
        len(one.submissions) + 1,
        command.content,
        seal,
        replace(setting(work, content_used(command.content, work)), virtual_human=_is_virtual(work)),
        work.context.at,
        work.after(wait_s),
    )


def _is_virtual(work: Work) -> bool:
    """What a virtual human shows is made by AI: compliance asks for its mark."""
    row = work.context.rows.get(CREATORS, (work.contract.creator_id,))
    return row is not None and row.virtual_human


def content_used(content: Content, work: Work) -> bool:
    """An endorser has used what it received, or what it declares as its own by an order or a receipt that still holds."""
    owned = (one for one in content.evidence if one.kind is EvidenceKind.PRODUCT_OWNED)
    today = local_day(work.contract.brief.value, work.context.at)
    return work.product_received or any(one.expires_on is None or today <= one.expires_on for one in owned)


def setting(work: Work, product_used: bool) -> Setting:
    """The deal, for whoever judges the content."""
    brief, terms = work.contract.brief.value, work.deliverable.terms
    return Setting(
        brief.campaign_type,
        brief.compensation.kind,
        terms.platform,
        terms.format,
        brief.jurisdiction,
        brief.product_category,
        brief.products,
        product_used,
    )


def check_content(content: Content) -> None:
    """Raises Invalid `content.*` for a text, list or hash out of bounds."""
    check_text(content, "title", "content.title_too_long")
    check_text(content, "text", "content.text_malformed")
    check_texts(content, "tags", "content.tags_malformed")
    check_texts(content, "links", "content.links_malformed")
    check_text(content, "language", "content.language_malformed")
    check_count(content, "media", "content.too_many_media")
    for each in content.media:
        valid(SHA256.match(each.sha256) is not None, "content.media_hash_malformed")
        valid(each.kind in ("image", "video", "audio"), "content.media_kind_unknown")
        check_number(each, "duration_ms", "content.media_too_long", "limit_ms")
    check_count(content, "evidence", "content.too_much_evidence")
    for proof in content.evidence:
        check_text(proof, "phrase", "content.evidence_malformed")
        check_text(proof, "reference", "content.evidence_malformed")


def content_sha256(content: Content) -> str:
    """SHA-256 over everything that would be seen and what proves it, in hexadecimal, parted by characters no text holds."""
    media = [each.sha256 for each in content.media]
    proofs = ["\x1d".join((one.kind, one.phrase, one.reference, str(one.expires_on))) for one in content.evidence]
    parts = [[content.title, content.text], content.tags, content.links, media, *([proofs] if proofs else [])]
    fields = ("\x1e".join(values) for values in parts)
    return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()


def record_review(command: RecordReview, work: Work) -> Sequence[WorkEvent]:
    """Compliance's verdict; a block sends the content back at once. A verdict on older content decides nothing."""
    work.context.actor.require("system")
    one = work.deliverable
    if one.stage is not Stage.DRAFT_SUBMITTED or command.submission_id != one.submission_id:
        return []
    if command.verdict is one.verdict:
        return []
    reviewed = _reviewed(command, work)
    if command.verdict is not Verdict.BLOCKED:
        return [reviewed]
    return [reviewed, _revision(work, Ruler.COMPLIANCE, (BLOCKED,), one.revisions)]


def _reviewed(command: RecordReview, work: Work) -> ContentReviewed:
    clocks, clear = work.contract.terms.value.clocks, command.verdict is Verdict.CLEAR
    return ContentReviewed(
        work.contract.parties,
        command.deliverable_id,
        command.submission_id,
        command.verdict,
        command.findings,
        command.label,
        command.placement,
        work.after(clocks.brand_review_s if clear else clocks.compliance_s),
    )


def _revision(work: Work, by: Ruler, notes: tuple[str, ...], revisions: int) -> RevisionRequested:
    one, terms = work.deliverable, work.contract.terms.value
    due_at = work.after(terms.clocks.revision_s)
    where = (work.contract.parties, one.terms.deliverable_id, one.submission_id)
    return RevisionRequested(*where, by, notes, revisions, terms.max_revisions, due_at)


def request_revision(command: RequestRevision, work: Work) -> Sequence[WorkEvent]:
    """The brand sends the content back; when its revisions are used up, staff rule."""
    work.by_brand()
    one, terms = work.deliverable, work.contract.terms.value
    valid(bool(command.notes), "content.revision_needs_notes")
    check_texts(command, "notes", "content.notes_malformed")
    work.check_current(command.submission_id)
    if one.stage in (Stage.REVISION_REQUESTED, Stage.IN_RULING) and one.notes == command.notes:
        return []
    if one.stage not in (Stage.OUTLINE_SUBMITTED, Stage.IN_REVIEW):
        raise work.refuse("content.not_in_review")
    if one.revisions < terms.max_revisions:
        return [_revision(work, Ruler.BRAND, command.notes, one.revisions + 1)]
    due_at = work.after(terms.clocks.ruling_s)
    where = (work.contract.parties, one.terms.deliverable_id, one.submission_id)
    return [RulingRequested(*where, command.notes, due_at)]


def approve(command: ApproveContent, work: Work) -> Sequence[WorkEvent]:
    """The brand agrees to what compliance let pass (an outline needs no review)."""
    work.by_brand()
    if command.submission_id == work.deliverable.approved_id:
        return []
    work.check_current(command.submission_id)
    if work.deliverable.stage not in (Stage.OUTLINE_SUBMITTED, Stage.IN_REVIEW):
        raise work.refuse("content.not_in_review")
    return [approved(work, Ruler.BRAND)]


def approved(work: Work, by: Ruler) -> ContentApproved:
    """The newest submission passes; the next clock is the draft's or the publication's."""
    one, clocks = work.deliverable, work.contract.terms.value.clocks
    stage = one.submitted or SubmissionStage.DRAFT
    due_at = work.after(clocks.draft_s) if stage is SubmissionStage.OUTLINE else _publication_due(work)
    where = (work.contract.parties, one.terms.deliverable_id, one.submission_id)
    return ContentApproved(*where, stage, by, one.text_sha256, one.label, one.placement, due_at)


def _publication_due(work: Work) -> datetime:
    """The creator's time to publish; it never ends before the posting window has been open for the grace."""
    clocks = work.contract.terms.value.clocks
    opens_at, _ = posting_window(work.contract.brief.value)
    graced_at = work.after_paused(opens_at + timedelta(seconds=clocks.publish_grace_s))
    return max(work.after(clocks.publish_s), graced_at)


def rule(command: RuleContent, work: Work) -> Sequence[WorkEvent]:
    """Staff's ruling; a ruling against the content ends the deliverable at its rung of the ladder."""
    work.context.actor.require("reviewer", "operator")
    one = work.deliverable
    work.check_current(command.submission_id)
    if one.approved_id == command.submission_id if command.approved else one.stage is Stage.ENDED:
        return []
    if one.stage is not Stage.IN_RULING:
        raise work.refuse("content.not_in_ruling")
    if command.approved:
        return [approved(work, Ruler.STAFF)]
    return [lapsed(one, work.contract, "content.ruled_against", work.context.at)]
