"""What of a creator each filter met: the labels, the number, the shares, and the price that was used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.discovery.domain.criteria import COSTS, Criteria, Filter, LabelFilter, RangeFilter, ShareFilter
from services.discovery.search.fields import FIELDS
from services.discovery.search.query import FOLDED, price_at, unit_costs
from services.discovery.search.words import normal
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.creators import CREATOR_PRICES

LABELS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Match:
    """A filter's field with the labels it met, or the number in what the field stores. `negated`: it met nothing."""

    field: str
    labels: tuple[str, ...] = ()
    number: int | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """`price_minor` is the price of the format asked for at the search's moment, None where no format was."""

    matches: tuple[Match, ...] = ()
    price_minor: int | None = None
    currency: str = ""


async def met(connection: AsyncConnection, criteria: Criteria, at: datetime, ids: Sequence[str]) -> Mapping[str, Met]:
    """By creator, one query a filter."""
    matches: dict[str, list[Match]] = {one: [] for one in ids}
    for asked in criteria.asked():
        for creator_id, match in (await _met(connection, asked, criteria, at, ids)).items():
            matches[creator_id].append(match)
    prices = await _prices(connection, criteria, at, ids)
    return {one: Met(tuple(matches[one]), *prices.get(one, (None, ""))) for one in ids}


async def _met(
    connection: AsyncConnection, asked: Filter, criteria: Criteria, at: datetime, ids: Sequence[str]
) -> Mapping[str, Match]:
    name = f"audience.{asked.population}.{asked.dimension}" if isinstance(asked, ShareFilter) else asked.field
    if asked.negated:
        return {one: Match(name, negated=True) for one in ids}
    values: dict[str, list[Any]] = {}
    for creator_id, value in await connection.execute(_values(asked, criteria, at, ids)):
        values.setdefault(creator_id, []).append(value)
    if isinstance(asked, LabelFilter):
        return {one: Match(name, tuple(sorted(map(str, held))[:LABELS_LIMIT])) for one, held in values.items()}
    return {one: Match(name, number=int(held[0])) for one, held in values.items()}


def _values(asked: Filter, criteria: Criteria, at: datetime, ids: Sequence[str]) -> sa.Select[Any]:
    match asked:
        case ShareFilter():
            shares, weights = CREATOR_SHARES.c, {normal(value): weight for value, weight in asked.weights}
            weighted = sa.case(*((shares.value == value, weight) for value, weight in weights.items()), else_=0)
            named = sa.select(shares.creator_id, sa.func.sum(shares.share_bps * weighted) // 1_000)
            of = (
                shares.population == asked.population,
                shares.dimension == asked.dimension,
                shares.creator_id.in_(ids),
            )
            return named.where(*of).group_by(shares.creator_id)
        case RangeFilter() if asked.field in COSTS:
            costs = unit_costs(asked.field, criteria, at).subquery("costs")
            return sa.select(costs).where(costs.c.creator_id.in_(ids))
        case _:
            rows = FIELDS[asked.field].select(at).subquery("rows")
            query = sa.select(rows.c.creator_id, rows.c.value).where(rows.c.creator_id.in_(ids)).distinct()
            if isinstance(asked, RangeFilter) or not FIELDS[asked.field].value:
                return query
            wanted = {normal(value) for value in asked.values} if asked.field in FOLDED else set(asked.values)
            return query.where(rows.c.value.in_(sorted(wanted)))


async def _prices(
    connection: AsyncConnection, criteria: Criteria, at: datetime, ids: Sequence[str]
) -> Mapping[str, tuple[int, str]]:
    if criteria.format is None:
        return {}
    prices = CREATOR_PRICES.c
    query = sa.select(prices.creator_id, price_at(at).label("price"), prices.currency)
    found = await connection.execute(query.where(prices.creator_id.in_(ids), prices.format == criteria.format.value))
    return {row.creator_id: (row.price, row.currency) for row in found}
