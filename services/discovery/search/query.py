"""Criteria as SQL over the read models, and the keyset order of pages."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.adapters.schema import in_texts
from kernel.core.decider import Actor
from kernel.processors.access import may_read
from kernel.processors.keyset import Keyset
from services.discovery.domain.criteria import Criteria, Order
from services.discovery.search.words import normal
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS
from services.discovery.tables.track_records import CREATOR_WORK

Clause = sa.ColumnElement[bool]


def price_at(at: datetime) -> sa.ColumnElement[int]:
    """The price in force: from its date on the next one."""
    prices = CREATOR_PRICES.c
    return sa.case((prices.next_from <= at, prices.next_minor), else_=prices.price_minor)


SORTED: dict[Order, tuple[Callable[[datetime], Any], bool]] = {
    Order.MOST_FOLLOWERS: (lambda _: CREATORS.c.followers, True),
    Order.FEWEST_FOLLOWERS: (lambda _: CREATORS.c.followers, False),
    Order.CHEAPEST: (price_at, False),
    Order.DEAREST: (price_at, True),
    Order.MOST_ENGAGING: (lambda _: CREATORS.c.engagement_rate_bps, True),
    Order.NEWEST: (lambda _: CREATORS.c.registered_at, True),
    Order.OLDEST: (lambda _: CREATORS.c.registered_at, False),
}
"""The sort key of each order, and whether the largest comes first. Ties go by creator id, always upwards."""


def matching(criteria: Criteria, at: datetime, found: set[str] | None, actor: Actor) -> sa.Select[Any]:
    """`(creator_id, sort_key)` of every creator that matches; `found` are those that the text index names."""
    key = SORTED[criteria.order][0](at).label("sort_key")
    source: sa.FromClause = CREATORS
    if criteria.format is not None:
        source = CREATORS.join(CREATOR_PRICES, CREATOR_PRICES.c.creator_id == CREATORS.c.creator_id)
    clauses = [may_read(CREATORS, actor), *_own(criteria, at), *_labelled(criteria), *_priced(criteria, at)]
    if criteria.exclude_campaign_id:
        clauses.append(_uninvited(criteria.exclude_campaign_id, actor))
    if found is not None:
        clauses.append(in_texts(CREATORS.c.creator_id, found))
    return sa.select(CREATORS.c.creator_id, key).select_from(source).where(*clauses)


def ordered(matched: sa.Select[Any], order: Order) -> tuple[sa.Select[Any], Keyset]:
    """The matching creators as a query, and the order of their pages."""
    rows = matched.subquery("matched")
    return sa.select(rows), Keyset(rows.c.sort_key, rows.c.creator_id, falling=(SORTED[order][1], False))


def _own(criteria: Criteria, at: datetime) -> Iterable[Clause]:
    creators = CREATORS.c
    yield ~creators.suspended | (creators.suspended_until <= at)
    if criteria.tiers:
        yield creators.tier.in_([tier.value for tier in criteria.tiers])
    if criteria.followers_min:
        yield creators.followers >= criteria.followers_min
    if criteria.followers_max:
        yield creators.followers <= criteria.followers_max
    if criteria.availability is not None:
        yield creators.availability == criteria.availability.value
    if criteria.engagement_rate_min_bps:
        yield creators.engagement_rate_bps >= criteria.engagement_rate_min_bps
    if criteria.order is Order.MOST_ENGAGING:
        yield creators.engagement_rate_bps.is_not(None)


def _labelled(criteria: Criteria) -> Iterable[Clause]:
    filters: tuple[tuple[str, Iterable[str]], ...] = (
        ("category", criteria.categories),
        ("language", criteria.languages),
        ("location", map(normal, criteria.locations)),
        ("platform", [platform.value for platform in criteria.platforms]),
        ("tag", map(normal, criteria.tags)),
    )
    for kind, values in filters:
        wanted = sorted(set(values))
        if wanted:
            labels = CREATOR_LABELS.c
            named = sa.select(labels.creator_id).where(labels.kind == kind, labels.value.in_(wanted))
            yield CREATORS.c.creator_id.in_(named)


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


def _uninvited(campaign_id: str, actor: Actor) -> Clause:
    work = CREATOR_WORK.c
    known = sa.select(work.creator_id).where(work.campaign_id == campaign_id, may_read(CREATOR_WORK, actor))
    return CREATORS.c.creator_id.not_in(known)
