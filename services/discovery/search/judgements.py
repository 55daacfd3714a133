"""Judgements of creators as they stand, one and in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset
from services.discovery.domain.authenticity.commands import Holds
from services.discovery.domain.authenticity.events import AuthenticityAssessed
from services.discovery.domain.authenticity.standing import Standing
from services.discovery.tables.authenticity import AUTHENTICITY
from services.discovery.tables.creators import CREATORS

SERVICE = "discovery"
WORKERS = ("reviewer", "operator", "auditor")
"""Who sees the work list, appeals and who would lift what."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`assessed` None: never judged. Times are UTC, None where it did not happen."""

    creator_id: str
    assessed: AuthenticityAssessed | None = None
    standing: str = ""
    holds: Holds = Holds.NOTHING
    assessed_at: datetime | None = None
    statement: str = ""
    appealed_at: datetime | None = None
    proposed_by: str = ""
    proposed_reason: str = ""
    verdict: str = ""
    ruling_reason: str = ""
    ruled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JudgementPage:
    judgements: tuple[Judgement, ...]
    after: Cursor | None


async def judgement(database: Database, creator_id: str, actor: Actor) -> Judgement:
    """As the actor may see it; raises NotFound `creator.not_found`, Invalid `id.malformed`."""
    checked_id(creator_id)
    async with reading_as(database, SERVICE, actor) as connection:
        known = sa.select(CREATORS.c.creator_id).where(CREATORS.c.creator_id == creator_id, may_read(CREATORS, actor))
        if (await connection.execute(known)).first() is None:
            raise NotFound("creator.not_found")
        query = sa.select(AUTHENTICITY).where(AUTHENTICITY.c.creator_id == creator_id, may_read(AUTHENTICITY, actor))
        row = (await connection.execute(query)).mappings().first()
    return _judgement(row, actor) if row else Judgement(creator_id)


async def judgements(
    database: Database, standings: Sequence[Standing], appealed: bool, after: Cursor | None, size: int, actor: Actor,
    falling: bool = False,
) -> JudgementPage:  # fmt: skip
    """One page by score; for reviewers, operators and auditors."""
    actor.require(*WORKERS)
    table, wanted = AUTHENTICITY.c, standings or (Standing.WATCH, Standing.FRAUD)
    query = sa.select(AUTHENTICITY).where(
        table.standing.in_([one.value for one in wanted]), may_read(AUTHENTICITY, actor)
    )
    if appealed:
        query = query.where(table.appealed_at.is_not(None))
    async with reading_as(database, SERVICE, actor) as connection:
        page = await Keyset(table.score, table.creator_id, falling=falling).read(connection, query, after, size)
    return JudgementPage(tuple(_judgement(row, actor) for row in page.rows), page.next)


def _judgement(row: object, actor: Actor) -> Judgement:
    """The statement, the ruling's reason and held payouts are for the creator and staff, the proposal for staff alone."""
    told = dict(row)  # type: ignore[call-overload]
    names = Judgement.__dataclass_fields__.keys() - {"assessed", "holds"}
    found = Judgement(
        assessed=adapter(AuthenticityAssessed).validate_json(told["assessed"]),
        holds=Holds(told["holds"]),
        **{name: told[name] for name in names},
    )
    staff = not actor.roles.isdisjoint(WORKERS)
    if not staff:
        found = replace(found, proposed_by="", proposed_reason="")
    trusted = staff or actor.tenant == found.creator_id
    holds = found.holds if trusted or "finance" in actor.roles else _seen(found.holds)
    return replace(found, holds=holds) if trusted else replace(found, holds=holds, statement="", ruling_reason="")


def _seen(holds: Holds) -> Holds:
    """What a stranger sees: whether the creator gets paid is nobody else's business."""
    return Holds.OFFERS if holds.offers else Holds.NOTHING
