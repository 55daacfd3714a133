"""Filters against the table of fields. A value in another unit than its field's is refused, never converted."""

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, checked_currency
from services.discovery.domain.checks import COUNT_LIMIT, checked_text
from services.discovery.domain.criteria import (
    COSTS,
    VALUES_LIMIT,
    Criteria,
    Filter,
    LabelFilter,
    RangeFilter,
    ShareFilter,
    checked_criteria,
)
from services.discovery.search.fields import FIELDS, Field, Kind

FILTERS_LIMIT = 40
LABEL_CHARS = 100
UNBOUNDED = ("followers", "registered_at", "price", *COSTS)
"""Orders that need no field of the table to be asked for."""
EXPECTED = {
    Kind.LABEL: "labels",
    Kind.FLAG: "flag",
    Kind.COUNT: "counts: whole numbers",
    Kind.RATIO: "ratios: parts of one, 0.35 and neither 35 percent nor 3500 basis points",
    Kind.AMOUNT: "amounts: minor units with a currency",
    Kind.COST: "amounts: minor units with a currency",
    Kind.SHARES: "shares: labels with weights and a minimum",
}


def checked_search(criteria: Criteria) -> Criteria:
    """The same criteria; raises Invalid naming the field and the rule it breaks."""
    if len(criteria.filters) > FILTERS_LIMIT:
        raise Invalid("search.too_many_values", field="filters", limit=FILTERS_LIMIT)
    for one in criteria.filters:
        _check(one)
        if isinstance(one, RangeFilter) and one.field in COSTS and one.currency != criteria.currency:
            raise Invalid("search.price_incomplete", field=one.field, needs="format, and its currency in both")
    order = criteria.order.field
    if order not in UNBOUNDED and not (order in FIELDS and FIELDS[order].sortable):
        raise Invalid(
            "search.order_unknown", field="order_by", value=str(criteria.order)[:60], expected="a field to sort by"
        )
    return checked_criteria(criteria)


def field_of(name: str, *kinds: Kind) -> Field:
    """The field of that name, asked for in one of these ways; raises Invalid `search.field_unknown`, `search.wrong_unit`."""
    field = FIELDS.get(name)
    if field is None:
        raise Invalid("search.field_unknown", field=name[:60])
    if field.kind not in kinds:
        raise Invalid("search.wrong_unit", field=name, expected=EXPECTED[field.kind])
    return field


def _check(one: Filter) -> None:
    match one:
        case LabelFilter(field=name, values=values):
            field_of(name, Kind.LABEL, Kind.FLAG)
            _check_labels(name, values)
        case ShareFilter():
            name = f"audience.{one.population}.{one.dimension}"
            field_of(name, Kind.SHARES)
            _check_labels(name, tuple(value for value, _ in one.weights))
            if not 0 < one.minimum_bps <= BASIS_POINTS:
                raise Invalid("search.ratio_out_of_range", field=name, expected=EXPECTED[Kind.RATIO])
            if any(not 0 < weight <= 1_000 for _, weight in one.weights):
                raise Invalid("search.ratio_out_of_range", field=f"{name}.weight", expected=EXPECTED[Kind.RATIO])
        case RangeFilter():
            _check_range(one, FIELDS[one.field])


def _check_labels(name: str, values: tuple[str, ...]) -> None:
    if not values:
        raise Invalid("search.filter_empty", field=name, needs="a value")
    if len(values) > VALUES_LIMIT:
        raise Invalid("search.too_many_values", field=name, limit=VALUES_LIMIT)
    if len(set(values)) < len(values):
        raise Invalid("search.value_repeated", field=name)
    for value in values:
        checked_text(name, value, LABEL_CHARS)


def _check_range(one: RangeFilter, field: Field) -> None:
    if one.low is None and one.high is None:
        raise Invalid("search.filter_empty", field=one.field, needs="a bound")
    highest = {Kind.RATIO: 10 * field.whole, Kind.COUNT: COUNT_LIMIT}.get(field.kind, LIMIT_MINOR)
    if any(bound is not None and not field.lowest <= bound <= highest for bound in (one.low, one.high)):
        raise Invalid("search.bound_out_of_range", field=one.field, limit=highest // field.whole)
    if one.low is not None and one.high is not None and one.low > one.high:
        raise Invalid("search.range_empty", field=one.field, low=one.low, high=one.high)
    if field.kind in (Kind.AMOUNT, Kind.COST):
        checked_currency(one.currency)
