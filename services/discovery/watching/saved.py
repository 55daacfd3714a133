"""Saved searches as their owner reads them, and as looks read them for all owners."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.schema import in_texts
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.discovery.domain.saved_search.saved_search import WATCHED_LIMIT
from services.discovery.reads import SERVICE
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.saved_searches import SAVED_SEARCH_MATCHES, SAVED_SEARCHES

SEARCHES_BY = ("saved_at desc", "saved_at", "name")
MATCHES_BY = ("number desc", "number")
"""What `order_by` of each list may name; the first is the default."""
SEARCHES_LIMIT = 50
"""So many searches an owner may have saved."""
AT_ONCE = 100
"""Searches that a look reads at a time."""


async def searches(
    database: Database, order: tuple[str, bool], after: Cursor | None, size: int, actor: Actor
) -> Page:  # fmt: skip
    """The caller's rows of SAVED_SEARCHES."""
    saved = SAVED_SEARCHES.c
    query = sa.select(SAVED_SEARCHES).where(saved.owner == actor.tenant, may_read(SAVED_SEARCHES, actor))
    async with reading_as(database, SERVICE, actor) as connection:
        return await Keyset(saved[order[0]], saved.search_id, falling=order[1]).read(connection, query, after, size)


async def count(database: Database, actor: Actor) -> int:
    """How many the caller has saved."""
    async with reading_as(database, SERVICE, actor) as connection:
        query = sa.select(sa.func.count()).select_from(SAVED_SEARCHES).where(SAVED_SEARCHES.c.owner == actor.tenant)
        return int((await connection.execute(query)).scalar_one())


async def search(database: Database, search_id: str, actor: Actor) -> dict[str, Any]:
    """One of the caller's; raises NotFound `saved_search.not_found`, Invalid `id.malformed`."""
    own = (SAVED_SEARCHES.c.search_id == checked_id(search_id)) & (SAVED_SEARCHES.c.owner == actor.tenant)
    async with reading_as(database, SERVICE, actor) as connection:
        query = sa.select(SAVED_SEARCHES).where(own, may_read(SAVED_SEARCHES, actor))
        row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise NotFound("saved_search.not_found")
    return dict(row)


async def matches(
    database: Database, search_id: str, falling: bool, after: Cursor | None, size: int, actor: Actor
) -> Page:  # fmt: skip
    """Who came to match since the search was saved, without those who are gone since: rows of SAVED_SEARCH_MATCHES."""
    told = SAVED_SEARCH_MATCHES.c
    query = (
        sa.select(SAVED_SEARCH_MATCHES)
        .join(CREATORS, CREATORS.c.creator_id == told.creator_id)
        .where(told.search_id == search_id, told.number > 0, may_read(SAVED_SEARCH_MATCHES, actor))
    )
    async with reading_as(database, SERVICE, actor) as connection:
        return await Keyset(told.number, falling=falling).read(connection, query, after, size)


async def watched(database: Database, after: str) -> Sequence[Any]:
    """Searches of all owners that are looked at, by id behind `after`."""
    saved = SAVED_SEARCHES.c
    narrow = saved.looked_total.is_(None) | (saved.looked_total <= WATCHED_LIMIT)
    query = sa.select(SAVED_SEARCHES).where(saved.watched, narrow, saved.search_id > after)
    async with database.reading() as connection:
        return (await connection.execute(query.order_by(saved.search_id).limit(AT_ONCE))).all()


async def told_of(
    database: Database, search_ids: Sequence[str], creator_ids: Sequence[str]
) -> frozenset[tuple[str, str]]:
    """(search, creator) of these that are no news any more."""
    told = SAVED_SEARCH_MATCHES.c
    query = sa.select(told.search_id, told.creator_id)
    narrow = in_texts(told.search_id, search_ids), in_texts(told.creator_id, creator_ids)
    async with database.reading() as connection:
        return frozenset((row[0], row[1]) for row in await connection.execute(query.where(*narrow)))


async def told(database: Database, search_id: str) -> frozenset[str]:
    """Who is no news any more."""
    query = sa.select(SAVED_SEARCH_MATCHES.c.creator_id).where(SAVED_SEARCH_MATCHES.c.search_id == search_id)
    async with database.reading() as connection:
        return frozenset((await connection.execute(query)).scalars())
