"""Charts as data and options: pure functions from numbers to what ECharts draws and to the table behind it.

Colours are Okabe's and Ito's, which colour-blind people tell apart. Bars begin at zero; axes name their unit; lines are named at
their ends where there are few, else in a legend.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C7A00", "#555555")
"""Okabe and Ito (2008); black is grey and yellow is darker here, so that both show on light and on dark ground."""
LABELS_AT_END = 4
"""Up to so many lines are named at their ends; more get a legend."""
APART = 0.08
"""Part of the chart's height that the name of a line takes."""
Value = float | None
"""None is a gap: not measured is not 0."""


@dataclass(frozen=True, slots=True)
class Series:
    """A named row of values, one for each place on the axis."""

    name: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers as a table: `head` names the columns, each row begins with its place on the axis."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a figure shows: `option` of ECharts, `table` behind it, `title` for those who do not see it."""

    title: str
    option: Mapping[str, Any]
    table: Table
    low: bool = field(default=False)

    def json(self) -> str:
        return json.dumps(self.option, ensure_ascii=False)


def _grid(right: int = 16) -> dict[str, Any]:
    return {"left": 8, "right": right, "top": 32, "bottom": 8, "containLabel": True}


def _table(axis: str, places: Sequence[str], series: Sequence[Series], write: Callable[[float], str]) -> Table:
    rows = [
        [place, *("–" if (value := one.values[at]) is None else write(value) for one in series)]
        for at, place in enumerate(places)
    ]
    return Table([axis, *(one.name for one in series)], rows)


def _end_apart(series: Sequence[Series]) -> bool:
    """Whether the lines end so far from each other that their names do not overlap."""
    highest = max((value for one in series for value in one.values if value is not None), default=0.0)
    ends = sorted(one.values[-1] or 0.0 for one in series if one.values)
    return all(after - before >= highest * APART for before, after in pairwise(ends))


def lines(
    title: str,
    axis: str,
    places: Sequence[str],
    series: Sequence[Series],
    unit: str,
    write: Callable[[float], str] = lambda value: f"{value:,.0f}",
    areas: bool = False,
) -> Chart:
    """Lines over time or rank; `places` are the axis's words, in order."""
    named_at_end = 1 < len(series) <= LABELS_AT_END and _end_apart(series)
    drawn = [
        {
            "type": "line",
            "name": one.name,
            "data": list(one.values),
            "showSymbol": len(places) <= 2,
            "lineStyle": {"width": 2},
            **({"areaStyle": {"opacity": 0.12}} if areas else {}),
            **({"endLabel": {"show": True, "formatter": "{a}", "color": PALETTE[at]}} if named_at_end else {}),
            "labelLayout": {"moveOverlap": "shiftY"},
        }
        for at, one in enumerate(series)
    ]
    option = {
        "color": PALETTE,
        "aria": {"enabled": True},
        "grid": _grid(96 if named_at_end else 16),
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": list(places), "boundaryGap": False},
        "yAxis": {"type": "value", "name": unit, "min": 0},
        **({"legend": {"top": 0, "right": 0}} if len(series) > 1 and not named_at_end else {}),
        "series": drawn,
    }
    return Chart(title, option, _table(axis, places, series, write))


def bars(
    title: str,
    axis: str,
    places: Sequence[str],
    series: Sequence[Series],
    unit: str,
    write: Callable[[float], str] = lambda value: f"{value:,.0f}",
    lying: bool = True,
) -> Chart:
    """Bars from zero, one group for each place; lying ones have room for long names."""
    words = {"type": "category", "data": list(places), **({"inverse": True} if lying else {})}
    numbers = {"type": "value", "name": unit, "min": 0}
    option = {
        "color": PALETTE,
        "aria": {"enabled": True},
        "grid": _grid(56),
        "tooltip": {"trigger": "axis"},
        "xAxis": numbers if lying else words,
        "yAxis": words if lying else numbers,
        **({"legend": {"top": 0, "right": 0}} if len(series) > 1 else {}),
        "series": [{"type": "bar", "name": one.name, "data": list(one.values), "barMaxWidth": 22} for one in series],
    }
    return Chart(title, option, _table(axis, places, series, write), low=len(places) <= 4 and lying)


def funnel(
    title: str,
    axis: str,
    unit: str,
    steps: Sequence[tuple[str, float]],
    write: Callable[[float], str] = lambda value: f"{value:,.0f}",
    ratio: Callable[[float], str] = lambda value: f"{value:.1%}",
) -> Chart:
    """Steps that each keep a part of the one before, as lying bars; the table says the part."""
    rows, before = [], None
    for name, value in steps:
        rows.append([name, write(value), "–" if not before else ratio(value / before)])
        before = value
    drawn = bars(title, axis, [name for name, _ in steps], [Series(unit, [value for _, value in steps])], unit, write)
    return Chart(title, drawn.option, Table([axis, unit, "→"], rows), low=True)
