"""Criteria as questions to the index: field by field what search/query.py says in SQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from kernel.edge.page_tokens import Cursor
from services.discovery.domain.criteria import COSTS, Criteria, Filter, LabelFilter, RangeFilter, ShareFilter
from services.discovery.search.fields import FIELDS, UNIT_COSTS, Kind
from services.discovery.search.following.loading import SELLING
from services.discovery.search.index import questions as index
from services.discovery.search.query import FOLDED, THOUSANDTHS
from services.discovery.search.words import asked, normal

NOBODY = index.Among(frozenset())
Named = tuple[str, index.Filter]


def question(
    criteria: Criteria, at: datetime, size: int, after: Cursor | None = None, excluded: Iterable[str] = ()
) -> index.Question:
    """The page of checked criteria at a moment; `excluded` are creators whom the caller does not want."""
    found = [one for _, one in named(criteria, at, excluded)]
    return index.Question(found, _order(criteria), at.timestamp(), size, _behind(criteria, after))


def named(criteria: Criteria, at: datetime, excluded: Iterable[str] = ()) -> list[Named]:
    """Every filter with the name of its field."""
    free = index.Within(index.Column("free_from"), float(np.nextafter(at.timestamp(), np.inf)), negated=True)
    made: list[Named] = [
        ("", free),
        *((_name(one), _filter(one, criteria)) for one in criteria.asked()),
    ]
    if criteria.text.strip():
        parts = tuple(asked(criteria.text))
        made.append(("text", index.Says(parts) if parts else NOBODY))
    if criteria.format is not None:
        made.append(("format", _sells(criteria)))
    if gone := frozenset(excluded):
        made.append(("", index.Among(gone, negated=True)))
    return made


def _name(one: Filter) -> str:
    return "" if isinstance(one, ShareFilter) else one.field


def _sells(criteria: Criteria, kind: str = "") -> index.Filter:
    """Sells the format, for an amount within the bounds where a currency is named."""
    wanted = kind or (criteria.format.value if criteria.format else "")
    if not criteria.currency:
        return index.AnyOf(SELLING, (wanted,))
    return index.Within(
        price(wanted, criteria.currency), criteria.price_min_minor or None, criteria.price_max_minor or None
    )


def price(kind: str, currency: str) -> index.Price:
    return index.Price(f"price.{kind}.{currency}", f"price_next.{kind}.{currency}", f"price_since.{kind}.{currency}")


def _filter(one: Filter, criteria: Criteria) -> index.Filter:
    match one:
        case LabelFilter():
            values = tuple(map(normal, one.values)) if one.field in FOLDED else one.values
            return index.AnyOf(one.field, values, one.negated)
        case RangeFilter():
            return index.Within(_bounded(one, criteria), one.low, one.high, one.negated)
        case ShareFilter():
            prefix = f"audience.{one.population}.{one.dimension}"
            weights = tuple({f"{prefix}.{normal(value)}": float(weight) for value, weight in one.weights}.items())
            return index.Within(index.Blend(weights), one.minimum_bps * THOUSANDTHS, None, one.negated)


def _bounded(one: RangeFilter, criteria: Criteria) -> index.Measure:
    """An amount of another currency is unknown."""
    if one.field in FIELDS and FIELDS[one.field].kind is Kind.AMOUNT:
        return index.Column(f"{one.field}.{one.currency}")
    return _measure(one.field, criteria)


def _measure(field: str, criteria: Criteria) -> index.Measure:
    kind = criteria.format.value if criteria.format else ""
    if field == "price":
        return price(kind, criteria.currency)
    if field in COSTS:
        figure, pieces = UNIT_COSTS[field]
        return index.UnitCost(price(kind, criteria.currency), f"per.{figure}.{kind}", float(pieces))
    return index.Column(field)


def _order(criteria: Criteria) -> index.Order:
    return index.Order(_measure(criteria.order.field, criteria), criteria.order.falling)


def _behind(criteria: Criteria, after: Cursor | None) -> index.Behind | None:
    """Where a page ended, as either engine's cursor says it: times as text."""
    if after is None:
        return None
    value, creator_id = after
    moment = criteria.order.field == "registered_at"
    return index.Behind(
        datetime.fromisoformat(str(value)).timestamp() if moment else float(str(value)), str(creator_id)
    )


def cursor(criteria: Criteria, value: float, creator_id: str) -> Cursor:
    """Where a page ends, as kernel.processors.keyset says it."""
    if criteria.order.field == "registered_at":
        return (datetime.fromtimestamp(value, UTC).isoformat(), creator_id)
    return (int(value), creator_id)


def counted(criteria: Criteria, at: datetime, excluded: Sequence[str], columns: Sequence[str]) -> index.Question:
    """The facets of these label columns, each with its own filters left out; no hits."""
    filters = named(criteria, at, excluded)
    facets = [
        index.Facet(column, tuple(place for place, (name, _) in enumerate(filters) if name == column))
        for column in columns
    ]
    return index.Question([one for _, one in filters], _order(criteria), at.timestamp(), 1, facets=facets)


def sellers(criteria: Criteria, at: datetime, excluded: Sequence[str], kinds: Sequence[str]) -> list[index.Question]:
    """For each format: who sells it for what is asked, whatever format the criteria name."""
    others = [one for name, one in named(criteria, at, excluded) if name not in ("format", *COSTS)]
    order = index.Order(index.Column("followers"))
    return [index.Question([*others, _sells(criteria, kind)], order, at.timestamp(), 1) for kind in kinds]
