"""Engagement as columns: the canonical metrics, batches of observations, and the envelopes they travel in.

An observation says: content `c` had `value` of a metric at a time, by kind
 * increment: that many more, at that time; increments add up;
 * snapshot: that many in all up to that time; of two snapshots the later one holds (of one time, the larger).
Traffic tells organic from paid; provenance tells whose count it is. Everything is an integer; a row is never a Python
object: a batch of n rows is six arrays of length n and the tuple of distinct content ids its `content` column points into.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from kernel.core.faults import Invalid
from kernel.core.ids import derived_id, partition_of

Ints = NDArray[np.int64]

PARTITIONS = 12
ENVELOPE_ROWS = 500
MAX_VALUE = 10**11
EARLIEST_MS = 946_684_800_000
"""2000-01-01: an earlier time is a mistake of its unit."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01."""


class Metric(IntEnum):
    """The canonical metrics; adapters map each platform's fields onto them. Codes are stored: never reuse one."""

    EXPOSURES = 1
    READS = 2
    VIEWS = 3
    LIKES = 4
    SAVES = 5
    COMMENTS = 6
    SHARES = 7
    FOLLOWS = 8
    CLICKS = 9
    STORE_VISITS = 10
    LINK_CLICKS = 11
    LINK_REQUESTS = 12


OURS = (Metric.LINK_CLICKS, Metric.LINK_REQUESTS)
"""What our own redirect counts, and nobody else can report: clicks on our links, and all requests of them, robots' too."""
REPORTED = tuple(metric for metric in Metric if metric not in OURS)


class Kind(IntEnum):
    """How a value is meant."""

    SNAPSHOT = 1
    INCREMENT = 2


class Traffic(IntEnum):
    """Whether reach was bought."""

    ORGANIC = 1
    PAID = 2


class Provenance(IntEnum):
    """Whose count it is: measured (by the platform, or by our own redirect), typed in by staff, a model's, or said by a party.

    Each source has counters of its own, so that none overwrites another's. The smaller the code, the better the number: where
    several sources counted the same, the smallest is shown. A party to the campaign gains by its number, so it comes last.
    """

    PLATFORM = 1
    MANUAL = 2
    ESTIMATED = 3
    BRAND = 4
    CREATOR = 5
    LINK = 6
    """Our own redirect: of LINK_CLICKS and LINK_REQUESTS only, and of nothing that comes from outside."""


MEASURED = (Provenance.PLATFORM, Provenance.LINK)
"""Sources that gain nothing by a number; `not_measured` sums what is shown of the others."""
SAID = (Provenance.PLATFORM, Provenance.MANUAL, Provenance.ESTIMATED)
"""What the sender of a batch may say of itself; whether it is a party to the campaign is not its own to say."""


CODES: tuple[tuple[str, tuple[IntEnum, ...]], ...] = (
    ("metric", REPORTED),
    ("kind", tuple(Kind)),
    ("traffic", tuple(Traffic)),
    ("provenance", tuple(one for one in Provenance if one is not Provenance.LINK)),
)
"""What a batch may hold, code by code from 1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """n observations: `content` indexes `contents`; `at` is milliseconds since 1970, UTC; all int64 of length n."""

    contents: tuple[str, ...]
    content: Ints
    metric: Ints
    kind: Ints
    traffic: Ints
    provenance: Ints
    at: Ints
    value: Ints

    def __len__(self) -> int:
        return len(self.value)

    @property
    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]:
        """The arrays in the order of the fields."""
        return self.content, self.metric, self.kind, self.traffic, self.provenance, self.at, self.value

    def take(self, rows: Ints) -> "Batch":
        """The rows named, in that order, with only the contents they mention."""
        chosen = self.content[rows]
        used = np.flatnonzero(np.bincount(chosen, minlength=len(self.contents)))
        places = np.zeros(len(self.contents), dtype=np.int64)
        places[used] = np.arange(len(used))
        contents = tuple(self.contents[i] for i in used.tolist())
        return Batch(contents, places[chosen], *(column[rows] for column in self.columns[1:]))


@dataclass(frozen=True, slots=True)
class Envelope:
    """Up to 500 rows of one batch and one partition; `id` is the same whenever the same batch is split again."""

    id: str
    tenant: str
    batch_id: str
    partition: int
    rows: Batch


def reported_by(batch: Batch, parties: Sequence[Provenance | None]) -> Batch:
    """The batch with each number under its reporter: `parties` says for each content which side sent it, None: neither."""
    codes = np.array([0 if party is None else int(party) for party in parties], dtype=np.int64)
    side = codes[batch.content]
    return replace(batch, provenance=np.where(side > 0, side, batch.provenance))


def empty() -> Batch:
    """A batch without rows."""
    none = np.zeros(0, dtype=np.int64)
    return Batch((), none, none, none, none, none, none, none)


def checked(batch: Batch) -> Batch:
    """`batch` itself; raises Invalid unless columns are of one length and every code, index, time and value in range.

    Needed where columns come from outside (a topic); the intake has checked its rows already.
    """
    lengths = {len(column) for column in batch.columns}
    if len(lengths) != 1:
        raise Invalid("engagement.columns_of_different_length")
    if len(batch) == 0:
        return batch
    _within("content", batch.content, 0, len(batch.contents) - 1)
    for (name, codes), column in zip(CODES, batch.columns[1:5], strict=True):
        _within(name, column, 1, len(codes))
    _within("observed_at", batch.at, EARLIEST_MS, LATEST_MS)
    _within("value", batch.value, 0, MAX_VALUE)
    return batch


def _within(name: str, column: Ints, low: int, high: int) -> None:
    least, most = int(column.min()), int(column.max())
    if least < low or most > high:
        raise Invalid("engagement.out_of_range", column=name, value=least if least < low else most, low=low, high=high)


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch with the rows of all, in order; equal content ids become one."""
    if not batches:
        return empty()
    numbers: dict[str, int] = {}
    content = []
    for batch in batches:
        mapping = np.array([numbers.setdefault(c, len(numbers)) for c in batch.contents], dtype=np.int64)
        content.append(mapping[batch.content])
    rest = (np.concatenate(columns) for columns in zip(*(batch.columns[1:] for batch in batches), strict=True))
    return Batch(tuple(numbers), np.concatenate(content), *rest)


def split(batch: Batch, tenant: str, batch_id: str, partitions: int = PARTITIONS) -> Iterator[Envelope]:
    """Envelopes of at most 500 rows, all contents of one of a single partition, rows in the batch's order."""
    if len(batch) == 0:
        return
    places = np.array([partition_of(content, partitions) for content in batch.contents], dtype=np.int64)[batch.content]
    order = np.argsort(places, kind="stable")
    edges = np.searchsorted(places[order], np.arange(partitions + 1))
    for partition in range(partitions):
        rows = order[edges[partition] : edges[partition + 1]]
        for n, start in enumerate(range(0, len(rows), ENVELOPE_ROWS)):
            chosen = batch.take(rows[start : start + ENVELOPE_ROWS])
            yield Envelope(envelope_id(tenant, batch_id, partition, n), tenant, batch_id, partition, chosen)


def envelope_id(tenant: str, batch_id: str, partition: int, n: int) -> str:
    """UUIDv5 of what the envelope is: the `n`-th of its batch in its partition."""
    return derived_id("envelope", tenant, batch_id, str(partition), str(n))
