"""Likeness and match over the read models: who is looked at, with vectors of what they say."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import Personal
from kernel.core.decider import Actor
from kernel.core.faults import Invalid, NotFound, Unavailable
from kernel.core.ids import checked_id
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.categories import FIRST_LEVEL, first_level
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.matching import Brief
from services.discovery.domain.state import State
from services.discovery.matching.encoder import BATCH, Vectors, can_encode
from services.discovery.matching.parts import categories
from services.discovery.matching.similar import SEEDS_LIMIT, Compared, Likeness, most_alike
from services.discovery.matching.suiting import Match, Suitor, best
from services.discovery.planning.portraits import Portrait, Portraits
from services.discovery.search.query import matching
from services.discovery.tables.creators import CREATOR_LABELS, CREATORS

LOOKED_AT = 2_000
"""Creators that one question weighs."""
SERVICE = "discovery"


@dataclass(frozen=True, slots=True)
class Likenesses:
    """Of `looked_at` creators the most alike; of `styled` of them there was a text to compare."""

    found: Sequence[Likeness]
    looked_at: int
    styled: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Of `found` creators that the search finds, `looked_at` were weighed, `styled` of them by their texts."""

    best: Sequence[Match]
    found: int
    looked_at: int
    styled: int


@dataclass(frozen=True, slots=True)
class Matcher:
    """Reads as the caller who asks."""

    database: Database
    personal: Personal
    portraits: Portraits
    vectors: Vectors = field(default_factory=Vectors)
    _waiting: dict[str, Portrait] = field(default_factory=dict)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, stop: asyncio.Event) -> None:
        """Reads the texts that questions left unread, some at a time, until `stop`: the next question then has them."""
        while not stop.is_set():
            self._asked.clear()
            portraits = [self._waiting.pop(one) for one in list(self._waiting)[:BATCH]]
            if not portraits:
                await _either(self._asked, stop)
                continue
            with suppress(Unavailable):
                await self.style(portraits)

    async def similar(self, seeds: Sequence[str], at: datetime, size: int, actor: Actor) -> Likenesses:
        """Of those that share a category with a seed, the nearest in size are compared.

        Raises Invalid `similar.seeds_out_of_range`, `id.malformed`, NotFound `creator.not_found`.
        """
        wanted = [checked_id(one) for one in dict.fromkeys(seeds)]
        if not 1 <= len(wanted) <= SEEDS_LIMIT:
            raise Invalid("similar.seeds_out_of_range", field="creator_ids", limit=SEEDS_LIMIT)
        async with reading_as(self.database, SERVICE, actor) as connection:
            mine = await self._visible(connection, wanted, actor)
            ids = await _neighbours(connection, mine, at, actor)
            others = await self.portraits.read(connection, [one for one in ids if one not in wanted], actor)
        await self.style([*mine, *others])
        ours, theirs = self._compared(mine), self._compared(others)
        found = await asyncio.to_thread(most_alike, ours, theirs, at, size)
        return Likenesses(found, len(others), sum(one.vector is not None for one in theirs))

    async def match(
        self,
        brief: Brief,
        criteria: Criteria,
        named: set[str] | None,
        weights: Mapping[str, float],
        at: datetime,
        size: int,
        actor: Actor,
    ) -> Matches:
        """Of a checked brief and checked criteria; `named` are those that the text index names, None for all."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            matched = matching(criteria, at, named, actor).subquery("matched")
            total = (await connection.execute(sa.select(sa.func.count()).select_from(matched))).scalar_one()
            first = sa.select(matched.c.creator_id).order_by(matched.c.sort_key.desc(), matched.c.creator_id)
            ids = list((await connection.execute(first.limit(LOOKED_AT))).scalars())
            portraits = await self.portraits.read(connection, ids, actor)
        words = await self.vectors.of_text(brief.text)
        if words is not None:
            await self.style(portraits)
        suitors = [Suitor(one, self.vectors.of(one.creator_id)) for one in portraits]
        found = await asyncio.to_thread(best, brief, words, suitors, weights, at, size)
        styled = sum(one.vector is not None for one in suitors) if words is not None else 0
        return Matches(found, total, len(suitors), styled)

    async def _visible(self, connection: AsyncConnection, ids: Sequence[str], actor: Actor) -> list[Portrait]:
        query = sa.select(CREATORS.c.creator_id).where(CREATORS.c.creator_id.in_(ids), may_read(CREATORS, actor))
        seen = set((await connection.execute(query)).scalars())
        if seen != set(ids):
            raise NotFound("creator.not_found")
        return await self.portraits.read(connection, ids, actor)

    def _compared(self, portraits: Sequence[Portrait]) -> list[Compared]:
        return [Compared(one.creator_id, one.state, self.vectors.of(one.creator_id)) for one in portraits]

    async def style(self, portraits: Sequence[Portrait]) -> None:
        """Vectors of those who have none of this version yet, a bounded number at once."""
        versions = {one.creator_id: one.version for one in portraits}
        states = {one.creator_id: one.state for one in portraits}
        missing = self.vectors.missing(versions)
        if not missing or not can_encode():
            return
        async with self.database.reading() as connection:
            bios = await self.personal.open_many(connection, [(one, "bio") for one in missing])
        await self.vectors.make({one: _said(states[one], bios.get((one, "bio"), "")) for one in missing}, versions)
        left = set(self.vectors.missing(versions))
        if left and len(portraits) > BATCH and len(self._waiting) < LOOKED_AT:
            self._waiting.update({one.creator_id: one for one in portraits if one.creator_id in left})
            self._asked.set()


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(one.wait()) for one in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()


def _said(state: State, bio: str) -> str:
    """What a creator says of itself; nothing of whom was forgotten."""
    profile = state.profile
    if profile is None or state.forgotten:
        return ""
    named = [one.replace("/", " ") for one in profile.categories]
    english = [FIRST_LEVEL.get(first_level(one), "") for one in profile.categories]
    return ". ".join(filter(None, (bio, " ".join(profile.tags), " ".join(named), " ".join(english))))


async def _neighbours(connection: AsyncConnection, seeds: Sequence[Portrait], at: datetime, actor: Actor) -> list[str]:
    """Those who share a category with a seed, the nearest in followers first; all where no seed tells a category."""
    creators, labels = CREATORS.c, CREATOR_LABELS.c
    shared = sorted({first_level(name) for one in seeds for name in categories(one.state)})
    followers = sorted(one.state.largest_followers() for one in seeds)
    middle = followers[len(followers) // 2]
    apart = sa.func.abs(creators.followers - middle)
    query = sa.select(creators.creator_id).where(
        may_read(CREATORS, actor), ~creators.suspended | (creators.suspended_until <= at)
    )
    if shared:
        of_kind = sa.select(labels.creator_id).where(labels.kind == "category", labels.value.in_(shared))
        query = query.where(creators.creator_id.in_(of_kind))
    return list((await connection.execute(query.order_by(apart, creators.creator_id).limit(LOOKED_AT))).scalars())
