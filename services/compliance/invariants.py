"""What must hold of compliance's data beyond what each of its tables must be by itself."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.check import Check, CheckResult
from kernel.core.codec import adapter
from kernel.host.app import App
from kernel.processors.generations import is_at_head
from services.compliance.codec import CODEC
from services.compliance.domain.findings import Finding, Verdict, verdict_of
from services.compliance.domain.live import ContentLookedAt, DisclosureMissing, LookRequested, LooksScheduled
from services.compliance.projections import REVIEWS_PROJECTION
from services.compliance.tables import FINDINGS, REVIEWS

PAGE_ROWS = 1_000


async def verdicts_follow_findings(app: App) -> list[CheckResult]:
    """The strictest finding decides; where a person did, it was left to a person. Findings are listed as they were found."""
    judged, listed = Check("verdicts_follow_findings"), Check("findings_listed")
    counted = sa.select(FINDINGS.c.review_id, sa.func.count().label("rows")).group_by(FINDINGS.c.review_id).subquery()
    rows_of = sa.func.coalesce(counted.c.rows, 0).label("rows")
    columns = (REVIEWS.c.review_id, REVIEWS.c.verdict, REVIEWS.c.by_reviewer, REVIEWS.c.findings, rows_of)
    query = sa.select(*columns).select_from(REVIEWS.outerjoin(counted, counted.c.review_id == REVIEWS.c.review_id))
    async for row in _rows(app, query.where(REVIEWS.c.verdict != "")):
        findings = adapter(tuple[Finding, ...]).validate_json(row.findings)
        wanted = Verdict.NEEDS_HUMAN if row.by_reviewer else Verdict(row.verdict)
        judged.that(
            verdict_of(findings) is wanted, f"review {row.review_id} is {row.verdict} by {len(findings)} findings"
        )
        listed.that(
            row.rows == len(findings), f"review {row.review_id}: {row.rows} of {len(findings)} findings are listed"
        )
    return [judged.result(), listed.result()]


async def _pages(
    snapshot: Callable[[], AbstractAsyncContextManager[AsyncConnection]], query: sa.Select[Any]
) -> AsyncIterator[Sequence[Any]]:
    """All rows in the order of the first column, which is unique; each page is read in what `snapshot` opens."""
    key, rest = query.selected_columns[0], query
    while True:
        async with snapshot() as connection:
            rows = (await connection.execute(rest.order_by(key).limit(PAGE_ROWS))).all()
        yield rows
        if len(rows) < PAGE_ROWS:
            return
        rest = query.where(key > rows[-1][0])


async def _rows(app: App, query: sa.Select[Any]) -> AsyncIterator[Any]:
    async for page in _pages(app.database.snapshot, query):
        for row in page:
            yield row


@dataclass(slots=True)
class Walk:
    """The looks in the log, in order: what was asked for, what was seen, whether the alarm followed. Memory: a number a post."""

    recorded: Check = field(default_factory=lambda: Check("looks_recorded"))
    alarmed: Check = field(default_factory=lambda: Check("missing_labels_told"))
    asked: dict[str, int] = field(default_factory=dict)
    due: str = ""
    """The look whose alarm has to come next."""

    def at(self, stream: str, event: object) -> None:
        alarm = event.look_id if isinstance(event, DisclosureMissing) else ""
        if self.due or alarm:
            self.alarmed.that(
                self.due == alarm, f"{stream}: the alarm of look {alarm or 'none'} follows {self.due or 'none'}"
            )
        self.due = ""
        match event:
            case LookRequested(ordinal=ordinal):
                self.recorded.that(
                    ordinal == self.asked.get(stream, 0) + 1, f"{stream}: look {ordinal} is out of order"
                )
                self.asked[stream] = ordinal
            case ContentLookedAt(ordinal=ordinal, look_id=look_id, found=found, label_present=label_present):
                asked = self.asked.get(stream, 0)
                self.recorded.that(ordinal <= asked, f"{stream}: look {ordinal} was recorded, {asked} were asked for")
                self.due = look_id if found and not label_present else ""


async def looks_recorded(app: App) -> list[CheckResult]:
    """Only looks that were asked for are recorded, and each that misses the label is followed by its alarm, and only those."""
    walk, events = Walk(), app.metadata.tables["log_events"].c
    query = sa.select(events.position, events.stream, events.name, events.data).where(events.name.in_(LOOKS))
    async for row in _rows(app, query):
        walk.at(row.stream, CODEC.decode(row.name, row.data))
    return [walk.recorded.result(), walk.alarmed.result()]


LOOKS = [CODEC.name_of(one) for one in (LookRequested, ContentLookedAt, DisclosureMissing)]


async def looks_follow_reviews(app: App) -> list[CheckResult]:
    """What is looked at as published was handed in for review and found clear. Nothing is said while reviews are behind."""
    check, events = Check("looks_follow_reviews"), app.metadata.tables["log_events"].c
    scheduled = CODEC.name_of(LooksScheduled)
    query = sa.select(events.position, events.name, events.data).where(events.name == scheduled)
    async with app.database.snapshot() as connection:
        if await is_at_head(connection, app.log, REVIEWS_PROJECTION):
            async for page in _pages(lambda: nullcontext(connection), query):
                await _follow(connection, check, [CODEC.decode(row.name, row.data) for row in page])
    return [check.result()]


async def _follow(connection: AsyncConnection, check: Check, scheduled: Sequence[LooksScheduled]) -> None:
    reviews = {one.about.submission_id for one in scheduled}
    query = sa.select(REVIEWS.c.review_id, REVIEWS.c.verdict).where(REVIEWS.c.review_id.in_(reviews))
    known = {row.review_id: row.verdict for row in await connection.execute(query)}
    for one in scheduled:
        verdict = known.get(one.about.submission_id, "unknown")
        check.that(
            verdict == Verdict.CLEAR, f"deliverable {one.about.deliverable_id} was published, its review is {verdict}"
        )


INVARIANTS = (verdicts_follow_findings, looks_recorded, looks_follow_reviews)
