"""Totals of engagement: per content, cell and minute, and what a counter stands at.

A cell is (metric, traffic, provenance), packed into one integer. A minute row of a cell holds
 * `added`: the sum of its increments, and
 * `snapshot_at`, `snapshot`: its latest snapshot in that minute (of one millisecond the larger); -1 and 0 if there is none.
Minute rows merge by addition and by maximum, so they are the same in whatever order, batches or sizes rows arrive;
an envelope that comes twice must be dropped before (by its id), because addition is not idempotent.

What a cell stands at, is a function of its minute rows alone: its latest snapshot plus every increment of the minutes
that begin at or after it (a snapshot already counts what came before; an increment in the very minute of the snapshot
is taken as counted). Without a snapshot it is the sum of the increments. Cells of different provenance are never added:
`reported` takes the best source that has any number, in the order measured, manual, estimated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from services.metrics.domain.engagement import Batch, Ints, Kind, Metric, Provenance, Traffic

CELL_BITS = 12
MINUTE_BITS = 27
MINUTE_MS = 60_000


def cell_of(metric: int, traffic: int, provenance: int) -> int:
    """The cell's number: 4 bits each."""
    return metric << 8 | traffic << 4 | provenance


def cell_parts(cell: int) -> tuple[Metric, Traffic, Provenance]:
    """What a cell's number stands for."""
    return Metric(cell >> 8), Traffic(cell >> 4 & 15), Provenance(cell & 15)


def content_number(content_id: str) -> int:
    """63 bits of the content's UUID; the table of contents refuses two ids with one number."""
    return UUID(content_id).int >> 65


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minute rows as columns, sorted by (content, cell, minute), each key once; `minute` counts from 1970 UTC."""

    content: Ints
    cell: Ints
    minute: Ints
    added: Ints
    snapshot_at: Ints
    snapshot: Ints

    def __len__(self) -> int:
        return len(self.content)

    def rows(self) -> list[tuple[int, ...]]:
        """As tuples of Python integers, in key order."""
        columns = (self.content, self.cell, self.minute, self.added, self.snapshot_at, self.snapshot)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def by_minute(batch: Batch) -> Minutes:
    """The minute rows of a batch."""
    numbers = np.array([content_number(content) for content in batch.contents], dtype=np.int64)
    content = numbers[batch.content] if len(batch) else batch.content
    cell = batch.metric << 8 | batch.traffic << 4 | batch.provenance
    snaps = batch.kind == Kind.SNAPSHOT
    return _grouped(
        content,
        cell,
        batch.at // MINUTE_MS,
        np.where(snaps, 0, batch.value),
        np.where(snaps, batch.at, -1),
        np.where(snaps, batch.value, 0),
    )


def merged(left: Minutes, right: Minutes) -> Minutes:
    """What both say together; associative and commutative."""
    pairs = (
        (left.content, right.content),
        (left.cell, right.cell),
        (left.minute, right.minute),
        (left.added, right.added),
        (left.snapshot_at, right.snapshot_at),
        (left.snapshot, right.snapshot),
    )
    return _grouped(*(np.concatenate(pair) for pair in pairs))


def _grouped(content: Ints, cell: Ints, minute: Ints, added: Ints, snapshot_at: Ints, snapshot: Ints) -> Minutes:
    """Sorts by key, then snapshots ascending, so that a group's last row holds its latest snapshot."""
    if len(content) == 0:
        return Minutes(content, cell, minute, added, snapshot_at, snapshot)
    packed, names = _packed(content, cell, minute)
    order = np.lexsort((snapshot, snapshot_at, packed)) if bool((snapshot_at >= 0).any()) else np.argsort(packed)
    key = packed[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    last = np.concatenate((first[1:], [len(key)])) - 1
    kept = order[first]
    sums = np.add.reduceat(added[order], first)
    return Minutes(
        names[key[first] >> (CELL_BITS + MINUTE_BITS)],
        cell[kept],
        minute[kept],
        sums,
        snapshot_at[order[last]],
        snapshot[order[last]],
    )


def _packed(content: Ints, cell: Ints, minute: Ints) -> tuple[Ints, Ints]:
    """One integer per row that sorts like (content, cell, minute), and the contents by rank."""
    names, rank = np.unique(content, return_inverse=True)
    return rank.astype(np.int64) << (CELL_BITS + MINUTE_BITS) | cell << MINUTE_BITS | minute, names


@dataclass(frozen=True, slots=True)
class Standing:
    """What a cell's counter stands at: `total = snapshot + after`; `snapshot_at` is -1 when there was none."""

    snapshot_at: int
    snapshot: int
    after: int

    @property
    def total(self) -> int:
        return self.snapshot + self.after


def standings(minutes: Minutes) -> dict[tuple[int, int], Standing]:
    """Per (content, cell), from all of its minute rows. The projection computes the same in SQL; this is its oracle."""
    rows: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for row in minutes.rows():
        rows.setdefault((row[0], row[1]), []).append(row[2:])
    return {key: _standing(found) for key, found in rows.items()}


def _standing(rows: list[tuple[int, ...]]) -> Standing:
    at, value = max((snapshot_at, snapshot) for _, _, snapshot_at, snapshot in rows)
    return Standing(at, value, sum(added for minute, added, _, _ in rows if minute * MINUTE_MS >= at))


def reported(totals: Mapping[Provenance, int]) -> tuple[Provenance, int] | None:
    """The number to show for one metric and traffic, and whose it is; None when nobody counted."""
    best = min(totals, default=None)
    return None if best is None else (best, totals[best])
