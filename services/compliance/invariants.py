"""What must hold of compliance's data beyond what each of its tables must be by itself."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.app import App
from kernel.checked import Checked, Look
from kernel.codec import adapter
from kernel.rebuild import is_at_head
from services.compliance.codec import CODEC
from services.compliance.domain.findings import Finding, Verdict, verdict_of
from services.compliance.domain.live import ContentLookedAt, DisclosureMissing, LookRequested, LooksScheduled
from services.compliance.projections import REVIEWS_PROJECTION
from services.compliance.tables import FINDINGS, REVIEWS

PAGE_ROWS = 1_000


async def verdicts_follow_findings(app: App) -> list[Checked]:
    """The strictest finding decides; where a person did, it was left to a person. Findings are listed as they were found."""
    judged, listed = Look("verdicts_follow_findings"), Look("findings_listed")
    counted = sa.select(FINDINGS.c.review_id, sa.func.count().label("rows")).group_by(FINDINGS.c.review_id).subquery()
    rows_of = sa.func.coalesce(counted.c.rows, 0).label("rows")
    columns = (REVIEWS.c.review_id, REVIEWS.c.verdict, REVIEWS.c.by_reviewer, REVIEWS.c.findings, rows_of)
    query = sa.select(*columns).select_from(REVIEWS.outerjoin(counted, counted.c.review_id == REVIEWS.c.review_id))
    async for row in _paged(app, query.where(REVIEWS.c.verdict != ""), REVIEWS.c.review_id):
        findings = adapter(tuple[Finding, ...]).validate_json(row.findings)
        wanted = Verdict.NEEDS_HUMAN if row.by_reviewer else Verdict(row.verdict)
        judged.at(
            verdict_of(findings) is wanted, f"review {row.review_id} is {row.verdict} by {len(findings)} findings"
        )
        listed.at(
            row.rows == len(findings), f"review {row.review_id}: {row.rows} of {len(findings)} findings are listed"
        )
    return [judged.done(), listed.done()]


async def _paged(app: App, query: sa.Select[Any], key: sa.ColumnElement[str]) -> AsyncIterator[Any]:
    """All rows, in the order of a text key, each page in a snapshot of its own."""
    last = ""
    while True:
        async with app.database.snapshot() as connection:
            rows = (await connection.execute(query.where(key > last).order_by(key).limit(PAGE_ROWS))).all()
        for row in rows:
            yield row
        if len(rows) < PAGE_ROWS:
            return
        last = rows[-1][0]


@dataclass(slots=True)
class Walk:
    """The looks in the log, in order: what was asked for, what was seen, whether the alarm followed. Memory: a number a post."""

    recorded: Look = field(default_factory=lambda: Look("looks_recorded"))
    alarmed: Look = field(default_factory=lambda: Look("missing_labels_told"))
    asked: dict[str, int] = field(default_factory=dict)
    due: str = ""
    """The look whose alarm has to come next."""

    def at(self, stream: str, event: object) -> None:
        alarm = event.look_id if isinstance(event, DisclosureMissing) else ""
        if self.due or alarm:
            self.alarmed.at(
                self.due == alarm, f"{stream}: the alarm of look {alarm or 'none'} follows {self.due or 'none'}"
            )
        self.due = ""
        match event:
            case LookRequested(ordinal=ordinal):
                self.recorded.at(ordinal == self.asked.get(stream, 0) + 1, f"{stream}: look {ordinal} is out of order")
                self.asked[stream] = ordinal
            case ContentLookedAt(ordinal=ordinal, look_id=look_id, found=found, label_present=label_present):
                asked = self.asked.get(stream, 0)
                self.recorded.at(ordinal <= asked, f"{stream}: look {ordinal} was recorded, {asked} were asked for")
                self.due = look_id if found and not label_present else ""


async def looks_recorded(app: App) -> list[Checked]:
    """Only looks that were asked for are recorded, and each that misses the label is followed by its alarm, and only those."""
    walk, events = Walk(), app.metadata.tables["log_events"].c
    query = sa.select(events.position, events.stream, events.name, events.data).where(events.name.in_(LOOKS))
    last = 0
    while True:
        async with app.database.reading() as connection:
            page = query.where(events.position > last).order_by(events.position).limit(PAGE_ROWS)
            rows = (await connection.execute(page)).all()
        for row in rows:
            walk.at(row.stream, CODEC.decode(row.name, row.data))
        if len(rows) < PAGE_ROWS:
            return [walk.recorded.done(), walk.alarmed.done()]
        last = rows[-1].position


LOOKS = [CODEC.name_of(one) for one in (LookRequested, ContentLookedAt, DisclosureMissing)]


async def looks_follow_reviews(app: App) -> list[Checked]:
    """What is looked at as published was handed in for review and found clear. Nothing is said while reviews are behind."""
    look, events = Look("looks_follow_reviews"), app.metadata.tables["log_events"].c
    query = sa.select(events.stream, events.name, events.data).where(events.name == CODEC.name_of(LooksScheduled))
    async with app.database.snapshot() as connection:
        if not await is_at_head(connection, app.log, REVIEWS_PROJECTION):
            return [look.done()]
        scheduled = [CODEC.decode(row.name, row.data) for row in await connection.execute(query)]
        known = await _verdicts(connection, sorted({one.about.submission_id for one in scheduled}))
    for one in scheduled:
        verdict = known.get(one.about.submission_id, "unknown")
        look.at(
            verdict == Verdict.CLEAR, f"deliverable {one.about.deliverable_id} was published, its review is {verdict}"
        )
    return [look.done()]


async def _verdicts(connection: AsyncConnection, reviews: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(reviews), PAGE_ROWS):
        asked = REVIEWS.c.review_id.in_(reviews[start : start + PAGE_ROWS])
        rows = await connection.execute(sa.select(REVIEWS.c.review_id, REVIEWS.c.verdict).where(asked))
        found |= {row.review_id: row.verdict for row in rows}
    return found


INVARIANTS = (verdicts_follow_findings, looks_recorded, looks_follow_reviews)
