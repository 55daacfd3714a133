"""Live counts in tumbling windows, and what they show that people hardly do. Pure: Faust and the kernel's consumer run it.

Only increments make windows; a snapshot does not say when its counts happened. A count is kept by (content, metric,
start of the window in milliseconds) for as many windows as the rule keeps behind the newest observation: event time only,
so replaying the same envelopes gives the same windows whenever that is done. What is older has left the windows and is
found in the minute totals; nothing that is paid or audited rests on these counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.metrics.domain.anomaly.anomaly import AnomalyKind
from services.metrics.domain.engagement import Batch, Kind, Metric, joined
from services.metrics.domain.payable import HOUR_MS
from services.metrics.domain.totals import MINUTE_MS

Key = tuple[str, int, int]
MAX_SEEN = 100_000
METRIC_BITS = 8
METRIC_MASK = (1 << METRIC_BITS) - 1


@dataclass(frozen=True, slots=True)
class Rule:
    """Windows of `size_s` seconds, `kept` of them.

    A burst is a window of at least `least` (`least_follows` of followers) that is more than `factor` times the mean of the
    `kept - 1` windows before it; what has no past (new content) has no bursts. A plateau is `kept - 1` whole windows of at least
    `steady_mean` each that are steadier than counts by chance ever are. A window is coordinated when of at least
    `singles` single actions more than `second_percent` came in one second.
    """

    size_s: int = 60
    kept: int = 30
    least: int = 1_000
    least_follows: int = 200
    factor: int = 10
    steady_mean: int = 20
    steadiest: int = 5_197
    """Thousandths of mean by variance: of 29 counts by chance (Poisson) above it once in a million, since 28 times variance by
    mean follows chi-square of 28 degrees, of which 5.388 is that quantile."""
    singles: int = 200
    second_percent: int = 25

    @property
    def size_ms(self) -> int:
        return self.size_s * 1000


FORMULAS = {
    AnomalyKind.BURST: "burst@1",
    AnomalyKind.FOLLOWER_JUMP: "follower_jump@1",
    AnomalyKind.PLATEAU: "plateau@1",
    AnomalyKind.COORDINATED: "coordinated@1",
}
STEADY = (Metric.LIKES, Metric.SAVES, Metric.COMMENTS, Metric.SHARES, Metric.FOLLOWS)
"""What people do now and then. Reach is delivered by a platform, which may do so steadily."""
SECOND_MS = 1_000
THOUSANDTHS = 1_000
STEADINESS_MAX = 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """What one content's windows show: `observed`, where `formula` allows at most `expected_max`.

    Counts for a burst, a jump and what is coordinated (of one second); thousandths of mean by variance for a plateau.
    """

    kind: AnomalyKind
    content_id: str
    metric: Metric
    window_start_ms: int
    window_s: int
    observed: int
    expected_max: int

    @property
    def formula(self) -> str:
        return FORMULAS[self.kind]


@dataclass(slots=True)
class Windows:
    """The windows of one consumer. `seen` holds the newest 100,000 envelope ids: a repeat changes nothing."""

    rule: Rule = field(default_factory=Rule)
    newest_ms: int = 0
    counts: dict[Key, int] = field(default_factory=dict)
    singles: dict[Key, int] = field(default_factory=dict)
    """Increments of one, by second: an observation of several actions, or of a whole minute, has no second of its own."""
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
        self._add_singles(rows)
        return [key for key, _ in fresh]

    def _add_singles(self, rows: Batch) -> None:
        since = (self.newest_ms // self.rule.size_ms - 1) * self.rule.size_ms
        single = (rows.value == 1) & (rows.at >= since) & (rows.at % MINUTE_MS != 0)
        chosen = rows.take(np.flatnonzero(single & (rows.kind == Kind.INCREMENT)))
        singles = self.singles
        for key, n in counted(chosen, SECOND_MS).items():
            singles[key] = singles.get(key, 0) + n
        if len(singles) > MAX_SEEN:
            self.singles = {key: n for key, n in singles.items() if key[2] >= since}

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


def findings(windows: Windows, keys: Iterable[Key]) -> list[Finding]:
    """What the windows named show, in key order."""
    found: list[Finding | None] = []
    for key in sorted(set(keys)):
        found += [_burst(windows, key), _plateau(windows, key), _coordinated(windows, key)]
    return [one for one in found if one is not None]


def _burst(windows: Windows, key: Key) -> Finding | None:
    (content, metric, start), rule = key, windows.rule
    count, of_follows = windows.counts.get(key, 0), metric == Metric.FOLLOWS
    if count < (rule.least_follows if of_follows else rule.least):
        return None
    past = rule.kept - 1
    before = sum(_before(windows, key))
    if before == 0 or count * past <= rule.factor * before:
        return None
    kind = AnomalyKind.FOLLOWER_JUMP if of_follows else AnomalyKind.BURST
    return Finding(kind, content, Metric(metric), start, rule.size_s, count, rule.factor * before // past)


def _before(windows: Windows, key: Key) -> list[int]:
    """The counts of the windows before one, as many as are kept."""
    (content, metric, start), rule = key, windows.rule
    return [windows.counts.get((content, metric, start - n * rule.size_ms), 0) for n in range(1, rule.kept)]


def _plateau(windows: Windows, key: Key) -> Finding | None:
    (content, metric, start), rule = key, windows.rule
    # a quiet window before tells most contents apart with one look in place of `kept`
    if metric not in STEADY or windows.counts.get((content, metric, start - rule.size_ms), 0) < rule.steady_mean // 2:
        return None
    before = _before(windows, key)
    count, total = len(before), sum(before)
    if total < rule.steady_mean * count or 0 in before:
        return None
    # count * (count - 1) times the variance
    spread = count * sum(one * one for one in before) - total * total
    steadiness = min(THOUSANDTHS * total * (count - 1) // spread, STEADINESS_MAX) if spread else STEADINESS_MAX
    if steadiness <= rule.steadiest:
        return None
    # one plateau an hour, however long it lasts
    hour_ms = start - start % HOUR_MS
    return Finding(AnomalyKind.PLATEAU, content, Metric(metric), hour_ms, HOUR_MS // 1000, steadiness, rule.steadiest)


def _coordinated(windows: Windows, key: Key) -> Finding | None:
    (content, metric, start), rule = key, windows.rule
    if windows.counts.get(key, 0) < rule.singles:
        return None
    seconds = [windows.singles.get((content, metric, start + n * SECOND_MS), 0) for n in range(rule.size_s)]
    total, most = sum(seconds), max(seconds)
    expected_max = rule.second_percent * total // 100
    if total < rule.singles or most <= expected_max:
        return None
    return Finding(AnomalyKind.COORDINATED, content, Metric(metric), start, rule.size_s, most, expected_max)


def live(counts: Mapping[Key, int], content_id: str) -> dict[Metric, int]:
    """What a content got in the windows kept, by metric."""
    totals: dict[Metric, int] = {}
    for (content, metric, _), n in sorted(counts.items()):
        if content == content_id:
            totals[Metric(metric)] = totals.get(Metric(metric), 0) + n
    return totals
