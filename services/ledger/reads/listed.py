"""SQL of the lists of transfers, escrows, releases and payout accounts, as far as the caller may see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.ledger.tables.listed import LISTED_ESCROWS, LISTED_PAYOUT_ACCOUNTS, LISTED_TRANSFERS, RELEASES

SERVICE = "ledger"


@dataclass(frozen=True, slots=True)
class Cut:
    """Which page of a list: columns with the values in `equal` that are not empty, in an order, behind a cursor."""

    equal: Mapping[str, str]
    falling: bool
    after: Cursor | None
    size: int


@dataclass(frozen=True, slots=True)
class EscrowTotal:
    """Escrows of one currency together, in minor units."""

    currency: str
    escrows: int
    gross_minor: int
    left_minor: int
    released_minor: int
    returned_minor: int


@dataclass(frozen=True, slots=True)
class ListReads:
    """Reads as the caller who asks."""

    database: Database

    async def transfers(self, cut: Cut, actor: Actor) -> Page:
        """By the time at which they were asked for."""
        return await self._page(LISTED_TRANSFERS, ("requested_at", "transfer_id"), cut, actor)

    async def escrows(self, cut: Cut, actor: Actor) -> Page:
        """By the time of the first hold."""
        return await self._page(LISTED_ESCROWS, ("held_at", "deliverable_id"), cut, actor)

    async def escrow_totals(self, equal: Mapping[str, str], actor: Actor) -> list[EscrowTotal]:
        """Sums over all escrows of a list, per currency."""
        table = LISTED_ESCROWS.c
        sums = [
            sa.func.count(),
            bounded_sum(table.fee_minor + table.brand_fee_minor),
            bounded_sum(table.fee_left_minor + table.brand_fee_left_minor),
            bounded_sum(table.released_minor),
            bounded_sum(table.returned_minor),
        ]
        query = sa.select(table.currency, *sums).where(*_where(LISTED_ESCROWS, equal, actor))
        async with reading_as(self.database, SERVICE, actor) as connection:
            rows = (await connection.execute(query.group_by(table.currency).order_by(table.currency))).all()
        return [EscrowTotal(row[0], *map(int, row[1:])) for row in rows]

    async def releases(self, cut: Cut, actor: Actor) -> Page:
        """By the time at which they were paid out."""
        return await self._page(RELEASES, ("released_at", "chain_id"), cut, actor)

    async def payout_accounts(self, cut: Cut, actor: Actor) -> Page:
        """By the time at which they were named last."""
        return await self._page(LISTED_PAYOUT_ACCOUNTS, ("changed_at", "owner", "currency"), cut, actor)

    async def _page(self, table: sa.Table, order: tuple[str, ...], cut: Cut, actor: Actor) -> Page:
        keyset = Keyset(*(table.c[name] for name in order), falling=cut.falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            query = sa.select(table).where(*_where(table, cut.equal, actor))
            return await keyset.read(connection, query, cut.after, cut.size)


def _where(table: sa.Table, equal: Mapping[str, str], actor: Actor) -> list[sa.ColumnElement[Any]]:
    return [may_read(table, actor), *(table.c[name] == value for name, value in equal.items() if value)]
