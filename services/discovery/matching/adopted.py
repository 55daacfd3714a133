"""Weights of a match as the platform adopted them: those in force, and all versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.discovery.domain.match_weights.commands import PartWeight
from services.discovery.domain.match_weights.match_weights import OWN, WHOLE_MICROS
from services.discovery.matching.matcher import SERVICE
from services.discovery.tables.match_weights import MATCH_WEIGHTS

BY = ("version desc", "version")
"""What `order_by` may name; the first is the default."""


@dataclass(frozen=True, slots=True)
class InForce:
    """Weights by part, 0..1; version 0, since None: what the platform came with."""

    version: int
    since: datetime | None
    weights: Mapping[str, float]


def shares(weights: tuple[PartWeight, ...]) -> dict[str, float]:
    return {one.part: one.micros / WHOLE_MICROS for one in weights}


CAME_WITH = InForce(0, None, shares(OWN))


async def in_force(database: Database) -> InForce:
    """The newest version; everybody's matches count by it."""
    weights = MATCH_WEIGHTS.c
    query = sa.select(weights.version, weights.since, weights.weights).order_by(weights.version.desc()).limit(1)
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    if row is None:
        return CAME_WITH
    return InForce(row.version, row.since, shares(adapter(tuple[PartWeight, ...]).validate_json(row.weights)))


async def versions(database: Database, falling: bool, after: Cursor | None, size: int, actor: Actor) -> Page:
    """Rows of MATCH_WEIGHTS."""
    query = sa.select(MATCH_WEIGHTS).where(may_read(MATCH_WEIGHTS, actor))
    async with reading_as(database, SERVICE, actor) as connection:
        return await Keyset(MATCH_WEIGHTS.c.version, falling=falling).read(connection, query, after, size)
