"""SQL of the questions about orders, as the caller who asks: a brand reads its own, staff all."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.metrics.tables import ORDERS, REFUNDED

SERVICE = "metrics"
BY = ("ordered_at desc", "ordered_at")
"""What `order_by` may name; the first is the default."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Empty fields filter nothing; `unattributed` leaves the orders that are nobody's."""

    campaign_id: str = ""
    creator_id: str = ""
    order_number: str = ""
    unattributed: bool = False


@dataclass(frozen=True, slots=True)
class OrderReads:
    """Reads as the caller who asks."""

    database: Database

    async def order(self, order_id: str, actor: Actor) -> Row:
        """Raises NotFound `order.not_found` for one that is not there for this caller."""
        query = sa.select(ORDERS).where(may_read(ORDERS, actor), ORDERS.c.order_id == order_id)
        async with reading_as(self.database, SERVICE, actor) as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("order.not_found", order_id=order_id)
        return dict(row)

    async def page(self, asked: OrderFilter, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """By the time of the order."""
        equal = {name: getattr(asked, name) for name in ("campaign_id", "creator_id", "order_number")}
        wanted = [ORDERS.c[name] == value for name, value in equal.items() if value]
        wanted += [ORDERS.c.source == ""] if asked.unattributed else []
        order = Keyset(ORDERS.c.ordered_at, ORDERS.c.order_id, falling=falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(ORDERS).where(may_read(ORDERS, actor), *wanted), after, size)

    async def given_back(self, brand_id: str, order_number: str, actor: Actor) -> str:
        """The newest order of a number that was refunded completely, "" for none."""
        wanted = (ORDERS.c.brand_id == brand_id, ORDERS.c.order_number == order_number, ORDERS.c.status == REFUNDED)
        query = sa.select(ORDERS.c.order_id).where(may_read(ORDERS, actor), *wanted)
        newest = query.order_by(ORDERS.c.recorded_at.desc(), ORDERS.c.order_id.desc()).limit(1)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return str((await connection.execute(newest)).scalar() or "")
