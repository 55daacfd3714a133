"""Measures of one segment at a moment: columns, prices in force, unit costs, blends of shares."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns.bits import Docs
from services.discovery.search.index.columns.numbers import Numbers
from services.discovery.search.index.questions import Blend, Column, Measure, Price, UnitCost
from services.discovery.search.index.segment import Segment

KEPT = 24
"""Measures and orders that a segment keeps beside its columns: at most 12 bytes a document each."""


def values(segment: Segment, measure: Measure, at: float, docs: Docs) -> NDArray[np.float64]:
    """The measure of these documents, NaN for none."""
    match measure:
        case Column(name):
            return _column(segment, name, docs)
        case Price():
            return _price(segment, measure, at, docs)
        case UnitCost(price, per, factor):
            return _divided(_price(segment, price, at, docs) * factor, _column(segment, per, docs))
        case Blend(parts):
            return _blended([(_column(segment, name, docs), weight) for name, weight in parts])


def whole(segment: Segment, measure: Measure, at: float) -> Numbers | None:
    """The measure of all documents, kept for the next question; None where no document has it."""
    match measure:
        case Column(name):
            return segment.numbers.get(name)
        case Price(base, _, since):
            return _kept(segment, measure, at, since) if _due(segment, since, at) else segment.numbers.get(base)
        case UnitCost(price):
            return _kept(segment, measure, at, price.since)
        case Blend():
            return _kept(segment, measure, at, "")


def moment(segment: Segment, measure: Measure, at: float) -> int:
    """How many changes of prices are due: the measure stays as it is until there is one more."""
    match measure:
        case Price() as price:
            return _due(segment, price.since, at)
        case UnitCost(price):
            return _due(segment, price.since, at)
        case _:
            return 0


def keep(segment: Segment, key: object, made: object) -> None:
    """Keeps what a question made; the oldest goes when there are too many."""
    held = segment.kept
    held[key] = made
    while len(held) > KEPT:
        held.pop(next(iter(held)), None)


def _kept(segment: Segment, measure: Measure, at: float, since: str) -> Numbers:
    key = (measure, _due(segment, since, at))
    found = segment.kept.get(key)
    if found is None:
        docs = np.arange(segment.size, dtype=np.int32)
        made = values(segment, measure, at, docs)
        there = ~np.isnan(made)
        found = Numbers.of(segment.size, docs[there], made[there])
        keep(segment, key, found)
    return cast(Numbers, found)


def _due(segment: Segment, since: str, at: float) -> int:
    changes = segment.numbers.get(since)
    return 0 if changes is None else changes.up_to(at)


def _column(segment: Segment, name: str, docs: Docs) -> NDArray[np.float64]:
    column = segment.numbers.get(name)
    return np.full(len(docs), np.nan) if column is None else column.of_docs(docs)


def _price(segment: Segment, price: Price, at: float, docs: Docs) -> NDArray[np.float64]:
    base = _column(segment, price.base, docs)
    if not _due(segment, price.since, at):
        return base
    due = _column(segment, price.since, docs) <= at
    return np.where(due, _column(segment, price.next, docs), base)


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    made = np.full(len(above), np.nan)
    np.divide(above, below, out=made, where=below > 0)
    floored: NDArray[np.float64] = np.floor(made)
    return floored


def _blended(parts: list[tuple[NDArray[np.float64], float]]) -> NDArray[np.float64]:
    known = ~np.isnan(parts[0][0])
    total = np.nan_to_num(parts[0][0]) * parts[0][1]
    for column, weight in parts[1:]:
        known |= ~np.isnan(column)
        total = total + np.nan_to_num(column) * weight
    return np.where(known, total, np.nan)
