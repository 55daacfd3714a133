"""What a measuring pass reads: whose contents were published lately, and what their counters stand at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from services.metrics.domain.engagement import Metric, Provenance, Traffic
from services.metrics.domain.grid.formula import Counted, Purpose
from services.metrics.domain.totals import cell_parts
from services.metrics.reads.returns import STANDING, shown
from services.metrics.tables import CELLS, CONTENTS

CONTENTS_LIMIT = 500
"""The newest of a creator's contents; nobody publishes more in 90 days."""


@dataclass(frozen=True, slots=True)
class GridReads:
    """Reads for the system itself."""

    database: Database

    async def creators(self, since: datetime, after: str, limit: int) -> list[str]:
        """Up to `limit` creators behind `after`, by id, of whom a content was published at `since` or later."""
        query = sa.select(CONTENTS.c.creator_id).distinct().where(CONTENTS.c.published_at >= since)
        query = query.where(CONTENTS.c.creator_id > after).order_by(CONTENTS.c.creator_id).limit(limit)
        async with self.database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def counted(self, creators: Sequence[str], since: datetime) -> dict[str, list[Counted]]:
        """The contents of each creator that were published at `since` or later, the newest CONTENTS_LIMIT of each."""
        place = sa.func.row_number().over(
            partition_by=CONTENTS.c.creator_id, order_by=[CONTENTS.c.published_at.desc(), CONTENTS.c.content_id]
        )
        wanted = CONTENTS.c.creator_id.in_(creators) & (CONTENTS.c.published_at >= since)
        newest = sa.select(CONTENTS, place.label("place")).where(wanted).subquery("newest")
        counters = newest.outerjoin(CELLS, (CELLS.c.content == newest.c.number) & shown(CELLS, 0))
        query = sa.select(newest, CELLS.c.cell, STANDING.label("standing")).select_from(counters)
        async with self.database.reading() as connection:
            rows = (await connection.execute(query.where(newest.c.place <= CONTENTS_LIMIT))).mappings().all()
        return _by_creator(rows)


def _by_creator(rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Counted]]:
    """A row for each counter of a content, or one without a counter."""
    counts: dict[str, dict[tuple[Metric, Traffic], tuple[Provenance, int]]] = {}
    first: dict[str, Mapping[Any, Any]] = {}
    for row in rows:
        first.setdefault(row["content_id"], row)
        told = counts.setdefault(row["content_id"], {})
        if row["cell"] is not None:
            metric, traffic, source = cell_parts(row["cell"])
            told[metric, traffic] = (source, int(row["standing"]))
    found: dict[str, list[Counted]] = {}
    for content_id, row in first.items():
        purpose = Purpose.COOPERATION if row["collaboration_id"] else Purpose.DAILY
        one = Counted(purpose, row["format"], row["published_at"], counts[content_id])
        found.setdefault(row["creator_id"], []).append(one)
    return found
