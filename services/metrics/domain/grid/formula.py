"""The formula `grid@1`: from counters of contents to the cells of a creator's performance grid. Pure, and without floats.

A content counts in a window by the moment it was published, with its counters as they stand. Where any content of a cell was
measured, the cell rests on such contents only: what a creator or a brand says of a content never outranks a measurement.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

from services.metrics.domain.engagement import MEASURED, Metric, Provenance, Traffic

FORMULA = "grid@1"
WINDOWS_DAYS = (30, 90)
MICROS = 1_000_000
ENGAGING = (Metric.LIKES, Metric.SAVES, Metric.COMMENTS, Metric.SHARES, Metric.FOLLOWS)
READING = (Metric.READS, Metric.VIEWS)
"""What counts as reads: the first that is known, reads of notes before views of video and live."""


class Purpose(StrEnum):
    """Why a content was made."""

    DAILY = "daily"
    COOPERATION = "cooperation"


class Reach(StrEnum):
    """Which traffic a cell counts."""

    ALL = "all"
    ORGANIC = "organic"


@dataclass(frozen=True, slots=True)
class GridCell:
    """Medians and ratios of one kind of content; None: not measured. `format` is a word of common.Format, `provenance` of
    common.Provenance; `*_micros` are ratios in millionths."""

    purpose: Purpose
    format: str
    window_days: int
    reach: Reach
    contents: int
    exposures: int | None
    reads: int | None
    engagements: int | None
    read_rate_micros: int | None
    engagement_rate_micros: int | None
    hundred_like_micros: int | None
    thousand_like_micros: int | None
    provenance: str


Counts = Mapping[tuple[Metric, Traffic], tuple[Provenance, int]]
"""By metric and traffic: the best source that counted, and its number."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One content and its counters."""

    purpose: Purpose
    format: str
    published_at: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class _Figures:
    """A content's counts of one reach; None where nobody counted."""

    exposures: int | None
    reads: int | None
    engagements: int | None
    likes: int | None
    source: Provenance


def grid(contents: Iterable[Counted], at: datetime) -> tuple[GridCell, ...]:
    """The cells that have any content, in one order."""
    groups: dict[tuple[Purpose, str, int, Reach], list[_Figures]] = {}
    for content in contents:
        for days, reach in product(WINDOWS_DAYS, Reach):
            if at - timedelta(days=days) < content.published_at <= at and (found := _figures(content, reach)):
                groups.setdefault((content.purpose, content.format, days, reach), []).append(found)
    return tuple(_cell(key, groups[key]) for key in sorted(groups))


def _figures(content: Counted, reach: Reach) -> _Figures | None:
    """None where no count of the content is known."""
    kinds = tuple(Traffic) if reach is Reach.ALL else (Traffic.ORGANIC,)
    counts = {key: told for key, told in content.counts.items() if key[1] in kinds}

    def total(*metrics: Metric) -> int | None:
        told = [number for (metric, _), (_, number) in counts.items() if metric in metrics]
        return sum(told) if told else None

    used = (Metric.EXPOSURES, *READING, *ENGAGING)
    sources = [source for (metric, _), (source, _) in counts.items() if metric in used]
    if not sources:
        return None
    reads = next((found for metric in READING if (found := total(metric)) is not None), None)
    return _Figures(total(Metric.EXPOSURES), reads, total(*ENGAGING), total(Metric.LIKES), max(sources, key=_distrust))


def _distrust(source: Provenance) -> tuple[bool, int]:
    return source not in MEASURED, int(source)


def _cell(key: tuple[Purpose, str, int, Reach], all_figures: Sequence[_Figures]) -> GridCell:
    figures = [one for one in all_figures if one.source in MEASURED] or all_figures
    return GridCell(
        *key,
        contents=len(figures),
        exposures=_median(figures, lambda one: one.exposures),
        reads=_median(figures, lambda one: one.reads),
        engagements=_median(figures, lambda one: one.engagements),
        read_rate_micros=_rate([(one.reads, one.exposures) for one in figures]),
        engagement_rate_micros=_rate([(one.engagements, one.reads) for one in figures]),
        hundred_like_micros=_share([one.likes for one in figures], 100),
        thousand_like_micros=_share([one.likes for one in figures], 1_000),
        provenance=max((one.source for one in figures), key=_distrust).name.lower(),
    )


def _median(figures: Sequence[_Figures], of: Callable[[_Figures], int | None]) -> int | None:
    told = sorted(value for one in figures if (value := of(one)) is not None)
    middle = len(told) // 2
    if not told:
        return None
    return told[middle] if len(told) % 2 else (told[middle - 1] + told[middle]) // 2


def _rate(pairs: Iterable[tuple[int | None, int | None]]) -> int | None:
    """Sum over sum in millionths, over contents that have both; more than 1 where platforms count so."""
    whole = [(above, below) for above, below in pairs if above is not None and below is not None]
    below = sum(pair[1] for pair in whole)
    return sum(pair[0] for pair in whole) * MICROS // below if below else None


def _share(likes: Iterable[int | None], least: int) -> int | None:
    told = [count for count in likes if count is not None]
    return sum(count >= least for count in told) * MICROS // len(told) if told else None
