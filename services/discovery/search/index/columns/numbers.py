"""A column of numbers of one segment: dense, or the documents that have one; absent numbers match no range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits, Docs, Flags

ABSENT = np.iinfo(np.int32).min
SPARSE = 8
"""A column that fewer than one in eight documents have is kept as documents and values."""
Values = NDArray[np.int32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Numbers:
    """`values` are int32 where all are whole and fit (ABSENT for none), else float64 (NaN for none).

    With `docs` (ascending) there is a value for each of these only.
    """

    size: int
    values: Values
    docs: Docs | None = None

    @classmethod
    def of(cls, size: int, docs: Docs, values: NDArray[np.float64]) -> "Numbers":
        """From the known values, `docs` ascending."""
        if len(docs) * SPARSE < size:
            return cls(size, _narrow(values), docs)
        dense = np.full(size, np.nan)
        dense[docs] = values
        return cls(size, _narrow(dense))

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + (0 if self.docs is None else self.docs.nbytes)

    def known(self) -> tuple[Docs, NDArray[np.float64]]:
        """The documents that have a value, ascending, and the values."""
        if self.docs is not None:
            return self.docs, _wide(self.values)
        there = np.flatnonzero(_known(self.values)).astype(np.int32)
        return there, _wide(self.values[there])

    def up_to(self, high: float) -> int:
        """How many values are at most `high`."""
        return int(np.count_nonzero(_within(self.values, None, high)))

    def of_docs(self, docs: Docs) -> NDArray[np.float64]:
        """The values of these documents, NaN for none."""
        if self.docs is None:
            return _wide(self.values[docs])
        return _looked_up(self, self.docs, docs)

    def within(self, low: float | None, high: float | None) -> Bits:
        """The documents with a value from `low` to `high`, both included, None for no bound."""
        flags = _within(self.values, low, high)
        if self.docs is not None:
            return bits.of_docs(self.docs[flags], self.size)
        return bits.of_flags(flags)


def _looked_up(held: Numbers, known: Docs, docs: Docs) -> NDArray[np.float64]:
    found = np.full(len(docs), np.nan)
    if len(known):
        place = np.minimum(np.searchsorted(known, docs), len(known) - 1)
        there = known[place] == docs
        found[there] = _wide(held.values[place[there]])
    return found


def within(values: NDArray[np.float64], low: float | None, high: float | None) -> Flags:
    """For each value whether it is known and within the bounds."""
    return _within(values, low, high)


def _within(values: Values, low: float | None, high: float | None) -> Flags:
    if values.dtype == np.int32:
        least, most = _whole(low, ABSENT + 1, up=True), _whole(high, np.iinfo(np.int32).max, up=False)
        if least > most:
            return np.zeros(len(values), np.bool_)
        whole: Flags = (values >= np.int32(least)) & (values <= np.int32(most))
        return whole
    if low is not None and high is not None:
        both: Flags = (values >= low) & (values <= high)
        return both
    if low is not None:
        above: Flags = values >= low
        return above
    below: Flags = ~np.isnan(values) if high is None else values <= high
    return below


def _whole(bound: float | None, absent: int, *, up: bool) -> int:
    """A bound as the next whole number inside int32; one outside leaves an empty range or none."""
    if bound is None:
        return absent
    limit = np.iinfo(np.int32)
    if np.isinf(bound):
        return limit.max if bound > 0 else (limit.min + 1 if up else limit.min)
    rounded = int(np.ceil(bound)) if up else int(np.floor(bound))
    if up and rounded > limit.max:
        return int(limit.max) + 1
    return max(int(limit.min) + (1 if up else 0), min(rounded, int(limit.max)))


def _known(values: Values) -> Flags:
    if values.dtype == np.int32:
        there: Flags = values != ABSENT
        return there
    return ~np.isnan(values)


def _wide(values: Values) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    if values.dtype == np.int32:
        wide[values == ABSENT] = np.nan
    return wide


def _narrow(values: NDArray[np.float64]) -> Values:
    known = values[~np.isnan(values)]
    limit = np.iinfo(np.int32)
    if len(known) and (known.min() <= limit.min or known.max() > limit.max or np.any(known != np.floor(known))):
        return values
    made = np.full(len(values), ABSENT, np.int32)
    there = ~np.isnan(values)
    made[there] = values[there].astype(np.int32)
    return made
