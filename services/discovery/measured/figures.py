"""What was measured of one creator: its grid with its place among peers, its followers through time, its reliability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.processors.access import may_read, reading_as
from services.discovery.measured.conduct import Reliability, reliability
from services.discovery.measured.peers import Peers, Places
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.measured import CREATOR_GRID, CREATOR_GROWTH, FOLLOWER_HISTORY

SERVICE = "discovery"
POINTS_LIMIT = 1_000
"""The newest days of all accounts together."""
Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """`places` by cell of the grid (peers.key_of). `growth` is None where nobody reported followers, `reliability` where the
    reader may not see it."""

    grid: Sequence[Row]
    places: Places
    history: Sequence[Row]
    growth: Row | None
    reliability: Reliability | None


@dataclass(frozen=True, slots=True)
class FigureReads:
    """Reads as the caller who asks."""

    database: Database
    peers: Peers = field(default_factory=Peers)

    async def of(self, creator_id: str, actor: Actor, at: datetime) -> Figures:
        """Raises NotFound `creator.not_found`, Invalid `id.malformed`."""
        checked_id(creator_id)
        async with reading_as(self.database, SERVICE, actor) as connection:
            own = (CREATORS.c.creator_id == creator_id) & may_read(CREATORS, actor)
            if (await connection.execute(sa.select(CREATORS.c.creator_id).where(own))).first() is None:
                raise NotFound("creator.not_found")
            return Figures(
                await _grid(connection, creator_id),
                await self.peers.places(connection, creator_id, at),
                await _history(connection, creator_id),
                await _growth(connection, creator_id),
                await _conduct(connection, creator_id, actor, at),
            )


async def _conduct(connection: AsyncConnection, creator_id: str, actor: Actor, at: datetime) -> Reliability | None:
    """A creator sees its own; brands, agencies and staff see everybody's."""
    if actor.roles == {"creator"} and actor.tenant != creator_id:
        return None
    return (await reliability(connection, [creator_id], at))[creator_id]


async def _grid(connection: AsyncConnection, creator_id: str) -> Sequence[Row]:
    """What was measured first, then what was reported."""
    grid = CREATOR_GRID.c
    measured = sa.case((grid.purpose == "reported", 1), else_=0)
    order = (measured, grid.purpose, grid.format, grid.window_days, grid.traffic)
    query = sa.select(CREATOR_GRID).where(grid.creator_id == creator_id).order_by(*order)
    return (await connection.execute(query)).mappings().all()


async def _history(connection: AsyncConnection, creator_id: str) -> Sequence[Row]:
    """The newest days, in order."""
    history = FOLLOWER_HISTORY.c
    query = sa.select(FOLLOWER_HISTORY).where(history.creator_id == creator_id)
    newest = query.order_by(history.day.desc(), history.platform).limit(POINTS_LIMIT)
    return list((await connection.execute(newest)).mappings())[::-1]


async def _growth(connection: AsyncConnection, creator_id: str) -> Row | None:
    query = sa.select(CREATOR_GROWTH).where(CREATOR_GROWTH.c.creator_id == creator_id)
    return (await connection.execute(query)).mappings().first()
