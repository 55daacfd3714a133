"""Criteria as SQL over the read models, and the keyset order of pages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.adapters.schema import in_texts
from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from kernel.processors.access import may_read
from kernel.processors.keyset import Keyset
from services.discovery.domain.criteria import (
    COSTS,
    Criteria,
    Filter,
    LabelFilter,
    Order,
    RangeFilter,
    ShareFilter,
    WorkedFor,
)
from services.discovery.domain.rate_card import Format
from services.discovery.search.fields import FIELDS, PURPOSES, UNIT_COSTS
from services.discovery.search.words import normal
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.creators import CREATOR_PRICES, CREATORS
from services.discovery.tables.measured import CREATOR_GRID
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_WORK

Clause = sa.ColumnElement[bool]
FOLDED = ("tags", "locations")
"""Labels that are free texts."""


def price_at(at: datetime) -> sa.ColumnElement[int]:
    """The price in force: from its date on the next one."""
    prices = CREATOR_PRICES.c
    return sa.case((prices.next_from <= at, prices.next_minor), else_=prices.price_minor)


def matching(criteria: Criteria, at: datetime, found: set[str] | None, actor: Actor) -> sa.Select[Any]:
    """`(creator_id, sort_key)` of every creator that matches; `found` are those that the text index names."""
    source: sa.FromClause = CREATORS
    if criteria.format is not None:
        source = CREATORS.join(CREATOR_PRICES, CREATOR_PRICES.c.creator_id == CREATORS.c.creator_id)
    key, source = _sorted(criteria, at, source)
    clauses = [may_read(CREATORS, actor), ~CREATORS.c.suspended | (CREATORS.c.suspended_until <= at)]
    clauses += [_clause(one, criteria, at) for one in criteria.asked()]
    clauses += [*_priced(criteria, at), *_unwanted(criteria, at, actor)]
    if criteria.order.field not in ("followers", "registered_at"):
        clauses.append(key.is_not(None))
    if found is not None:
        clauses.append(in_texts(CREATORS.c.creator_id, found))
    return sa.select(CREATORS.c.creator_id, key.label("sort_key")).select_from(source).where(*clauses)


def ordered(matched: sa.Select[Any], order: Order) -> tuple[sa.Select[Any], Keyset]:
    """The matching creators as a query, and the order of their pages: ties go by creator id, always upwards."""
    rows = matched.subquery("matched")
    return sa.select(rows), Keyset(rows.c.sort_key, rows.c.creator_id, falling=(order.falling, False))


def _sorted(criteria: Criteria, at: datetime, source: sa.FromClause) -> tuple[Any, sa.FromClause]:
    """The sort key, and what it is read from."""
    name = criteria.order.field
    if name in ("followers", "registered_at"):
        return CREATORS.c[name], source
    if name == "price":
        return price_at(at), source
    if name in COSTS:
        per = _pieces(criteria.format, name)
        return _cost(name, at, per), source.join(per, per.c.creator_id == CREATORS.c.creator_id)
    if name not in FIELDS or not FIELDS[name].sortable:
        raise Invalid("search.order_unknown", field="order_by", value=name[:60], expected="a field to sort by")
    rows = FIELDS[name].select(at).subquery("sorted")
    return rows.c.value, source.join(rows, rows.c.creator_id == CREATORS.c.creator_id)


def _pieces(kind: Format | None, name: str) -> sa.Subquery:
    """What a piece of a format brings, by creator: of paid work, else of own posts, else as reported, over 30 days."""
    grid, column = CREATOR_GRID.c, CREATOR_GRID.c[UNIT_COSTS[name][0]]
    each = [sa.func.max(sa.case((grid.purpose == purpose, column))) for purpose in PURPOSES]
    cell = (grid.format == (kind.value if kind else ""), grid.window_days == 30, grid.traffic == "all")
    some = sa.func.nullif(sa.func.coalesce(*each), 0, type_=sa.BigInteger)
    brought = sa.select(grid.creator_id, some.label("value"))
    return brought.where(*cell).group_by(grid.creator_id).subquery("pieces")


def _cost(name: str, at: datetime, per: sa.Subquery) -> Any:
    """Minor units for so many of it, rounded down."""
    return price_at(at) * UNIT_COSTS[name][1] // per.c.value


def unit_costs(name: str, criteria: Criteria, at: datetime) -> sa.Select[Any]:
    """`(creator_id, value)` for the format and the currency of criteria."""
    per = _pieces(criteria.format, name)
    costs = sa.select(CREATOR_PRICES.c.creator_id, _cost(name, at, per).label("value"))
    joined = costs.join_from(CREATOR_PRICES, per, per.c.creator_id == CREATOR_PRICES.c.creator_id)
    return joined.where(*_priced(criteria, at))


def _clause(one: Filter, criteria: Criteria, at: datetime) -> Clause:
    if not isinstance(one, ShareFilter) and FIELDS[one.field].rows(at) is CREATORS and one.field not in COSTS:
        asked = sa.and_(*_own(one))
        return sa.not_(sa.func.coalesce(asked, sa.false())) if one.negated else asked
    named = CREATORS.c.creator_id.in_(_having(one, criteria, at))
    return sa.not_(named) if one.negated else named


def _own(one: LabelFilter | RangeFilter) -> Iterable[Clause]:
    """A filter of the creator's own row, which an index of it may serve."""
    column = CREATORS.c[FIELDS[one.field].value]
    return [column.in_(sorted(set(one.values)))] if isinstance(one, LabelFilter) else _within(column, one)


def _having(one: Filter, criteria: Criteria, at: datetime) -> sa.Select[Any]:
    """The ids of those that match a filter."""
    match one:
        case LabelFilter():
            return _labelled(one, at)
        case RangeFilter() if one.field in COSTS:
            costs = unit_costs(one.field, criteria, at).subquery("costs")
            return sa.select(costs.c.creator_id).where(*_within(costs.c.value, one))
        case RangeFilter():
            field, query = FIELDS[one.field], FIELDS[one.field].select(at)
            if one.currency:
                query = query.where(field.rows(at).c.currency == one.currency)
            rows = query.subquery("numbers")
            return sa.select(rows.c.creator_id).where(*_within(rows.c.value, one))
        case ShareFilter():
            return _reaching(one)


def _labelled(one: LabelFilter, at: datetime) -> sa.Select[Any]:
    wanted = sorted({normal(value) for value in one.values} if one.field in FOLDED else set(one.values))
    field = FIELDS[one.field]
    rows = field.rows(at)
    narrowed = [rows.c[name] == value for name, value in field.where.items()]
    asked = rows.c[field.value].in_(wanted) if field.value else sa.true()
    return sa.select(rows.c.creator_id).where(*narrowed, asked)


def _within(value: Any, one: RangeFilter) -> Iterable[Clause]:
    if one.low is not None:
        yield value >= one.low
    if one.high is not None:
        yield value <= one.high


def _reaching(one: ShareFilter) -> sa.Select[Any]:
    shares = CREATOR_SHARES.c
    weights = {normal(value): weight for value, weight in one.weights}
    weighted = sa.case(*((shares.value == value, weight) for value, weight in weights.items()), else_=0)
    named = sa.select(shares.creator_id).where(
        shares.population == one.population, shares.dimension == one.dimension, shares.value.in_(list(weights))
    )
    return named.group_by(shares.creator_id).having(
        sa.func.sum(shares.share_bps * weighted) >= one.minimum_bps * THOUSANDTHS
    )


THOUSANDTHS = 1_000


def _priced(criteria: Criteria, at: datetime) -> Iterable[Clause]:
    if criteria.format is not None:
        yield CREATOR_PRICES.c.format == criteria.format.value
        yield from affordable(criteria, at)


def affordable(criteria: Criteria, at: datetime) -> Iterable[Clause]:
    """What criteria ask of a price row beyond its format."""
    if criteria.currency:
        yield CREATOR_PRICES.c.currency == criteria.currency
    if criteria.price_min_minor:
        yield price_at(at) >= criteria.price_min_minor
    if criteria.price_max_minor:
        yield price_at(at) <= criteria.price_max_minor


def excluded(criteria: Criteria, at: datetime, actor: Actor) -> Iterable[sa.Select[Any]]:
    """The ids of those whom the caller does not want for what they do or did."""
    work = CREATOR_WORK.c
    if criteria.exclude_campaign_id:
        asked = sa.select(work.creator_id).where(work.campaign_id == criteria.exclude_campaign_id)
        yield asked.where(may_read(CREATOR_WORK, actor))
    if criteria.exclude_invited:
        yield sa.select(work.creator_id).where(work.brand_id == actor.tenant, may_read(CREATOR_WORK, actor))
    if criteria.exclude_worked_for is not None:
        yield _worked_for(criteria.exclude_worked_for, at)


def _worked_for(asked: WorkedFor, at: datetime) -> sa.Select[Any]:
    brands = CREATOR_BRANDS.c
    for_them = brands.brand_id.in_(asked.brands) | brands.industry.in_(asked.industries)
    return sa.select(brands.creator_id).where(for_them, brands.contracted_at >= at - timedelta(days=asked.days))


def _unwanted(criteria: Criteria, at: datetime, actor: Actor) -> Iterable[Clause]:
    return (CREATORS.c.creator_id.not_in(ids) for ids in excluded(criteria, at, actor))
