"""Numbers that money may hang on: measured, organic, and cleaned by the content's own band (formula `payable@1`).

A counter's history is walked step by step: hours in which increments came, and differences of the platform's totals. What a step
holds above the band of the steps before it is set aside as suspect: told, and not payable. Only the excess is set aside, so
that nobody makes a creator's pay smaller by adding to its numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low
from types import MappingProxyType

from services.metrics.domain.engagement import Metric, Provenance, Traffic

FORMULA = "payable@1"
ABOVE = "band.above"
"""Why excess is set aside: staff may release it."""
HOUR_MS = 3_600_000
HISTORY, FEW, FACTOR = 24, 3, 10
"""The band is `FACTOR` times the median of the last `HISTORY` steps; with fewer than `FEW` it is the metric's own `start`."""


@dataclass(frozen=True, slots=True)
class Band:
    """Counts an hour: `start` is what new content may have at most, `least` what is never too much."""

    start: int
    least: int


BANDS: Mapping[Metric, Band] = {
    Metric.EXPOSURES: Band(2_000_000, 20_000),
    Metric.READS: Band(1_000_000, 10_000),
    Metric.VIEWS: Band(1_000_000, 10_000),
    Metric.LIKES: Band(100_000, 1_000),
    Metric.SAVES: Band(50_000, 500),
    Metric.COMMENTS: Band(20_000, 200),
    Metric.SHARES: Band(50_000, 500),
    Metric.FOLLOWS: Band(20_000, 200),
    Metric.CLICKS: Band(50_000, 500),
    Metric.STORE_VISITS: Band(5_000, 50),
    Metric.LINK_CLICKS: Band(20_000, 200),
}
"""Estimates, not measured: wide enough that ordinary content never meets them."""


@dataclass(frozen=True, slots=True)
class Step:
    """`count` more (fewer, where the platform took some back) in `hours`."""

    hours: int
    count: int


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a counter stands at, in two parts."""

    counted: int
    suspect: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """A part of what was counted, or another's count of the same, that is not payable, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Payable:
    """One metric of one content."""

    metric: Metric
    payable: int
    set_aside: tuple[SetAside, ...]
    released: int = 0
    """Of `payable`, what was set aside first and staff found to be people."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter of one metric, traffic and source: `readings` are the platform's totals (at in ms, value) by time, `added` the
    sums of increments after the last of them by hour."""

    metric: Metric
    traffic: Traffic
    provenance: Provenance
    total: int
    readings: tuple[tuple[int, int], ...] = ()
    added: tuple[int, ...] = ()


def steps_of(counter: Counter, since_ms: int | None) -> list[Step]:
    """The history of a counter from `since_ms` on, when its content was published (None: an hour before its first total)."""
    steps, before, value_before = list[Step](), since_ms, 0
    for at, value in counter.readings:
        passed_ms = at - before if before is not None else HOUR_MS
        steps.append(Step(max(1, -(-passed_ms // HOUR_MS)), value - value_before))
        before, value_before = at, value
    return [*steps, *(Step(1, count) for count in counter.added)]


def cleaned(steps: Iterable[Step], band: Band) -> Cleaned:
    """Both parts together are the counter. What the platform takes back is taken off what is suspect first."""
    counted, suspect, rates = 0, 0, list[int]()
    for step in steps:
        if step.count <= 0:
            back = min(suspect, -step.count)
            suspect, counted = suspect - back, max(0, counted + step.count + back)
            continue
        kept = min(step.count, _allowed(rates, band) * step.hours)
        counted, suspect = counted + kept, suspect + step.count - kept
        rates = [*rates, -(-kept // step.hours)][-HISTORY:]
    return Cleaned(counted, suspect)


def _allowed(rates: Sequence[int], band: Band) -> int:
    """The most that the next hour may have."""
    return band.start if len(rates) < FEW else max(band.least, FACTOR * median_low(rates))


def payable_of(
    counters: Sequence[Counter], since_ms: int | None, released: Mapping[Metric, int] = MappingProxyType({})
) -> list[Payable]:
    """Every metric that anybody counted, by its code. Clicks are those on our own link where there are any.

    `released` is what staff found payable of the excess of each."""
    found = {(one.metric, one.traffic, one.provenance): one for one in counters}
    own = found.get((Metric.LINK_CLICKS, Traffic.ORGANIC, Provenance.LINK))
    metrics = sorted({_shown(one.metric) for one in counters})
    numbers = (_payable(one, found.values(), own if one is Metric.CLICKS else None, since_ms) for one in metrics)
    return [_with_released(one, released.get(one.metric, 0)) for one in numbers]


def _with_released(number: Payable, released: int) -> Payable:
    """At most what is set aside now: a counter that fell has less."""
    aside = next((each.count for each in number.set_aside if each.reason == ABOVE), 0)
    freed = min(released, aside)
    if not freed:
        return number
    left = (replace(each, count=aside - freed) if each.reason == ABOVE else each for each in number.set_aside)
    return replace(number, payable=number.payable + freed, released=freed, set_aside=tuple(e for e in left if e.count))


def _shown(metric: Metric) -> Metric:
    """Clicks on our own links are clicks, and so are the requests that are none."""
    return Metric.CLICKS if metric in (Metric.LINK_CLICKS, Metric.LINK_REQUESTS) else metric


def _payable(metric: Metric, counters: Iterable[Counter], own: Counter | None, since_ms: int | None) -> Payable:
    mine = [one for one in counters if _shown(one.metric) is metric]
    measured = own or next((one for one in mine if _is_measured(one)), None)
    clean = cleaned(steps_of(measured, since_ms), BANDS[measured.metric]) if measured else Cleaned(0, 0)
    aside = [SetAside(ABOVE, clean.suspect)] if clean.suspect else []
    aside += [SetAside(*_why(one, own)) for one in mine if one is not measured]
    return Payable(metric, clean.counted, tuple(each for each in aside if each.count > 0))


def _is_measured(counter: Counter) -> bool:
    return counter.provenance is Provenance.PLATFORM and counter.traffic is Traffic.ORGANIC


def _why(counter: Counter, own: Counter | None) -> tuple[str, int]:
    """Why a counter is not payable, and how much it stands at."""
    if counter.metric is Metric.LINK_REQUESTS:
        return "link.no_visitor", counter.total - (own.total if own else 0)
    if counter.provenance is not Provenance.PLATFORM:
        return f"source.{counter.provenance.name.lower()}", counter.total
    return ("traffic.paid" if counter.traffic is Traffic.PAID else "clicks.counted_by_link"), counter.total
