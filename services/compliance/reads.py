"""SQL of the questions about reviews and looks, each as the caller: what a row's `readers` do not name is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.compliance.domain.findings import Verdict
from services.compliance.tables import ERASURES, FINDINGS, LOOKS, REVIEWS

SERVICE = "compliance"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """Reviews that wait for a person; empty fields filter nothing."""

    jurisdiction: str = ""
    campaign_id: str = ""
    falling: bool = False
    after: Cursor | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindingsQuery:
    """Findings of at least `severity` (1..3)."""

    campaign_id: str = ""
    creator_id: str = ""
    rule_id: str = ""
    severity: int = 0
    falling: bool = True
    after: Cursor | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """Of which deal a list is; empty fields filter nothing."""

    campaign_id: str = ""
    collaboration_id: str = ""
    deliverable_id: str = ""
    creator_id: str = ""


@dataclass(frozen=True, slots=True)
class ReviewsQuery:
    """Reviews of a deal with a verdict; "" for all."""

    of: Parts
    verdict: str = ""
    falling: bool = True
    after: Cursor | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class LooksQuery:
    """Looks at the posts of a deal; `not_ok` leaves out those that found all right, and those under way."""

    of: Parts
    not_ok: bool = False
    falling: bool = True
    after: Cursor | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ErasuresQuery:
    """Erasures at a step; "" for all."""

    step: str = ""
    falling: bool = False
    after: Cursor | None = None
    limit: int = 50


class ReviewReads:
    """Reads as the caller who asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def review(self, review_id: str, actor: Actor) -> Row:
        """Raises NotFound `review.not_found` for one that is not there for this caller."""
        async with reading_as(self._database, SERVICE, actor) as connection:
            query = sa.select(REVIEWS).where(REVIEWS.c.review_id == review_id)
            rows = await _rows(connection, query.where(may_read(REVIEWS, actor)))
        if not rows:
            raise NotFound("review.not_found", review_id=review_id[:64])
        return rows[0]

    async def queue(self, asked: QueueQuery, actor: Actor) -> Page:
        """By the time of submission."""
        equal = {"jurisdiction": asked.jurisdiction, "campaign_id": asked.campaign_id}
        query = sa.select(REVIEWS).where(REVIEWS.c.verdict == Verdict.NEEDS_HUMAN.value)
        order = Keyset(REVIEWS.c.submitted_at, REVIEWS.c.review_id, falling=asked.falling)
        return await self._page(query, REVIEWS, equal, order, asked, actor)

    async def reviews(self, asked: ReviewsQuery, actor: Actor) -> Page:
        """By the time of submission."""
        equal = {**asdict(asked.of), "verdict": asked.verdict}
        order = Keyset(REVIEWS.c.submitted_at, REVIEWS.c.review_id, falling=asked.falling)
        return await self._page(sa.select(REVIEWS), REVIEWS, equal, order, asked, actor)

    async def looks(self, asked: LooksQuery, actor: Actor) -> Page:
        """By the time at which they were asked for."""
        query = sa.select(LOOKS)
        if asked.not_ok:
            query = query.where(~LOOKS.c.ok, LOOKS.c.looked_at.is_not(None))
        order = Keyset(LOOKS.c.requested_at, LOOKS.c.look_id, falling=asked.falling)
        return await self._page(query, LOOKS, asdict(asked.of), order, asked, actor)

    async def findings(self, asked: FindingsQuery, actor: Actor) -> Page:
        """By the time of finding, and in a review by their place."""
        equal = {"campaign_id": asked.campaign_id, "creator_id": asked.creator_id, "rule_id": asked.rule_id}
        query = sa.select(FINDINGS).where(FINDINGS.c.severity >= asked.severity)
        order = Keyset(FINDINGS.c.found_at, FINDINGS.c.review_id, FINDINGS.c.ordinal, falling=asked.falling)
        return await self._page(query, FINDINGS, equal, order, asked, actor)

    async def erasure(self, subject_id: str, actor: Actor) -> Row:
        """Raises NotFound `erasure.not_found` for one that is not there for this caller."""
        async with reading_as(self._database, SERVICE, actor) as connection:
            query = sa.select(ERASURES).where(ERASURES.c.subject_id == subject_id)
            rows = await _rows(connection, query.where(may_read(ERASURES, actor)))
        if not rows:
            raise NotFound("erasure.not_found", subject_id=subject_id[:64])
        return rows[0]

    async def erasures(self, asked: ErasuresQuery, actor: Actor) -> Page:
        """By the time since which they stand at their step."""
        order = Keyset(ERASURES.c.since, ERASURES.c.subject_id, falling=asked.falling)
        return await self._page(sa.select(ERASURES), ERASURES, {"step": asked.step}, order, asked, actor)

    async def _page(
        self,
        query: sa.Select[Any],
        table: sa.Table,
        equal: Mapping[str, str],
        order: Keyset,
        asked: QueueQuery | FindingsQuery | ErasuresQuery | ReviewsQuery | LooksQuery,
        actor: Actor,
    ) -> Page:
        """Rows whose columns have the values in `equal` that are not empty."""
        query = query.where(may_read(table, actor), *(table.c[name] == value for name, value in equal.items() if value))
        async with reading_as(self._database, SERVICE, actor) as connection:
            return await order.read(connection, query, asked.after, asked.limit)


async def _rows(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]
