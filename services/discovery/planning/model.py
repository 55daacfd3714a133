"""A mix as a linear model: a column per candidate, a row per bound. Rows over candidates are of whole numbers.

Reach is concave: who is reached twice counts once. Of N people in a cell of which r are reached by chance, N(1 - exp(-r/N)) are
reached at least once; the model has that curve from above, as tangents, and the plan says the curve's own value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray

from kernel.core.money import BASIS_POINTS
from services.discovery.domain.mix import Goal, MixAsked, Quota
from services.discovery.planning.pool import Candidate

FOLLOWED = 3.0
"""An assumption: a person follows so many of the candidates of one cell, so that a cell has a third of all followers in it."""
TANGENTS = (0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 4.0)
"""Where the curve of a cell is touched, in parts of its people."""
CELLS_LIMIT = 200
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """`low <= sum of values x columns <= high`. `name` is what a person reads; `unit` what the bounds count."""

    name: str
    unit: str
    columns: NDArray[np.int64]
    values: Numbers
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """Columns: candidates (0 or 1), then people reached by cell. `worth` is each column's part of the goal."""

    candidates: Sequence[Candidate]
    worth: Numbers
    rows: Sequence[Row]
    curves: Sequence[Row] = field(default=())
    cells: Sequence[str] = ()
    people: Numbers = field(default_factory=lambda: np.zeros(0))

    @property
    def size(self) -> int:
        return len(self.candidates)


def model_of(asked: MixAsked, candidates: Sequence[Candidate]) -> Model:
    """The question as columns and rows."""
    prices = np.array([one.price_minor for one in candidates], dtype=np.float64)
    rows = list(_rows(asked, candidates, prices))
    if asked.goal is not Goal.REACH:
        return Model(candidates, np.array([one.forecast.median for one in candidates]), rows)
    cells, people, curves = _curves(candidates)
    worth = np.concatenate([np.zeros(len(candidates)), np.ones(len(cells))])
    return Model(candidates, worth, rows, curves, cells, people)


def _rows(asked: MixAsked, candidates: Sequence[Candidate], prices: Numbers) -> Iterator[Row]:
    everybody = np.arange(len(candidates))
    ones = np.ones(len(candidates))
    yield Row("budget", "minor", everybody, prices, -np.inf, asked.budget_minor)
    if asked.creators_min or asked.creators_max:
        yield Row("creators", "creators", everybody, ones, asked.creators_min, asked.creators_max or np.inf)
    for quota in asked.quotas:
        yield from _quota_rows(quota, candidates, prices)
    places = {one.creator_id: at for at, one in enumerate(candidates)}
    for creator_id in dict.fromkeys(asked.must):
        if creator_id in places:
            yield Row(f"must:{creator_id}", "creators", np.array([places[creator_id]]), np.ones(1), 1, np.inf)


def _quota_rows(quota: Quota, candidates: Sequence[Candidate], prices: Numbers) -> Iterator[Row]:
    label, name = (quota.kind.value, quota.value), f"{quota.kind}:{quota.value}"
    inside = np.array([label in one.labels for one in candidates], dtype=bool)
    columns = np.flatnonzero(inside)
    if quota.creators_min or quota.creators_max:
        high = quota.creators_max or np.inf
        yield Row(f"{name}:creators", "creators", columns, np.ones(len(columns)), quota.creators_min, high)
    everybody = np.arange(len(candidates))
    for bps, sign, side in ((quota.spend_min_bps, 1, "spend_min"), (quota.spend_max_bps, -1, "spend_max")):
        if bps:
            shares = sign * prices * (inside * BASIS_POINTS - bps)
            yield Row(f"{name}:{side}", "minor_bps", everybody, shares, 0, np.inf)


def _curves(candidates: Sequence[Candidate]) -> tuple[list[str], Numbers, list[Row]]:
    reached: dict[str, list[tuple[int, float]]] = {}
    for at, one in enumerate(candidates):
        for cell, count in one.cells.items():
            reached.setdefault(cell, []).append((at, count))
    cells = sorted(reached, key=lambda cell: -sum(count for _, count in reached[cell]))[:CELLS_LIMIT]
    people = np.array([_people([count for _, count in reached[cell]]) for cell in cells])
    rows: list[Row] = []
    for place, cell in enumerate(cells):
        columns = np.array([at for at, _ in reached[cell]] + [len(candidates) + place])
        counts = np.array([count for _, count in reached[cell]])
        for point in TANGENTS:
            slope, height = exp(-point), people[place] * (1 - exp(-point) * (1 + point))
            values = np.concatenate([-slope * counts, [1.0]])
            rows.append(Row(f"cell:{cell}", "people", columns, values, -np.inf, height))
    return cells, people, rows


def _people(counts: Sequence[float]) -> float:
    """How many there are in a cell: never fewer than its largest audience."""
    return max(sum(counts) / FOLLOWED, max(counts), 1.0)


def worth_of(model: Model, chosen: NDArray[np.bool_]) -> float:
    """What a set is expected to bring; of reach the curve itself."""
    if not model.cells:
        return float(model.worth[: model.size] @ chosen)
    places = {cell: at for at, cell in enumerate(model.cells)}
    reached = np.zeros(len(model.cells))
    for one in np.flatnonzero(chosen):
        for cell, count in model.candidates[int(one)].cells.items():
            if cell in places:
                reached[places[cell]] += count
    return float((model.people * (1 - np.exp(-reached / model.people))).sum())


def broken(row: Row, chosen: NDArray[np.bool_]) -> float:
    """By how much a set breaks a row, in its unit; 0 where the row holds. Sums of whole numbers are exact up to 2**53."""
    total = float(row.values[chosen[row.columns]].sum())
    return max(row.low - total, total - row.high, 0.0)
