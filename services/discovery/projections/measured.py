"""Writes what is measured of creators. Known so far: medians that were reported by hand, purpose `reported`."""

from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.events import PerformanceReported
from services.discovery.domain.figures import Performance
from services.discovery.tables.measured import CREATOR_GRID, MICROS

Row = dict[str, Any]
PURPOSE, TRAFFIC = "reported", "all"


async def apply_measured(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Every report replaces the cell of its format and window."""
    reports = [one for one in events if isinstance(one.event, PerformanceReported)]
    await fold_rows(target, CREATOR_GRID, reports, _key, _cell)


def _key(incoming: Delivered[Any]) -> tuple[Any, ...]:
    figures: Performance = incoming.event.performance
    return split_stream(incoming.stream)[1], PURPOSE, figures.format.value, figures.window_days, TRAFFIC


def _cell(_: Row | None, incoming: Delivered[Any]) -> Row:
    figures: Performance = incoming.event.performance
    named = zip((column.name for column in CREATOR_GRID.primary_key.columns), _key(incoming), strict=True)
    return dict.fromkeys(column.name for column in CREATOR_GRID.columns) | dict(named) | {
        "exposures": figures.exposures,
        "reads": figures.reads,
        "engagements": figures.engagements,
        "read_rate_micros": _ratio(figures.reads, figures.exposures),
        "engagement_rate_micros": _ratio(figures.engagements, figures.reads),
        "provenance": figures.provenance.value,
        "formula": "",
        "measured_at": figures.observed_at,
    }  # fmt: skip


def _ratio(part: int, whole: int) -> int | None:
    return part * MICROS // whole if whole else None
