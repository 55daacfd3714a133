"""Where no set keeps to all bounds: those that would have to give way, and by how much."""

from dataclasses import dataclass, replace

import numpy as np

from services.discovery.planning.model import Model, Row
from services.discovery.planning.program import FITTING, loaded, scale_of

LEAST_PART = 1e-6
NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that would have to give way, and by how much in its unit."""

    row: Row
    by: float


def missing(model: Model, limit_s: float) -> list[Missing]:
    """Where nothing fits: the rows that give way by the least together, each measured in parts of its own bound.

    Parts of creators are enough to see it, unless only whole ones do not fit.
    """
    for whole in (False, True):
        found = _given_way(model, limit_s / 2, whole)
        if found:
            return found
    return []


def _given_way(model: Model, limit_s: float, whole: bool) -> list[Missing]:
    size, units = len(model.worth), [_unit(row) for row in model.rows]
    elastic: list[Row] = []
    for at, (row, unit) in enumerate(zip(model.rows, units, strict=True)):
        if np.isfinite(row.low):
            elastic.append(_with_slack(replace(row, high=np.inf), size + at, unit))
        if np.isfinite(row.high):
            elastic.append(_with_slack(replace(row, low=-np.inf), size + at, -unit))
    worth = np.concatenate([np.zeros(size), -np.ones(len(units))])
    solver = loaded(replace(model, worth=worth, rows=elastic, curves=()), limit_s, NEAR, whole=whole)
    solver.run()
    if solver.getModelStatus() not in FITTING:
        return []
    slack = np.array(solver.getSolution().col_value[size : size + len(units)])
    given = zip(model.rows, slack, units, strict=True)
    return [Missing(row, float(part * unit)) for row, part, unit in given if part > LEAST_PART]


def _with_slack(row: Row, column: int, unit: float) -> Row:
    return replace(row, columns=np.append(row.columns, column), values=np.append(row.values, unit))


def _unit(row: Row) -> float:
    """What a row's giving way is measured in."""
    return max(*(abs(bound) for bound in (row.low, row.high) if np.isfinite(bound)), scale_of(row))
