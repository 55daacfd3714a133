"""SQL of the moves by hand: the work list of staff, and to an organisation what concerns its own money."""

from dataclasses import dataclass

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.ids import is_tenant
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page, Row
from services.ledger.tables import HAND_MOVES

SERVICE = "ledger"
STAFF = ("finance", "operator", "auditor")
FOR_STAFF = ("proposed_by", "approved_by", "rejected_by", "reason", "command")


@dataclass(frozen=True, slots=True)
class MoveReads:
    """Reads as the caller who asks."""

    database: Database

    async def page(self, status: str, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
        """A page of moves by the time of their proposal; empty text is any status."""
        table = HAND_MOVES
        order = Keyset(table.c.proposed_at, table.c.proposal_id, falling=falling)
        where = [may_read(table, actor)] + ([table.c.status == status] if status else [])
        async with reading_as(self.database, SERVICE, actor) as connection:
            return await order.read(connection, sa.select(table).where(*where), after, size)


def owners_of(row: Row) -> list[str]:
    """The organisations whose money it is."""
    return [one for one in row["readers"] if is_tenant(one)]


def shown_to(row: Row, actor: Actor) -> dict[str, str]:
    """What only staff may know: who of finance did it, why, and the command."""
    return {} if actor.roles.isdisjoint(STAFF) else {name: row[name] for name in FOR_STAFF}
