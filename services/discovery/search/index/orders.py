"""The first documents of a set in an order, behind a cursor, and their values."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index import measures
from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits, Docs
from services.discovery.search.index.questions import Behind, Column, Order
from services.discovery.search.index.segment import RANKED, Segment, packed_ids

MANY = 64
"""A set with one in so many documents is met soon in the order of all of them; of a smaller one all values are looked up."""
STEP, MORE = 2048, 4
Listed = tuple[Docs, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Sorted:
    """All documents that have the measure in its order, and the values: kept by the segment."""

    docs: Docs
    keys: NDArray[np.float64]


def first(segment: Segment, found: Bits, order: Order, at: float, behind: Behind | None, count: int) -> Listed:
    """Up to `count` documents with their values; those without the measure are not listed."""
    start = None if behind is None else (_key(order, behind.value), _rank(segment, behind.creator_id))
    if order == Order(Column(RANKED)):
        docs = bits.first(found, 0 if start is None else _place(segment, _sorted(segment, order, at), start), count)
        return docs, measures.values(segment, order.measure, at, docs)
    if bits.count(found) * MANY < segment.size:
        return _of_few(segment, bits.docs_of(found), order, at, start, count)
    return _of_many(segment, found, order, at, start, count)


def listable(segment: Segment, found: Bits, order: Order, at: float) -> Bits:
    """Those that have the measure that the order is by."""
    if order.measure == Column(RANKED):
        return found
    numbers = measures.whole(segment, order.measure, at)
    return bits.none(segment.size) if numbers is None else found & numbers.within(None, None)


def _key(order: Order, value: float) -> float:
    return -value if order.falling else value


def _rank(segment: Segment, creator_id: str) -> int:
    """How many of the segment's ids are not behind the id."""
    return int(np.searchsorted(segment.sorted_ids, packed_ids([creator_id]), side="right")[0]) - 1


def _sorted(segment: Segment, order: Order, at: float) -> Sorted:
    key = (order, measures.moment(segment, order.measure, at))
    found = segment.kept.get(key)
    if found is None:
        numbers = measures.whole(segment, order.measure, at)
        docs, values = numbers.known() if numbers is not None else (np.zeros(0, np.int32), np.zeros(0))
        keys = -values if order.falling else values
        by_key = np.lexsort((segment.rank[docs], keys))
        found = Sorted(docs[by_key], keys[by_key])
        measures.keep(segment, key, found)
    return cast(Sorted, found)


def _place(segment: Segment, held: Sorted, start: tuple[float, int]) -> int:
    """How many documents are not behind the cursor."""
    low, high = np.searchsorted(held.keys, start[0], "left"), np.searchsorted(held.keys, start[0], "right")
    ties = held.docs[low:high]
    return int(low) + bisect_right(ties, start[1], key=lambda doc: segment.rank[doc])


def _of_many(
    segment: Segment, found: Bits, order: Order, at: float, start: tuple[float, int] | None, count: int
) -> Listed:
    held = _sorted(segment, order, at)
    place, step = 0 if start is None else _place(segment, held, start), STEP
    chosen: list[NDArray[np.intp]] = []
    while place < len(held.docs) and sum(map(len, chosen)) < count:
        chosen.append(place + np.flatnonzero(bits.has(found, held.docs[place : place + step])))
        place, step = place + step, step * MORE
    places = np.concatenate(chosen)[:count] if chosen else np.zeros(0, np.intp)
    keys = held.keys[places]
    return held.docs[places], -keys if order.falling else keys


def _of_few(
    segment: Segment, docs: Docs, order: Order, at: float, start: tuple[float, int] | None, count: int
) -> Listed:
    values = measures.values(segment, order.measure, at, docs)
    keys = -values if order.falling else values
    there = ~np.isnan(keys)
    if start is not None:
        there &= (keys > start[0]) | ((keys == start[0]) & (segment.rank[docs] > start[1]))
    docs, keys = docs[there], keys[there]
    if len(keys) > count:
        near = keys <= np.partition(keys, count - 1)[count - 1]
        docs, keys = docs[near], keys[near]
    by_key = np.lexsort((segment.rank[docs], keys))[:count]
    return docs[by_key], -keys[by_key] if order.falling else keys[by_key]
