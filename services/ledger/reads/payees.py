"""SQL of what concerns payees: where they are resident for tax, what of theirs waits, the rates of their tax and the fees."""

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page, Row
from services.ledger.tables import DEFERRED_PAYMENTS, POLICIES, RATES, RESIDENCES

SERVICE = "ledger"


@dataclass(frozen=True, slots=True)
class PayeeReads:
    """Reads as the caller who asks."""

    database: Database

    async def residence(self, payee_id: str, actor: Actor) -> Row:
        """The residence, if the caller may see it; else NotFound: to strangers it does not exist."""
        table = RESIDENCES
        async with reading_as(self.database, SERVICE, actor) as connection:
            query = sa.select(table).where(table.c.payee_id == payee_id, may_read(table, actor))
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("tax.residence_unknown", payee_id=payee_id[:80])
        return dict(row)

    async def deferred(self, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """A page of payments that wait."""
        table = DEFERRED_PAYMENTS
        order = Keyset(table.c.deferred_at, table.c.deliverable_id, falling=falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(table).where(may_read(table, actor)), after, size)

    async def rates(self, currency: str, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """A page of reference rates by month."""
        table = RATES
        where = [may_read(table, actor)] + ([table.c.currency == currency] if currency else [])
        order = Keyset(table.c.month, table.c.currency, falling=falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(table).where(*where), after, size)

    async def policies(self, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """A page of fee policies by date."""
        table = POLICIES
        order = Keyset(table.c.since, table.c.policy_id, falling=falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(table).where(may_read(table, actor)), after, size)
