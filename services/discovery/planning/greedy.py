"""The plan that a spreadsheet would make: bounds from below first, then the best of each unit of money that still fits.

It stands beside the optimal one, so that a reader sees what the solver brings."""

import numpy as np
from numpy.typing import NDArray

from services.discovery.planning.model import Model, Row, broken, worth_of

Chosen = NDArray[np.bool_]


def greedy(model: Model) -> tuple[Chosen, bool]:
    """The set, and whether all rows hold for it."""
    prices = np.array([max(one.price_minor, 1) for one in model.candidates], dtype=np.float64)
    worth = model.worth[: model.size] if not model.cells else _alone(model)
    order = np.argsort(-worth / prices, kind="stable")
    chosen = np.zeros(model.size, dtype=bool)
    upper = _columns([row for row in model.rows if np.isfinite(row.high)], model.size)
    totals, highs = np.zeros(len(upper)), np.array([row.high for row in model.rows if np.isfinite(row.high)])

    def take(one: int) -> None:
        if not chosen[one] and bool((totals + upper[:, one] <= highs).all()):
            chosen[one] = True
            totals[:] += upper[:, one]

    for row in sorted((row for row in model.rows if row.low > 0), key=lambda row: len(row.columns)):
        inside = set(row.columns.tolist())
        for one in order:
            if broken(row, chosen) == 0:
                break
            if one in inside:
                take(int(one))
    for one in order:
        take(int(one))
    return chosen, all(broken(row, chosen) == 0 for row in model.rows)


def _alone(model: Model) -> NDArray[np.float64]:
    """What each creator would bring by itself."""
    return np.array([sum(one.cells.values()) for one in model.candidates])


def _columns(rows: list[Row], size: int) -> NDArray[np.float64]:
    full = np.zeros((len(rows), size))
    for at, row in enumerate(rows):
        full[at, row.columns] = row.values
    return full


def greedy_worth(model: Model) -> tuple[float, bool]:
    """What the greedy set brings, and whether it keeps to all bounds."""
    chosen, holds = greedy(model)
    return worth_of(model, chosen), holds
