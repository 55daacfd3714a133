"""Where a creator stands among its peers: those of its tier and its first category that have the same cell measured.

All cells of a creator are compared in one statement, over at most PEERS_LIMIT peers in the order of their ids. An answer is kept
for KEPT and then made anew, so a page that is opened often costs one comparison in that time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.codec import adapter
from services.discovery.domain.state import State
from services.discovery.tables.creators import CREATOR_LABELS, CREATORS
from services.discovery.tables.measured import CREATOR_GRID, MEDIANS

LEAST_PEERS = 20
"""Fewer peers give no place."""
PEERS_LIMIT = 5_000
KEPT = timedelta(minutes=10)
KEPT_LIMIT = 1_000
COMPARED = (*MEDIANS, "engagement_rate_micros")
CELL = ("purpose", "format", "window_days", "traffic")
CellKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """`better_than` gives for each compared figure how many of `peers` are below; a figure that fewer than LEAST_PEERS have is
    left out."""

    peers: Mapping[str, int]
    better_than: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Places:
    """By cell. `group` is the tier, "/" and the first category."""

    group: str
    compared_at: datetime
    cells: Mapping[CellKey, Place]


def key_of(row: Mapping[str, Any]) -> CellKey:
    """A cell's key in Places.cells."""
    return tuple(row[name] for name in CELL)


@dataclass(slots=True)
class Peers:
    """Comparisons of this process, the oldest given up first."""

    kept: dict[str, Places] = field(default_factory=dict)

    async def places(self, connection: AsyncConnection, creator_id: str, at: datetime) -> Places:
        """As of KEPT ago at most."""
        known = self.kept.get(creator_id)
        if known is not None and at - known.compared_at < KEPT:
            return known
        self.kept.pop(creator_id, None)
        made = self.kept[creator_id] = await compared(connection, creator_id, at)
        if len(self.kept) > KEPT_LIMIT:
            del self.kept[next(iter(self.kept))]
        return made


async def compared(connection: AsyncConnection, creator_id: str, at: datetime) -> Places:
    """All measured cells of the creator against its peers'."""
    query = sa.select(CREATORS.c.tier, CREATORS.c.state).where(CREATORS.c.creator_id == creator_id)
    tier, stored = (await connection.execute(query)).one()
    profile = adapter(State).validate_json(stored).profile
    category = profile.categories[0].partition("/")[0] if profile and profile.categories else ""
    if not category:
        return Places("", at, {})
    rows = (await connection.execute(_comparison(creator_id, tier, category))).mappings()
    return Places(f"{tier}/{category}", at, {key_of(row): _place(row) for row in rows})


def _comparison(creator_id: str, tier: str, category: str) -> sa.Select[Any]:
    labels, own, other = CREATOR_LABELS.c, CREATOR_GRID.alias("own"), CREATOR_GRID.alias("other")
    peers = sa.select(CREATORS.c.creator_id).join(CREATOR_LABELS, labels.creator_id == CREATORS.c.creator_id)
    peers = peers.where(labels.kind == "category", labels.value == category, CREATORS.c.tier == tier)
    peers = peers.where(CREATORS.c.creator_id != creator_id).order_by(CREATORS.c.creator_id).limit(PEERS_LIMIT)
    same = sa.and_(*(own.c[name] == other.c[name] for name in CELL))
    counted = []
    for name in COMPARED:
        both = own.c[name].is_not(None) & other.c[name].is_not(None)
        counted.append(sa.func.sum(sa.case((both, 1), else_=0)).label(f"{name}_peers"))
        counted.append(sa.func.sum(sa.case((both & (other.c[name] < own.c[name]), 1), else_=0)).label(f"{name}_below"))
    cells = [own.c[name] for name in CELL]
    query = sa.select(*cells, *counted).select_from(own.join(other, same))
    wanted = (own.c.creator_id == creator_id) & (own.c.purpose != "reported")
    return query.where(wanted, other.c.creator_id.in_(peers)).group_by(*cells)


def _place(row: Mapping[str, Any]) -> Place:
    peers = {name: int(row[f"{name}_peers"]) for name in COMPARED}
    enough = [name for name in COMPARED if peers[name] >= LEAST_PEERS]
    return Place({name: peers[name] for name in enough}, {name: int(row[f"{name}_below"]) for name in enough})
