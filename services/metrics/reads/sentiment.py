"""Sentiment of comments, as the caller who asks: sums over the contents that the caller may see, by content, day or language."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.processors.access import may_read, reading_as
from services.metrics.domain.mentions.mentions import MICROS
from services.metrics.reads.returns import SERVICE
from services.metrics.tables import CONTENTS, SENTIMENT

Z = 1.96
"""Of a 95% interval."""
ROWS_LIMIT = 1_000
SUMS = ("mentions", "negatives", "neutrals", "positives", "net_micros", "net_square_micros")


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty: no filter. Days are UTC, "2026-12-01", both included."""

    campaign_id: str = ""
    content_id: str = ""
    from_day: str = ""
    until_day: str = ""


@dataclass(frozen=True, slots=True)
class Feeling:
    """Sums of some comments. `key` is a content, a day or a language; the net sentiment is -1..1, None without comments."""

    key: str
    mentions: int
    negatives: int
    neutrals: int
    positives: int
    net: float | None
    low: float | None
    high: float | None


def feeling(key: str, row: Any) -> Feeling:
    """Mean and its normal interval, by the sample's variance."""
    count, negatives, neutrals, positives = (int(row[name] or 0) for name in SUMS[:4])
    if not count:
        return Feeling(key, 0, 0, 0, 0, None, None, None)
    mean = int(row["net_micros"]) / count / MICROS
    variance = max(0.0, int(row["net_square_micros"]) / count / MICROS - mean * mean)
    half = Z * sqrt(variance / count)
    return Feeling(key, count, negatives, neutrals, positives, mean, max(-1.0, mean - half), min(1.0, mean + half))


async def sentiment(
    database: Database, asked: Asked, actor: Actor
) -> tuple[Feeling, dict[str, Sequence[Feeling]], Sequence[str]]:  # fmt: skip
    """All together; by content, day and language; the models that scored."""
    columns = SENTIMENT.c
    wanted = [may_read(CONTENTS, actor)]
    if asked.campaign_id:
        wanted.append(CONTENTS.c.campaign_id == asked.campaign_id)
    if asked.content_id:
        wanted.append(CONTENTS.c.content_id == asked.content_id)
    if asked.from_day:
        wanted.append(columns.day >= asked.from_day)
    if asked.until_day:
        wanted.append(columns.day <= asked.until_day)
    joined = SENTIMENT.join(CONTENTS, CONTENTS.c.content_id == columns.content_id)
    sums = [sa.func.sum(columns[name]).label(name) for name in SUMS]
    async with reading_as(database, SERVICE, actor) as connection:
        whole = (await connection.execute(sa.select(*sums).select_from(joined).where(*wanted))).mappings().one()
        parts: dict[str, Sequence[Feeling]] = {}
        for name in ("content_id", "day", "language"):
            key = columns[name].label("key")
            query = sa.select(key, *sums).select_from(joined).where(*wanted).group_by(key).order_by(key.desc())
            rows = (await connection.execute(query.limit(ROWS_LIMIT))).mappings()
            parts[name] = [feeling(row["key"], row) for row in rows]
        models = sa.select(columns.model).select_from(joined).where(*wanted).distinct().order_by(columns.model)
        return feeling("", whole), parts, list((await connection.execute(models.limit(20))).scalars())
