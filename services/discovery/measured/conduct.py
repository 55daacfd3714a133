"""How a creator works with brands: rates over a window, each with the counts it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.discovery.tables.measured import CREATOR_CONDUCT

WINDOW_DAYS = 365


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole`; without a whole there is no rate."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of WINDOW_DAYS before `until`. `replies`: invitations answered within 48 hours, of those answered or run out; `on_time`:
    deliverables published before their clock ran out, of those published or run out; `revisions`: requests by deliverables
    published (more than one each counts more than once); `cancellations` by the creator and `disputes`: by contracts."""

    since: datetime
    until: datetime
    replies: Rate
    on_time: Rate
    revisions: Rate
    cancellations: Rate
    disputes: Rate
    findings: int


def counts(since: datetime) -> sa.Select[tuple[str, str, int, int, int, int]]:
    """For each creator and fact since the moment: rows, rows that are decided, good ones, and the sum of amounts."""
    conduct = CREATOR_CONDUCT.c
    decided = sa.func.count(conduct.good)
    good = sa.func.coalesce(sa.func.sum(sa.case((conduct.good.is_(True), 1), else_=0)), 0)
    columns = (sa.func.count().label("rows"), decided.label("decided"), good.label("good"))
    query = sa.select(conduct.creator_id, conduct.fact, *columns, sa.func.sum(conduct.amount).label("amount"))
    return query.where(conduct.at >= since, conduct.amount > 0).group_by(conduct.creator_id, conduct.fact)


async def reliability(connection: AsyncConnection, creators: Sequence[str], at: datetime) -> dict[str, Reliability]:
    """Of each creator, also of those of whom nothing is known."""
    since = at - timedelta(days=WINDOW_DAYS)
    found: dict[str, dict[str, Mapping[str, int]]] = {creator_id: {} for creator_id in creators}
    query = counts(since).where(CREATOR_CONDUCT.c.creator_id.in_(creators))
    for row in (await connection.execute(query)).mappings():
        found[row["creator_id"]][row["fact"]] = {name: int(row[name]) for name in ("rows", "decided", "good", "amount")}
    return {creator_id: _reliability(facts, since, at) for creator_id, facts in found.items()}


def _reliability(facts: Mapping[str, Mapping[str, int]], since: datetime, until: datetime) -> Reliability:
    def count(fact: str, name: str = "rows") -> int:
        return facts.get(fact, {}).get(name, 0)

    contracts = count("contract")
    return Reliability(
        since=since,
        until=until,
        replies=Rate(count("reply", "good"), count("reply", "decided")),
        on_time=Rate(count("delivery", "good"), count("delivery", "decided")),
        revisions=Rate(count("revision"), count("delivery", "good")),
        cancellations=Rate(count("cancelled"), contracts),
        disputes=Rate(count("dispute"), contracts),
        findings=count("finding", "amount"),
    )
