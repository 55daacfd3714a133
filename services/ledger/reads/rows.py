"""Single rows of the inline tables, and the journal's hashes: what edges and effects need before they send a command."""

from collections.abc import AsyncIterator, Collection
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import InlineTable, Key
from kernel.core.events import Recorded
from kernel.eventlog.log import READ_LIMIT, StoredLog
from services.ledger.domain.discrepancies import DISCREPANCIES
from services.ledger.domain.hashchain import Chained, Link, walk
from services.ledger.domain.rows import ESCROWS, TRANSFERS, Escrow, Transfer
from services.ledger.domain.seals import LAST, SEALS
from services.ledger.domain.set_by_hand import ReferenceRateSet, TaxResidenceVerified, TieCleared
from services.ledger.domain.ties import SAME_ACCOUNT, SAME_PAYEE
from services.ledger.domain.waiting import RATE_UNKNOWN, WAITING, WaitingPayment

R = TypeVar("R")


async def inline_row(database: Database, inline: InlineTable[R], key: Key) -> R | None:
    """One row as last committed; what is decided on it must be checked again at the head."""
    table = database.metadata.tables[inline.name]
    where = [table.c[name] == value for name, value in zip(inline.key, key, strict=True)]
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(table).where(*where))).mappings().first()
    return inline.row(**row) if row else None


async def transfer_of(database: Database, transfer_id: str) -> Transfer | None:
    return await inline_row(database, TRANSFERS, (transfer_id,))


async def transfers_of(database: Database, ids: Collection[str]) -> dict[str, Transfer]:
    """Those of the transfers that are known, by id."""
    return {key: row async for key, row in _many(database, TRANSFERS, ids)}


async def discrepancies_of(database: Database, ids: Collection[str]) -> set[str]:
    """Those of the discrepancies that are open."""
    return {key async for key, _ in _many(database, DISCREPANCIES, ids)}


async def _many(database: Database, inline: InlineTable[R], ids: Collection[str]) -> AsyncIterator[tuple[str, R]]:
    table = database.metadata.tables[inline.name]
    column = table.c[inline.key[0]]
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(table).where(column.in_(ids)))).mappings().all()
    for row in rows:
        yield row[column.name], inline.row(**row)


async def escrow_of(database: Database, deliverable_id: str) -> Escrow | None:
    return await inline_row(database, ESCROWS, (deliverable_id,))


WAITING_PAGE = 200


async def waiting_for(
    database: Database, settled: TaxResidenceVerified | ReferenceRateSet | TieCleared, after: str
) -> list[WaitingPayment]:
    """A page of the payments that wait for what was settled, by deliverable, behind the one given."""
    table = database.metadata.tables[WAITING.name]
    if isinstance(settled, TaxResidenceVerified):
        where = table.c.payee_id == settled.payee_id
    elif isinstance(settled, TieCleared):
        where = table.c.reason.in_((SAME_ACCOUNT, SAME_PAYEE)) & (table.c.payee_id == settled.payee_id)
    else:
        where = (table.c.reason == RATE_UNKNOWN) & (table.c.currency == settled.currency)
    query = sa.select(table).where(where, table.c.deliverable_id > after).order_by(table.c.deliverable_id)
    async with database.reading() as connection:
        rows = (await connection.execute(query.limit(WAITING_PAGE))).mappings().all()
    return [WaitingPayment(**row) for row in rows]


async def last_seal(database: Database) -> Chained:
    """Where the last seal stands; the beginning when nothing was sealed."""
    seal = await inline_row(database, SEALS, LAST)
    return Chained(seal.up_to_position, seal.root) if seal else Chained()


async def chain_to(log: StoredLog, start: Chained, position: int, connection: AsyncConnection | None = None) -> Chained:
    """Hashes on from `start` up to a position, in batches."""
    at = start
    while at.position < position and not at.broken_at:
        recorded = await log.read(at.position, READ_LIMIT, position, connection)
        if not recorded:
            return at
        at = walk(at, map(link_of, recorded))
    return at


def link_of(recorded: Recorded) -> Link:
    return Link(recorded.position, recorded.stream, recorded.version, recorded.name, recorded.data, recorded.meta)
