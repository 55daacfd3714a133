"""What engagement rates the peers of a creator have: the middle nine tenths of its tier and category."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.discovery.tables.creators import CREATOR_LABELS, CREATORS

PEERS = 30
"""Fewer peers make no band."""
OUTSIDE = 20
"""One of so many peers is under the band, and one over it."""


@dataclass(frozen=True, slots=True)
class Band:
    """Engagements by reads of `peers` creators, basis points; `name` is the tier, or tier/category."""

    low_bps: int
    high_bps: int
    peers: int
    name: str


async def band_of(connection: AsyncConnection, creator_id: str, tier: str, categories: Sequence[str]) -> Band | None:
    """Of the first category that has enough peers in the tier, else of the whole tier; the creator itself is left out."""
    whole = (
        (CREATORS.c.tier == tier) & CREATORS.c.engagement_rate_bps.is_not(None) & (CREATORS.c.creator_id != creator_id)
    )
    for category in categories:
        labels = CREATOR_LABELS.c
        named = sa.select(labels.creator_id).where(labels.kind == "category", labels.value == category)
        found = await _band(connection, whole & CREATORS.c.creator_id.in_(named), f"{tier}/{category}")
        if found is not None:
            return found
    return await _band(connection, whole, tier)


async def _band(connection: AsyncConnection, peers: sa.ColumnElement[bool], name: str) -> Band | None:
    count = (await connection.execute(sa.select(sa.func.count()).select_from(CREATORS).where(peers))).scalar_one()
    if count < PEERS:
        return None
    rate, out = CREATORS.c.engagement_rate_bps, count // OUTSIDE
    ordered = sa.select(rate).where(peers)
    low = (await connection.execute(ordered.order_by(rate).offset(out).limit(1))).scalar_one()
    high = (await connection.execute(ordered.order_by(rate.desc()).offset(out).limit(1))).scalar_one()
    return Band(low, high, count, name)
