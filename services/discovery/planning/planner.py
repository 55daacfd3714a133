"""The mix planner over the read models: candidates of a search, and the plan made beside the event loop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.mix import MixAsked
from services.discovery.planning.candidates import Seen, sorted_out
from services.discovery.planning.desk import Desk
from services.discovery.planning.forecast import Known
from services.discovery.planning.plan import Plan, plan
from services.discovery.planning.portraits import Portrait, Portraits
from services.discovery.search.query import matching
from services.discovery.tables.creators import CREATORS

CANDIDATES_LIMIT = 10_000
SERVICE = "discovery"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and how many creators the search found in all: no more than CANDIDATES_LIMIT of them were considered."""

    plan: Plan
    found: int


@dataclass(frozen=True, slots=True)
class Planner:
    """Reads as the caller who asks."""

    database: Database
    portraits: Portraits
    desk: Desk = field(default_factory=Desk)

    async def plan(
        self,
        asked: MixAsked,
        criteria: Criteria,
        found: set[str] | None,
        at: datetime,
        actor: Actor,
        with_frontier: bool,
    ) -> Planned:
        """Of checked criteria and a checked question; `found` are those that the text index names, None for all.

        Raises Invalid `mix.nobody_matches`, Exhausted `mix.too_many_at_once`, Unavailable `mix.not_solved`.
        """
        async with reading_as(self.database, SERVICE, actor) as connection:
            matched = matching(criteria, at, found, actor).subquery("matched")
            total = (await connection.execute(sa.select(sa.func.count()).select_from(matched))).scalar_one()
            first = sa.select(matched.c.creator_id).order_by(matched.c.sort_key.desc(), matched.c.creator_id)
            ids = list((await connection.execute(first.limit(CANDIDATES_LIMIT))).scalars())
            wanted = list(dict.fromkeys(asked.must))
            seen = sa.select(CREATORS.c.creator_id).where(CREATORS.c.creator_id.in_(wanted), may_read(CREATORS, actor))
            known = set(ids)
            ids += [one for one in (await connection.execute(seen)).scalars() if one not in known]
            if not ids:
                raise Invalid("mix.nobody_matches", field="search")
            portraits = await self.portraits.read(connection, ids, actor)

        def work() -> Plan:
            return plan(asked, *sorted_out(asked, _seen(portraits), at), with_frontier)

        return Planned(await self.desk.run(actor.tenant, work), total)


def _seen(portraits: Sequence[Portrait]) -> list[Seen]:
    return [
        Seen(
            Known(one.creator_id, one.state, one.records["settled"], one.records["orders"]),
            one.authenticity,
            one.brands,
        )
        for one in portraits
    ]
