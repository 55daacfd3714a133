"""The work list as the head has it: staff reads the inline table, so an entry is there when its webhook is answered."""

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.edge.page_tokens import Cursor
from kernel.processors.keyset import Keyset, Page
from services.ledger.tables import DISCREPANCIES


@dataclass(frozen=True, slots=True)
class WorkList:
    """The caller is staff: no row belongs to an organisation."""

    database: Database

    async def page(self, origin: str, falling: bool, after: Cursor | None, size: int) -> Page:
        """Open discrepancies by their time; empty text is any origin."""
        order = Keyset(DISCREPANCIES.c.noted_at, DISCREPANCIES.c.discrepancy_id, falling=falling)
        query = sa.select(DISCREPANCIES)
        if origin:
            query = query.where(DISCREPANCIES.c.origin == origin)
        async with self.database.reading() as connection:
            return await order.read(connection, query, after, size)
