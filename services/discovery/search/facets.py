"""Facets: how many of the creators that match have each value of a filter. Its own values are left out while it is counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.decider import Actor
from services.discovery.domain.criteria import Criteria, Order
from services.discovery.search.query import affordable, matching
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS

VALUES_LIMIT = 50
LABELS = {
    "categories": "category",
    "languages": "language",
    "locations": "location",
    "platforms": "platform",
    "tags": "tag",
}
"""Filters that labels answer, by the labels' kind."""
COLUMNS: dict[str, tuple[sa.ColumnElement[Any], Callable[[Criteria], Criteria]]] = {
    "tiers": (CREATORS.c.tier, lambda asked: replace(asked, tiers=())),
    "availability": (CREATORS.c.availability, lambda asked: replace(asked, availability=None)),
}
"""Filters that are a column of the creator."""


@dataclass(frozen=True, slots=True)
class Facet:
    """Values with their number of creators, most first."""

    filter: str
    values: tuple[tuple[str, int], ...]


async def facets(
    connection: AsyncConnection, criteria: Criteria, at: datetime, found: set[str] | None, actor: Actor
) -> list[Facet]:
    """One query a filter. `found` are the creators that the text index names, None for all."""

    def among(asked: Criteria) -> sa.Subquery:
        return matching(asked, at, found, actor).subquery("matched")

    plain = replace(criteria, order=Order.MOST_FOLLOWERS)
    return [
        Facet(name, tuple((str(value), count) for value, count in await connection.execute(query)))
        for name, query in _queries(plain, at, among)
    ]


def _queries(
    criteria: Criteria, at: datetime, among: Callable[[Criteria], sa.Subquery]
) -> Iterator[tuple[str, sa.Select[tuple[Any, int]]]]:
    labels, prices = CREATOR_LABELS.c, CREATOR_PRICES.c
    for name, kind in LABELS.items():
        without: dict[str, Any] = {name: ()}
        yield (
            name,
            _counted(labels.value, labels.creator_id, among(replace(criteria, **without))).where(labels.kind == kind),
        )
    for name, (column, lifted) in COLUMNS.items():
        yield name, _counted(column, CREATORS.c.creator_id, among(lifted(criteria))).where(column != "")
    sellers = among(replace(criteria, format=None))
    yield "format", _counted(prices.format, prices.creator_id, sellers).where(*affordable(criteria, at))


def _counted(value: Any, creator: Any, matched: sa.Subquery) -> sa.Select[tuple[Any, int]]:
    """The most frequent values among the creators that match."""
    count = sa.func.count().label("creators")
    query = sa.select(value, count).where(creator.in_(sa.select(matched.c.creator_id)))
    return query.group_by(value).order_by(count.desc(), value).limit(VALUES_LIMIT)
