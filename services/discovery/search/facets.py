"""Facets: how many of the creators that match have each value of a filter. Its own values are left out while it is counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from services.discovery.domain.criteria import COSTS, MOST_FOLLOWERS, NAMED, Criteria, ShareFilter
from services.discovery.search.fields import FIELDS
from services.discovery.search.query import affordable, matching
from services.discovery.tables.creators import CREATOR_PRICES

VALUES_LIMIT = 50
FORMAT = "format"
USUAL = ("categories", "languages", "locations", "platforms", "tags", "tiers", "availability", FORMAT)
"""What is counted where a question names no facets."""
KNOWN = (*(one.name for one in FIELDS.values() if one.faceted), FORMAT)


@dataclass(frozen=True, slots=True)
class Facet:
    """Values with their number of creators, most first."""

    filter: str
    values: tuple[tuple[str, int], ...]


def checked_facets(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once, or the usual ones for none; raises Invalid `search.facet_unknown`."""
    for name in names:
        if name not in KNOWN:
            raise Invalid("search.facet_unknown", field="facets", value=name[:60])
    return tuple(dict.fromkeys(names)) or USUAL


async def facets(
    connection: AsyncConnection,
    criteria: Criteria,
    at: datetime,
    found: set[str] | None,
    actor: Actor,
    names: Sequence[str] = USUAL,
) -> list[Facet]:
    """One query a filter. `found` are the creators that the text index names, None for all."""

    def among(asked: Criteria) -> sa.Subquery:
        return matching(asked, at, found, actor).subquery("matched")

    plain = replace(criteria, order=MOST_FOLLOWERS)
    return [
        Facet(name, tuple((str(value), count) for value, count in await connection.execute(query)))
        for name, query in _queries(plain, at, among, names)
    ]


def _queries(
    criteria: Criteria, at: datetime, among: Callable[[Criteria], sa.Subquery], names: Sequence[str]
) -> Iterator[tuple[str, sa.Select[tuple[Any, int]]]]:
    prices = CREATOR_PRICES.c
    for name in names:
        if name == FORMAT:
            sellers = among(_without(criteria, name))
            yield name, _counted(prices.format, prices.creator_id, sellers).where(*affordable(criteria, at))
            continue
        rows = FIELDS[name].select(at).subquery("rows")
        yield name, _counted(rows.c.value, rows.c.creator_id, among(_without(criteria, name))).where(rows.c.value != "")


def _without(criteria: Criteria, name: str) -> Criteria:
    """The criteria without what they ask of one field. A unit cost is of a format: it goes with the format."""
    costs = COSTS if name == FORMAT else ()
    kept = tuple(one for one in criteria.filters if isinstance(one, ShareFilter) or one.field not in (name, *costs))
    own: dict[str, Any] = {name: ()} if name in NAMED else {name: None} if name in ("availability", FORMAT) else {}
    return replace(criteria, filters=kept, **own)


def _counted(value: Any, creator: Any, matched: sa.Subquery) -> sa.Select[tuple[Any, int]]:
    """The most frequent values among the creators that match."""
    count = sa.func.count(creator.distinct()).label("creators")
    query = sa.select(value, count).where(creator.in_(sa.select(matched.c.creator_id)))
    return query.group_by(value).order_by(count.desc(), value).limit(VALUES_LIMIT)
