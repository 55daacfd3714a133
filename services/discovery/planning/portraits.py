"""Creators as the planner, the match and the likeness read them: many at once, decoded once for each version.

A page of a search shows 200 creators; these look at up to 10,000. What was decoded is kept by version, bounded, so that a
second look costs one query of versions. A version that moved is read anew: what is personal goes with its person.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.schema import in_texts
from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.processors.access import may_read
from services.discovery.domain.state import State
from services.discovery.tables.authenticity import AUTHENTICITY
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_RECORDS, RECORDS

KEPT = 50_000
"""About four kilobytes each."""
DECODED_AT_ONCE = 500
READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Portrait:
    """A creator with its counts (tables.RECORDS), the last contract with each brand, and its authenticity.

    `authenticity` is 0..100, None where nobody judged it or the reader may not know.
    """

    creator_id: str
    version: int
    state: State
    records: Mapping[str, int]
    brands: Mapping[str, datetime]
    authenticity: int | None = None


@dataclass(slots=True)
class Portraits:
    """Decoded states of this process, the longest unused go first."""

    _states: OrderedDict[str, tuple[int, State]] = field(default_factory=OrderedDict)

    async def read(self, connection: AsyncConnection, ids: Sequence[str], actor: Actor) -> list[Portrait]:
        """In the order of the ids; who is not there is left out."""
        made: list[Portrait] = []
        for at in range(0, len(ids), READ_AT_ONCE):
            made.extend(await self._page(connection, ids[at : at + READ_AT_ONCE], actor))
        return made

    async def _page(self, connection: AsyncConnection, ids: Sequence[str], actor: Actor) -> list[Portrait]:
        creators, records, brands = CREATORS.c, CREATOR_RECORDS, CREATOR_BRANDS.c
        versions = sa.select(creators.creator_id, creators.version).where(in_texts(creators.creator_id, ids))
        known = {row.creator_id: row.version for row in await connection.execute(versions)}
        await self._fetch(connection, [one for one in known if self._version(one) != known[one]])
        query = sa.select(records).where(in_texts(records.c.creator_id, ids))
        counts = {row["creator_id"]: dict(row) for row in (await connection.execute(query)).mappings()}
        worked: dict[str, dict[str, datetime]] = {}
        contracts = sa.select(brands.creator_id, brands.brand_id, brands.contracted_at)
        for row in await connection.execute(contracts.where(in_texts(brands.creator_id, ids))):
            worked.setdefault(row.creator_id, {})[row.brand_id] = row.contracted_at
        judged = sa.select(AUTHENTICITY.c.creator_id, AUTHENTICITY.c.score)
        scored = judged.where(in_texts(AUTHENTICITY.c.creator_id, ids), may_read(AUTHENTICITY, actor))
        scores = {row.creator_id: row.score for row in await connection.execute(scored)}
        drawn = self._drawn((one for one in ids if one in known), counts, worked)
        return [replace(one, authenticity=scores.get(one.creator_id)) for one in drawn]

    def _drawn(
        self, ids: Iterable[str], counts: Mapping[str, Mapping[str, int]], brands: Mapping[str, Mapping[str, datetime]]
    ) -> Iterable[Portrait]:
        for one in ids:
            version, state = self._states[one]
            self._states.move_to_end(one)
            mine = counts.get(one, {})
            yield Portrait(one, version, state, {name: mine.get(name, 0) for name in RECORDS}, brands.get(one, {}))
        while len(self._states) > KEPT:
            self._states.popitem(last=False)

    def _version(self, creator_id: str) -> int:
        return self._states.get(creator_id, (0, None))[0]

    async def _fetch(self, connection: AsyncConnection, ids: Sequence[str]) -> None:
        creators, decode = CREATORS.c, adapter(State).validate_json
        for at in range(0, len(ids), DECODED_AT_ONCE):
            chunk = ids[at : at + DECODED_AT_ONCE]
            query = sa.select(creators.creator_id, creators.version, creators.state)
            for row in await connection.execute(query.where(in_texts(creators.creator_id, chunk))):
                self._states[row.creator_id] = (row.version, decode(row.state))
            await asyncio.sleep(0)  # other questions have their turn
