"""Live counts in tumbling windows, and bursts in them, so that the stream and the projector compute the same.

Only increments make windows; a snapshot does not say when its counts happened. A count is kept by (content, metric,
start of the window in milliseconds) for as many windows as the rule keeps behind the newest observation: event time only,
so replaying the same envelopes gives the same windows whenever that is done. What is older has left the windows and is
found in the minute totals; nothing that is paid or audited rests on these counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.metrics.domain.engagement import Batch, Kind, Metric, joined

Key = tuple[str, int, int]
MAX_SEEN = 100_000
METRIC_BITS = 8
METRIC_MASK = (1 << METRIC_BITS) - 1


@dataclass(frozen=True, slots=True)
class Rule:
    """Windows of `size_s` seconds, `kept` of them. A burst is a window of at least `least` that is more than `factor` times the
    mean of the `kept - 1` windows before it; what has no past (new content) has no bursts."""

    size_s: int = 60
    kept: int = 30
    least: int = 1_000
    factor: int = 10

    @property
    def size_ms(self) -> int:
        return self.size_s * 1000


FORMULA = "burst@1"


@dataclass(frozen=True, slots=True)
class Burst:
    """One window far above its past: `count` so far, against at most `expected_max` by the windows before it."""

    content_id: str
    metric: Metric
    window_start_ms: int
    window_s: int
    count: int
    expected_max: int


@dataclass(slots=True)
class Windows:
    """The windows of one consumer. `seen` holds the newest 100,000 envelope ids: a repeat changes nothing."""

    rule: Rule = field(default_factory=Rule)
    newest_ms: int = 0
    counts: dict[Key, int] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)

    @property
    def oldest_ms(self) -> int:
        """Start of the oldest window kept."""
        return (self.newest_ms // self.rule.size_ms - self.rule.kept + 1) * self.rule.size_ms

    def add(self, *envelopes: tuple[str, Batch]) -> list[Key]:
        """Counts envelopes (id, rows) that were not counted before; which windows they changed, in no order."""
        rows = joined([rows for envelope_id, rows in envelopes if self._is_new(envelope_id)])
        if len(rows) == 0:
            return []
        self._advance(int(rows.at.max()))
        counts, oldest_ms = self.counts, self.oldest_ms
        fresh = [(key, n) for key, n in counted(rows, self.rule.size_ms).items() if key[2] >= oldest_ms]
        counts.update([(key, counts.get(key, 0) + n) for key, n in fresh])
        return [key for key, _ in fresh]

    def _is_new(self, envelope_id: str) -> bool:
        """Once for each id that is remembered."""
        if envelope_id in self.seen:
            return False
        self.seen[envelope_id] = None
        if len(self.seen) > MAX_SEEN:
            del self.seen[next(iter(self.seen))]
        return True

    def _advance(self, newest_ms: int) -> None:
        before = self.oldest_ms
        self.newest_ms = max(self.newest_ms, newest_ms)
        if self.oldest_ms > before:
            self.counts = {key: n for key, n in self.counts.items() if key[2] >= self.oldest_ms}


def counted(rows: Batch, size_ms: int) -> dict[Key, int]:
    """Sums of increments by content, metric and window; sorted as one packed number a row, which is the quickest."""
    chosen = np.flatnonzero(rows.kind == Kind.INCREMENT)
    if len(chosen) == 0:
        return {}
    window = rows.at[chosen] // size_ms
    first_window = int(window.min())
    span = int(window.max()) - first_window + 1
    packed = (rows.content[chosen] << METRIC_BITS | rows.metric[chosen]) * span + (window - first_window)
    order = np.argsort(packed)
    ordered = packed[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sums = np.add.reduceat(rows.value[chosen][order], first)
    pair, place = np.divmod(ordered[first], span)
    columns = (pair >> METRIC_BITS, pair & METRIC_MASK, (place + first_window) * size_ms, sums)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return {(rows.contents[content], metric, start): total for content, metric, start, total in found}


def bursts(counts: Mapping[Key, int], keys: Iterable[Key], rule: Rule) -> list[Burst]:
    """Which of the windows named are bursts, in key order."""
    high = {key for key in keys if counts.get(key, 0) >= rule.least}
    found = (_burst(counts, key, rule) for key in sorted(high))
    return [burst for burst in found if burst is not None]


def _burst(counts: Mapping[Key, int], key: Key, rule: Rule) -> Burst | None:
    content, metric, start = key
    count = counts.get(key, 0)
    past = rule.kept - 1
    before = sum(counts.get((content, metric, start - n * rule.size_ms), 0) for n in range(1, rule.kept))
    if before == 0 or count * past <= rule.factor * before:
        return None
    return Burst(content, Metric(metric), start, rule.size_s, count, rule.factor * before // past)


def live(counts: Mapping[Key, int], content_id: str) -> dict[Metric, int]:
    """What a content got in the windows kept, by metric."""
    totals: dict[Metric, int] = {}
    for (content, metric, _), n in sorted(counts.items()):
        if content == content_id:
            totals[Metric(metric)] = totals.get(Metric(metric), 0) + n
    return totals
