"""A model as HiGHS takes it: columns between bounds, rows divided by their largest value, so that one tolerance suits all."""

from collections.abc import Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from services.discovery.planning.model import Model, Numbers, Row

TOLERANCE = 1e-9
Bounds = tuple[Numbers, Numbers]
"""Of each candidate: 0 and 1 for who may be in or out, twice the same for who is decided."""
FITTING = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)
NOTHING = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


def free(model: Model) -> Bounds:
    """Everybody may be in or out."""
    return np.zeros(model.size), np.ones(model.size)


def scale_of(row: Row) -> float:
    return float(np.abs(row.values).max(initial=0.0)) or 1.0


def loaded(
    model: Model,
    limit_s: float,
    gap: float,
    whole: bool = True,
    bounds: Bounds | None = None,
    large: NDArray[np.int64] | None = None,
) -> highspy.Highs:
    """Rows are divided by their largest value, so that one tolerance suits them all."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options = {
        "output_flag": False, "threads": 1, "time_limit": limit_s, "mip_rel_gap": gap, "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": TOLERANCE, "primal_feasibility_tolerance": TOLERANCE,
    }  # fmt: skip
    for name, value in options.items():
        solver.setOptionValue(name, value)
    rows, columns = [*model.rows, *model.curves], len(model.worth)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = columns, len(rows)
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = model.worth
    low, high = bounds or free(model)
    program.col_lower_ = np.concatenate([low, np.zeros(columns - model.size)])
    program.col_upper_ = np.concatenate([high, np.full(columns - model.size, highspy.kHighsInf)])
    is_whole = np.zeros(columns, dtype=bool)
    is_whole[: model.size] = whole and large is None
    if large is not None:
        is_whole[large] = True
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    program.integrality_ = [kinds[int(one)] for one in is_whole] if whole else []
    _fill(program, rows)
    solver.passModel(program)
    return solver


def _fill(program: highspy.HighsLp, rows: Sequence[Row]) -> None:
    scales = [scale_of(row) for row in rows]
    program.row_lower_ = np.array([row.low / scale for row, scale in zip(rows, scales, strict=True)])
    program.row_upper_ = np.array([row.high / scale for row, scale in zip(rows, scales, strict=True)])
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = np.concatenate([[0], np.cumsum([len(row.columns) for row in rows])]).astype(np.int32)
    matrix.index_ = np.concatenate([np.zeros(0), *(row.columns for row in rows)]).astype(np.int32)
    matrix.value_ = np.concatenate(
        [np.zeros(0), *(row.values / scale for row, scale in zip(rows, scales, strict=True))]
    )
