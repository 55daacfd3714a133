"""Handles that several creators claim and none was verified for: what operators have to decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.keyset import Keyset

DECIDERS = ("operator", "auditor")
CLAIMS_LIMIT = 50
Place = tuple[str, str]
"""(platform, handle)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`account_id` is the platform's own id of the creator's account there, "" where it is not known."""

    creator_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Contested:
    platform: str
    handle: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class ContestedPage:
    handles: tuple[Contested, ...]
    after: Cursor | None


async def contested(
    database: Database, after: Cursor | None, size: int, actor: Actor, falling: bool = False
) -> ContestedPage:
    """One page by platform and handle, in two queries; for operators and auditors."""
    actor.require(*DECIDERS)
    claims, verified = (database.metadata.tables[name].c for name in ("handles", "verified_handles"))
    decided = sa.exists().where(verified.platform == claims.platform, verified.handle == claims.handle)
    several = (
        sa.select(claims.platform, claims.handle)
        .where(~decided)
        .group_by(claims.platform, claims.handle)
        .having(sa.func.count() > 1)
        .subquery("several")
    )
    order = Keyset(several.c.platform, several.c.handle, falling=falling)
    async with database.reading() as connection:
        page = await order.read(connection, sa.select(several), after, size)
        places = [(row["platform"], row["handle"]) for row in page.rows]
        found = await _claims(connection, claims, database.metadata.tables["account_ids"].c, places)
    return ContestedPage(tuple(Contested(*place, found[place]) for place in places), page.next)


async def _claims(
    connection: AsyncConnection, claims: Any, ids: Any, places: Sequence[Place]
) -> Mapping[Place, tuple[Claim, ...]]:
    """The claims to these handles by creator id, the first of each handle."""
    known = (ids.platform == claims.platform) & (ids.creator_id == claims.creator_id)
    place = sa.func.row_number().over(partition_by=(claims.platform, claims.handle), order_by=claims.creator_id)
    numbered = (
        sa.select(claims.platform, claims.handle, claims.creator_id, ids.account_id, place.label("place"))
        .select_from(claims.creator_id.table.outerjoin(ids.account_id.table, known))
        .where(sa.tuple_(claims.platform, claims.handle).in_(places))
        .subquery("numbered")
    )
    query = sa.select(numbered).where(numbered.c.place <= CLAIMS_LIMIT).order_by(numbered.c.place)
    found: dict[Place, tuple[Claim, ...]] = {}
    for row in await connection.execute(query):
        key = (row.platform, row.handle)
        found[key] = (*found.get(key, ()), Claim(row.creator_id, row.account_id or ""))
    return found
