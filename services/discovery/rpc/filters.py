"""Filters of a request as criteria, and what met them as messages. A ratio is kept in the whole units of its field."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import filters_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS
from services.discovery.domain.criteria import Filter, LabelFilter, RangeFilter, ShareFilter, WorkedFor
from services.discovery.domain.rate_card import Format
from services.discovery.search.asked.checking import EXPECTED, field_of
from services.discovery.search.asked.matches import Match, Met
from services.discovery.search.fields import FIELDS, Kind

YES = ("yes",)
MASK_LIMIT = 100
RATIO_HIGHEST = 10.0
"""An account may gain ten times its followers; engagements may be more than reads."""


def filters_of(asked: Sequence[pb.Filter]) -> tuple[Filter, ...]:
    """Raises Invalid for a field that there is not, a value in another unit, a filter that asks nothing."""
    return tuple(map(_filter, asked))


def worked_for(asked: pb.WorkedFor) -> WorkedFor:
    return WorkedFor(tuple(asked.brand_ids), tuple(asked.industries), asked.days)


def _filter(asked: pb.Filter) -> Filter:
    match asked.WhichOneof("asked"):
        case "labels":
            field_of(asked.field, Kind.LABEL)
            return LabelFilter(asked.field, tuple(asked.labels.values), asked.negated)
        case "flag":
            field_of(asked.field, Kind.FLAG)
            return LabelFilter(asked.field, YES, asked.negated is asked.flag)
        case "counts":
            field_of(asked.field, Kind.COUNT)
            return RangeFilter(asked.field, *_bounds(asked.counts, "min", "max"), asked.negated)
        case "ratios":
            whole = field_of(asked.field, Kind.RATIO).whole
            low, high = (_ratio(asked.field, one, whole) for one in _bounds(asked.ratios, "min", "max"))
            return RangeFilter(asked.field, low, high, asked.negated)
        case "amounts":
            field_of(asked.field, Kind.AMOUNT, Kind.COST)
            bounds = _bounds(asked.amounts, "min_minor", "max_minor")
            return RangeFilter(asked.field, *bounds, asked.negated, asked.amounts.currency)
        case "shares":
            field_of(asked.field, Kind.SHARES)
            return _shares(asked)
        case _:
            expected = EXPECTED[FIELDS[asked.field].kind] if asked.field in FIELDS else "labels"
            raise Invalid("search.filter_empty", field=asked.field[:60], needs=expected)


def _bounds(asked: Message, low: str, high: str) -> tuple[Any, Any]:
    return tuple(getattr(asked, name) if asked.HasField(name) else None for name in (low, high))  # type: ignore[return-value]


def _ratio(field: str, ratio: float | None, whole: int) -> int | None:
    """Refuses what looks like percent or basis points."""
    if ratio is None:
        return None
    if not isfinite(ratio) or not -1 <= ratio <= RATIO_HIGHEST:
        raise Invalid("search.ratio_out_of_range", field=field, expected=EXPECTED[Kind.RATIO])
    return round(ratio * whole)


def _shares(asked: pb.Filter) -> ShareFilter:
    _, population, dimension = asked.field.split(".")
    weights = tuple((one.value, _part(asked.field, one.weight or 1.0, 1_000)) for one in asked.shares.shares)
    return ShareFilter(
        population, dimension, weights, _part(asked.field, asked.shares.min, BASIS_POINTS), asked.negated
    )


def _part(field: str, ratio: float, whole: int) -> int:
    if not 0 <= ratio <= 1:
        raise Invalid("search.ratio_out_of_range", field=field, expected=EXPECTED[Kind.RATIO])
    return round(ratio * whole)


def wire_matches(met: Met) -> Iterable[pb.FilterMatch]:
    return map(_match, met.matches)


def _match(one: Match) -> pb.FilterMatch:
    made = pb.FilterMatch(field=one.field, labels=one.labels, negated=one.negated)
    if one.number is not None:
        field = FIELDS[one.field]
        whole = BASIS_POINTS if field.kind is Kind.SHARES else field.whole
        made.number = one.number / whole
    return made


def wire_price(met: Met, kind: Format | None, at: datetime) -> pb.UsedPrice | None:
    if kind is None or met.price_minor is None:
        return None
    return pb.UsedPrice(
        format=number(common.Format, kind), price_minor=met.price_minor, currency=met.currency, at=stamp(at)
    )


def listed_fields() -> Iterable[pb.SearchField]:
    for one in FIELDS.values():
        kind = number(pb.FieldKind, one.kind)
        yield pb.SearchField(name=one.name, group=one.group, kind=kind, faceted=one.faceted, sortable=one.sortable)


def checked_mask(names: Sequence[str], message: Any) -> FieldMask:
    """Raises Invalid `field_mask.unknown` for a name that the message does not have."""
    mask = FieldMask(paths=names)
    if len(names) > MASK_LIMIT or not mask.IsValidForDescriptor(message.DESCRIPTOR):
        raise Invalid("field_mask.unknown", field="creator_fields", value=",".join(names)[:100])
    return mask


def masked(message: Any, mask: FieldMask) -> Any:
    """The message with the fields of the mask, and its creator's id; all of it for an empty mask."""
    if not mask.paths:
        return message
    made = type(message)(creator_id=message.creator_id)
    mask.MergeMessage(message, made)
    return made
