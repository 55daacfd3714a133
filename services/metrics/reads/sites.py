"""SQL of the list of sites, as the caller who asks: a brand reads its own, staff all."""

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.metrics.tables import SITES

SERVICE = "metrics"
BY = ("claimed_at desc", "claimed_at")
"""What `order_by` may name; the first is the default."""


@dataclass(frozen=True, slots=True)
class SiteReads:
    """Reads as the caller who asks."""

    database: Database

    async def page(self, host: str, status: str, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """By the time of the claim; empty texts filter nothing."""
        equal = {"host": host, "status": status}
        wanted = [SITES.c[name] == value for name, value in equal.items() if value]
        order = Keyset(SITES.c.claimed_at, SITES.c.site_id, falling=falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(SITES).where(may_read(SITES, actor), *wanted), after, size)
