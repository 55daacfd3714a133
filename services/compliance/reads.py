"""SQL of the questions about reviews, each as the caller: what a row's `readers` do not name is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.processors.access import may_read, reading_as
from services.compliance.domain.findings import Verdict
from services.compliance.tables import FINDINGS, REVIEWS

SERVICE = "compliance"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sort:
    """Time first, then what makes the order total; `newest` first or last."""

    newest: bool


@dataclass(frozen=True, slots=True)
class QueueQuery:
    """Reviews that wait for a person; empty fields filter nothing. `after`: (submitted_at, review_id) of the last row."""

    jurisdiction: str = ""
    campaign_id: str = ""
    sort: Sort = Sort(newest=False)
    after: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindingsQuery:
    """Findings of at least `severity` (1..3); `after`: (found_at, review_id, ordinal) of the last row."""

    campaign_id: str = ""
    creator_id: str = ""
    rule_id: str = ""
    severity: int = 0
    sort: Sort = Sort(newest=True)
    after: tuple[datetime, str, int] | None = None
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

    async def queue(self, asked: QueueQuery, actor: Actor) -> Sequence[Row]:
        """Up to `limit` + 1 rows, so that the caller sees whether more follow."""
        equal = {"jurisdiction": asked.jurisdiction, "campaign_id": asked.campaign_id}
        query = sa.select(REVIEWS).where(REVIEWS.c.verdict == Verdict.NEEDS_HUMAN.value)
        order = (REVIEWS.c.submitted_at, REVIEWS.c.review_id)
        query = _page(_equal(query, REVIEWS, equal), order, asked.sort, asked.after, asked.limit)
        async with reading_as(self._database, SERVICE, actor) as connection:
            return await _rows(connection, query.where(may_read(REVIEWS, actor)))

    async def findings(self, asked: FindingsQuery, actor: Actor) -> Sequence[Row]:
        """Up to `limit` + 1 rows, so that the caller sees whether more follow."""
        equal = {"campaign_id": asked.campaign_id, "creator_id": asked.creator_id, "rule_id": asked.rule_id}
        query = sa.select(FINDINGS).where(FINDINGS.c.severity >= asked.severity)
        order = (FINDINGS.c.found_at, FINDINGS.c.review_id, FINDINGS.c.ordinal)
        query = _page(_equal(query, FINDINGS, equal), order, asked.sort, asked.after, asked.limit)
        async with reading_as(self._database, SERVICE, actor) as connection:
            return await _rows(connection, query.where(may_read(FINDINGS, actor)))


def _equal(query: sa.Select[Any], table: sa.Table, wanted: Mapping[str, str]) -> sa.Select[Any]:
    return query.where(*[table.c[name] == value for name, value in wanted.items() if value])


def _page(
    query: sa.Select[Any], order: Sequence[sa.Column[Any]], sort: Sort, after: tuple[Any, ...] | None, limit: int
) -> sa.Select[Any]:
    """Keyset page: rows beyond `after` in the order, never by counting."""
    if after is not None:
        key = sa.tuple_(*order)
        here = sa.tuple_(*[sa.literal(value, column.type) for value, column in zip(after, order, strict=True)])
        query = query.where(key < here if sort.newest else key > here)
    return query.order_by(*[column.desc() if sort.newest else column.asc() for column in order]).limit(limit + 1)


async def _rows(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]
