"""SQL of the list of anomalies, as the caller who asks: a brand and a creator read their own, staff all."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.metrics.tables import ANOMALIES

SERVICE = "metrics"
BY = ("detected_at desc", "detected_at")
"""What `order_by` may name; the first is the default."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty: no filter."""

    campaign_id: str = ""
    creator_id: str = ""
    content_id: str = ""
    kinds: Sequence[str] = ()


async def anomalies(
    database: Database, asked: Asked, falling: bool, after: Cursor | None, size: int, actor: Actor
) -> Page:
    """Rows of ANOMALIES."""
    columns = ANOMALIES.c
    equal = {"campaign_id": asked.campaign_id, "creator_id": asked.creator_id, "content_id": asked.content_id}
    wanted = [columns[name] == value for name, value in equal.items() if value]
    if asked.kinds:
        wanted.append(columns.kind.in_(asked.kinds))
    order = Keyset(columns.detected_at, columns.anomaly_id, falling=falling)
    async with reading_as(database, SERVICE, actor) as connection:
        query = sa.select(ANOMALIES).where(may_read(ANOMALIES, actor), *wanted)
        return await order.read(connection, query, after, size)
