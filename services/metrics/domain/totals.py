"""Totals of engagement: per content, cell and minute, and what a counter stands at.

A cell is (metric, traffic, provenance), packed into one integer. Rows make two things, both commutative monoids, so they
are the same in whatever order, batches or sizes the rows arrive:
 * `Minutes`: the sum of a cell's increments in each minute; merged by addition;
 * `Snapshots`: a cell's latest snapshot (of one millisecond the larger); merged by maximum.
Addition is not idempotent: an envelope that comes twice must be dropped before, by its id.

What a counter stands at is a function of the two: its latest snapshot plus every increment of the minutes that begin at
or after it (a snapshot counts what came before; an increment in the very minute of the snapshot is taken as counted).
Without a snapshot it is the sum of its increments. Counts of different provenance are never added: of one metric and
traffic of a content the best source is shown that has any number, in the order of engagement.Provenance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np

from services.metrics.domain.engagement import Batch, Ints, Kind, Metric, Provenance, Traffic

CELL_BITS = 12
MINUTE_BITS = 27
HOUR_BITS = 22
MINUTE_MS = 60_000
Cell = tuple[int, int]
"""(content number, cell number)."""


def cell_of(metric: int, traffic: int, provenance: int) -> int:
    """The cell's number: 4 bits each, so that the sources of one count stand together, the best first."""
    return metric << 8 | traffic << 4 | provenance


def cell_parts(cell: int) -> tuple[Metric, Traffic, Provenance]:
    """What a cell's number stands for."""
    return Metric(cell >> 8), Traffic(cell >> 4 & 15), Provenance(cell & 15)


@lru_cache(maxsize=65_536)
def content_number(content_id: str) -> int:
    """63 bits of the content's UUID; the table of contents refuses two ids with one number."""
    return UUID(content_id).int >> 65


@dataclass(frozen=True, slots=True)
class Minutes:
    """Sums of increments as columns, sorted by (content, cell, minute), each key once; minutes since 1970 UTC."""

    content: Ints
    cell: Ints
    minute: Ints
    added: Ints

    def rows(self) -> list[tuple[int, int, int, int]]:
        """(content, cell, minute, added) in key order."""
        return list(zip(*self.columns().values(), strict=True))

    def columns(self) -> dict[str, list[int]]:
        """By name, in key order."""
        return {
            "content": self.content.tolist(),
            "cell": self.cell.tolist(),
            "minute": self.minute.tolist(),
            "added": self.added.tolist(),
        }


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Latest snapshots as columns, sorted by (content, cell), each key once; `at` in milliseconds since 1970 UTC."""

    content: Ints
    cell: Ints
    at: Ints
    value: Ints

    def rows(self) -> dict[Cell, tuple[int, int]]:
        """(at, value) by cell, in key order."""
        columns = (self.content, self.cell, self.at, self.value)
        found = zip(*(column.tolist() for column in columns), strict=True)
        return {(content, cell): (at, value) for content, cell, at, value in found}


def increments(batch: Batch) -> Minutes:
    """The sums of a batch's increments."""
    rows = np.flatnonzero(batch.kind == Kind.INCREMENT)
    return _summed(_numbers(batch)[rows], _cells(batch)[rows], batch.at[rows] // MINUTE_MS, batch.value[rows])


def snapshots(batch: Batch) -> Snapshots:
    """The latest of a batch's snapshots."""
    rows = np.flatnonzero(batch.kind == Kind.SNAPSHOT)
    return _latest(_numbers(batch)[rows], _cells(batch)[rows], batch.at[rows], batch.value[rows])


def readings(batch: Batch) -> dict[tuple[int, int, int], tuple[int, int]]:
    """The platform's totals: (at, value) of the latest in each hour, by content, cell and hour since 1970. Merged by maximum."""
    rows = np.flatnonzero((batch.kind == Kind.SNAPSHOT) & (batch.provenance == Provenance.PLATFORM))
    if len(rows) == 0:
        return {}
    content, cell, at, value = _numbers(batch)[rows], _cells(batch)[rows], batch.at[rows], batch.value[rows]
    hour = at // (60 * MINUTE_MS)
    packed = _packed(content, cell) << HOUR_BITS | hour
    order = np.lexsort((value, at, packed))
    first = _starts(packed[order])
    kept = order[np.concatenate((first[1:], [len(order)])) - 1]
    keys = zip(*(column[kept].tolist() for column in (content, cell, hour)), strict=True)
    return dict(zip(keys, zip(at[kept].tolist(), value[kept].tolist(), strict=True), strict=True))


def newest(batch: Batch, received_ms: Ints) -> dict[Cell, int]:
    """When the last row of each cell was received, ms since 1970 UTC; `received_ms` has an entry per row."""
    if len(batch) == 0:
        return {}
    content, cell = _numbers(batch), _cells(batch)
    order = np.argsort(_packed(content, cell))
    first = _starts(_packed(content, cell)[order])
    kept, last = order[first], np.maximum.reduceat(received_ms[order], first)
    return dict(zip(zip(content[kept].tolist(), cell[kept].tolist(), strict=True), last.tolist(), strict=True))


def merged_minutes(left: Minutes, right: Minutes) -> Minutes:
    """What both say together; associative and commutative."""
    pairs = ((left.content, right.content), (left.cell, right.cell), (left.minute, right.minute))
    content, cell, minute = (np.concatenate(pair) for pair in pairs)
    return _summed(content, cell, minute, np.concatenate((left.added, right.added)))


def merged_snapshots(left: Snapshots, right: Snapshots) -> Snapshots:
    """The later of each; associative, commutative and idempotent."""
    pairs = ((left.content, right.content), (left.cell, right.cell), (left.at, right.at), (left.value, right.value))
    return _latest(*(np.concatenate(pair) for pair in pairs))


def _numbers(batch: Batch) -> Ints:
    return np.array([content_number(content) for content in batch.contents], dtype=np.int64)[batch.content]


def _cells(batch: Batch) -> Ints:
    return batch.metric << 8 | batch.traffic << 4 | batch.provenance


def _summed(content: Ints, cell: Ints, minute: Ints, added: Ints) -> Minutes:
    if len(content) == 0:
        return Minutes(content, cell, minute, added)
    packed = _packed(content, cell) << MINUTE_BITS | minute
    order = np.argsort(packed)
    first = _starts(packed[order])
    kept = order[first]
    return Minutes(content[kept], cell[kept], minute[kept], np.add.reduceat(added[order], first))


def _latest(content: Ints, cell: Ints, at: Ints, value: Ints) -> Snapshots:
    """Sorted by key, then ascending: a group's last row is its latest snapshot."""
    if len(content) == 0:
        return Snapshots(content, cell, at, value)
    packed = _packed(content, cell)
    order = np.lexsort((value, at, packed))
    first = _starts(packed[order])
    kept = order[np.concatenate((first[1:], [len(order)])) - 1]
    return Snapshots(content[kept], cell[kept], at[kept], value[kept])


def _packed(content: Ints, cell: Ints) -> Ints:
    """One integer per row that sorts like (content, cell): the content's rank, then the cell."""
    rank = np.unique(content, return_inverse=True)[1].astype(np.int64)
    return rank << CELL_BITS | cell


def _starts(ordered: Ints) -> Ints:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def cells_of(minutes: Minutes) -> tuple[list[Cell], Ints]:
    """The cells that minute rows are of, in order, and the row where each begins."""
    if len(minutes.cell) == 0:
        return [], minutes.cell
    changed = (minutes.content[1:] != minutes.content[:-1]) | (minutes.cell[1:] != minutes.cell[:-1])
    first = np.flatnonzero(np.concatenate(([True], changed)))
    return list(zip(minutes.content[first].tolist(), minutes.cell[first].tolist(), strict=True)), first


def sums_from(minutes: Minutes, first: Ints, from_minute: Sequence[int]) -> list[tuple[int, int]]:
    """For each cell that begins at `first`: the sum of its minutes, and of those from its `from_minute` on."""
    if len(first) == 0:
        return []
    lengths = np.diff(np.append(first, len(minutes.cell)))
    counts = minutes.minute >= np.repeat(np.array(from_minute, dtype=np.int64), lengths)
    whole = np.add.reduceat(minutes.added, first)
    on_top = np.add.reduceat(np.where(counts, minutes.added, 0), first)
    return list(zip(whole.tolist(), on_top.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a counter stands at: `total = snapshot + after`; `snapshot_at` (ms since 1970) is -1 when there is none."""

    snapshot_at: int
    snapshot: int
    after: int

    @property
    def total(self) -> int:
        return self.snapshot + self.after


def first_minute(snapshot_at: int) -> int:
    """The first minute that counts on top of a snapshot; 0 without one."""
    return (snapshot_at + MINUTE_MS - 1) // MINUTE_MS if snapshot_at >= 0 else 0


def standings(minutes: Minutes, latest: Snapshots) -> dict[Cell, Standing]:
    """Per cell. The projection keeps the same in SQL; this is its oracle."""
    snaps = latest.rows()
    after: dict[Cell, int] = {}
    for content, cell, minute, added in minutes.rows():
        counts = minute >= first_minute(snaps.get((content, cell), (-1, 0))[0])
        after[content, cell] = after.get((content, cell), 0) + counts * added
    keys = sorted({*snaps, *after})
    return {key: Standing(*snaps.get(key, (-1, 0)), after.get(key, 0)) for key in keys}
