"""Writes compliance's read models from its own log: reviews (and so the queue), their findings, looks, and erasures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.core.canonical import canonical
from kernel.core.codec import adapter
from kernel.core.events import Delivered
from kernel.core.ids import role_reader, split_stream
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Projection, Target, fold_rows
from services.compliance.domain.erasure import (
    CATEGORY,
    STEPS,
    ErasureDeclined,
    ErasureRequested,
    SubjectErased,
)
from services.compliance.domain.findings import Evidence, Finding, Severity
from services.compliance.domain.live import ContentLookedAt, LookRequested
from services.compliance.domain.review import (
    About,
    DisclosureAttached,
    ReviewCompleted,
    ReviewerDecided,
    ReviewOpened,
)
from services.compliance.tables import ERASURES, FINDINGS, LOOKS, REVIEWS

Row = dict[str, Any]
RANK = {Severity.NOTICE: 1, Severity.WARNING: 2, Severity.BLOCKING: 3}
STAFF = tuple(map(role_reader, ("reviewer", "operator", "auditor")))
PAGE_ROWS = 200
"""Reviews of an erased person that are rewritten at once."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One reviewer's decision, as a row keeps it; the reason is empty once the creator is erased."""

    reviewer_id: str
    approved: bool
    reason: str
    decided_at: datetime


PARTIES = ("deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id")


def readers_of_review(about: About) -> list[str]:
    """The parties, and staff that reviews, runs or audits."""
    return [about.brand_id, about.creator_id, *STAFF]


async def apply_reviews(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """An erasure parts the batch: what follows it may be of somebody who came back."""
    begin = 0
    for at, incoming in enumerate(events):
        if isinstance(incoming.event, ErasureDone):
            await _apply_reviews(target, events[begin:at])
            await _forget(target, incoming.event.subject_id)
            begin = at + 1
    await _apply_reviews(target, events[begin:])


async def _apply_reviews(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, REVIEWS, events, _review_key, _fold_review)
    judged = [incoming for incoming in events if isinstance(incoming.event, ReviewCompleted)]
    await target.upsert(FINDINGS, list(_latest([row for one in judged for row in _finding_rows(one)])))


def _latest(rows: Sequence[Row]) -> Sequence[Row]:
    """One row a key: a second verdict in the same batch replaces the first."""
    return list({(row["review_id"], row["ordinal"]): row for row in rows}.values())


def _review_key(incoming: Delivered[Any]) -> tuple[str] | None:
    category, review_id = split_stream(incoming.stream)
    return (review_id,) if category == "review" else None


def _fold_review(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case ReviewOpened() as event:
            changed = _opened(event)
        case DisclosureAttached(label=label, placement=placement):
            changed = {"label": label, "placement": placement}
        case ReviewCompleted() as event:
            changed = _completed(event)
        case ReviewerDecided() as event:
            changed = {"note": event.reason, "voices": _with_voice(row, event)}
        case _:
            return row
    return (row or {}) | changed | {"version": incoming.version}


def _with_voice(row: Row | None, event: ReviewerDecided) -> str:
    before = adapter(tuple[Voice, ...]).validate_json(row["voices"] if row else "[]")
    voice = Voice(event.reviewer_id, event.approved, event.reason, event.decided_at)
    return canonical((*before, voice)).decode()


def _opened(event: ReviewOpened) -> Row:
    about, content = event.about, event.content
    told = ("stage", "platform", "format", "jurisdiction", "product_category", "title", "text")
    return (
        {"review_id": about.submission_id}
        | {name: getattr(about, name) for name in PARTIES}
        | {name: getattr(content, name) for name in told}
        | {name: canonical(getattr(content, name)).decode() for name in ("tags", "links", "evidence")}
        | {"product_used": content.product_used, "ai_made": content.ai_made}
        | {"round": event.round, "language": event.language, "text_hash": event.text_hash}
        | {
            "voices": "[]",
            "findings": "[]",
            "rule_packs": "[]",
            "verdict": "",
            "by_reviewer": False,
            "note": "",
            "label": "",
            "placement": "",
        }
        | {"submitted_at": event.submitted_at, "completed_at": None, "readers": readers_of_review(about)}
    )


def _completed(event: ReviewCompleted) -> Row:
    return {
        "verdict": event.verdict.value,
        "findings": canonical(event.findings).decode(),
        "rule_packs": canonical(event.packs).decode(),
        "by_reviewer": event.by_reviewer,
        "note": event.note,
        "completed_at": event.completed_at,
    }


def _finding_rows(incoming: Delivered[Any]) -> list[Row]:
    event: ReviewCompleted = incoming.event
    about = event.about
    parties = {"campaign_id": about.campaign_id, "brand_id": about.brand_id, "creator_id": about.creator_id}
    common = parties | {
        "verdict": event.verdict.value,
        "found_at": event.completed_at,
        "readers": readers_of_review(about),
    }
    return [
        common | {"review_id": about.submission_id, "ordinal": ordinal} | _finding(finding)
        for ordinal, finding in enumerate(event.findings)
    ]


def _finding(finding: Finding) -> Row:
    return {
        "rule_id": finding.rule_id,
        "severity": RANK[finding.severity],
        "finding": canonical(finding).decode(),
    }


async def _forget(target: Target, creator_id: str) -> None:
    """The rows of a person's reviews, a page at a time, as they are when its events are read without their key."""
    reviews, findings, last = target[REVIEWS], target[FINDINGS], ""
    while True:
        mine = sa.select(reviews).where(reviews.c.creator_id == creator_id, reviews.c.review_id > last)
        page = await _rows(target, mine.order_by(reviews.c.review_id).limit(PAGE_ROWS))
        if not page:
            return
        last = page[-1]["review_id"]
        await target.upsert(REVIEWS, [row | _blanks(row) for row in page])
        found = sa.select(findings).where(findings.c.review_id.in_([row["review_id"] for row in page]))
        listed = await _rows(target, found)
        await target.upsert(FINDINGS, [row | {"finding": _blank(Finding, row["finding"])} for row in listed])


async def _rows(target: Target, query: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in (await target.connection.execute(query)).mappings()]


def _blanks(review: Row) -> Row:
    return {
        "title": "",
        "text": "",
        "tags": "[]",
        "links": "[]",
        "note": "",
        "evidence": _blank(tuple[Evidence, ...], review["evidence"]),
        "findings": _blank(tuple[Finding, ...], review["findings"]),
        "voices": _silent(review["voices"]),
    }


def _blank(kind: Any, text: str) -> str:
    """Findings and evidence without what is personal in them."""
    found = adapter(kind).validate_json(text)
    many = found if isinstance(found, tuple) else (found,)
    left = tuple(
        replace(one, excerpt="") if isinstance(one, Finding) else replace(one, phrase="", reference="") for one in many
    )
    return canonical(left if isinstance(found, tuple) else left[0]).decode()


def _silent(voices: str) -> str:
    """Voices without their reasons."""
    kept = adapter(tuple[Voice, ...]).validate_json(voices)
    return canonical(tuple(replace(one, reason="") for one in kept)).decode()


async def apply_looks(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, LOOKS, events, _look_key, _fold_look)


def _look_key(incoming: Delivered[Any]) -> tuple[str] | None:
    event = incoming.event
    return (event.look_id,) if isinstance(event, LookRequested | ContentLookedAt) else None


def _fold_look(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case LookRequested() as event:
            return _requested(event)
        case ContentLookedAt() as event if row is not None:
            names = ("ok", "found", "label_present", "text_unchanged", "author_differs", "unreadable", "looked_at")
            return row | {name: getattr(event, name) for name in names}
        case _:
            return row


def _requested(event: LookRequested) -> Row:
    """A look that is under way has found nothing yet."""
    about, post = event.about, event.post
    seen = ("ok", "found", "label_present", "text_unchanged", "author_differs")
    return (
        {"look_id": event.look_id, "ordinal": event.ordinal, "unreadable": "", **dict.fromkeys(seen, False)}
        | {name: getattr(about, name) for name in PARTIES}
        | {name: getattr(post, name) for name in ("platform", "post_id", "url", "label", "jurisdiction")}
        | {"requested_at": event.requested_at, "looked_at": None, "next_at": event.next_at}
        | {"readers": readers_of_review(about)}
    )


async def apply_erasures(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, ERASURES, events, _subject_key, _fold_erasure)


def _subject_key(incoming: Delivered[Any]) -> tuple[str] | None:
    category, subject_id = split_stream(incoming.stream)
    return (subject_id,) if category == CATEGORY else None


def _fold_erasure(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    event, reason = incoming.event, ""
    match event:
        case ErasureRequested(requested_at=since):
            pass
        case SubjectErased(reason=reason, erased_at=since) | ErasureDeclined(reason=reason, declined_at=since):
            pass
        case _:
            return row
    told = {"subject_id": event.subject_id, "step": STEPS[type(event)].value, "reason": reason, "since": since}
    return told | {
        "version": incoming.version,
        "readers": [event.subject_id, role_reader("operator"), role_reader("auditor")],
    }


REVIEWS_PROJECTION = Projection("reviews", 4, (REVIEWS, FINDINGS), apply_reviews)
ERASURES_PROJECTION = Projection("erasures", 1, (ERASURES,), apply_erasures)
LOOKS_PROJECTION = Projection("looks", 1, (LOOKS,), apply_looks)
PROJECTIONS = (REVIEWS_PROJECTION, ERASURES_PROJECTION, LOOKS_PROJECTION)
