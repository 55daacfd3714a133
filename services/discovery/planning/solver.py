"""A model solved by HiGHS as a mixed-integer program. Off the event loop: see `Desk`.

What comes back is rounded to 0 and 1 and checked in whole numbers; a row that a solver's tolerance would break is tightened and
solved again. `bound` is what no set can exceed, so that (bound - worth) / worth is the gap that is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

import highspy
import numpy as np
from numpy.typing import NDArray

from kernel.core.faults import Unavailable
from services.discovery.planning.model import Model, Numbers, Row, broken

GAP = 1e-6
"""A solution this near to its bound is called optimal."""
TIGHTENED = 3
TOLERANCE = 1e-9
CORE = 400
"""So many candidates stay open while a first good set is looked for."""
CORE_GAP = 1e-4
CORE_PART = 0.5
OPEN_LIMIT = 2_000
"""More undecided candidates than that are not searched exactly: the plan then says the gap that is left."""
LEAST_PART = 1e-6
Bounds = tuple[Numbers, Numbers]
FITTING = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)
NOTHING = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True, slots=True)
class Solution:
    """`chosen` is None where no set keeps to all rows. `bound` is in the goal's unit, `is_optimal` proven within 1e-6."""

    chosen: NDArray[np.bool_] | None
    bound: float
    is_optimal: bool
    worth: float = 0.0
    """As the model has it: of reach, the tangents' value."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Of the relaxed model, in which parts of creators can be had: what one more unit of each row would bring, and what each
    candidate brings beyond what the rows that it takes from would bring elsewhere."""

    rows: Numbers
    reduced: Numbers


def solve(model: Model, limit_s: float, gap: float = GAP) -> Solution:
    """The best set, or the best that was found in time; raises Unavailable `mix.not_solved` where none was found in time.

    Most candidates are decided by the relaxed model: a good set is found among those that it leaves open, and who could only
    lower that set's worth, by more than the relaxation's bound leaves room for, is fixed before the exact search.
    """
    until = monotonic() + limit_s
    relaxed_model = _relaxation(model, limit_s)
    if relaxed_model is None:
        return Solution(None, 0.0, True)
    near = _tried(model, _core(relaxed_model), until, CORE_GAP, CORE_PART * limit_s)
    if near is None or near.chosen is None:
        return _exactly(model, _free(model), until, gap, limit_s)
    if relaxed_model.bound - near.worth <= gap * abs(relaxed_model.bound):
        return replace(near, bound=relaxed_model.bound, is_optimal=gap <= GAP)
    left = _undecided(relaxed_model, near.worth)
    is_small = int((left[1] > left[0]).sum()) <= OPEN_LIMIT
    best = _tried(model, left, until, gap, limit_s) if is_small else None
    if best is None:
        return replace(near, bound=relaxed_model.bound, is_optimal=False)
    if best.chosen is None or best.worth < near.worth:
        best = replace(near, bound=max(best.bound, near.worth), is_optimal=best.is_optimal)
    return replace(best, bound=min(max(best.bound, near.worth), relaxed_model.bound))


def nearly(model: Model, limit_s: float) -> Solution:
    """A good set, in a fraction of the time: among the candidates that the relaxed model leaves open, with its bound."""
    relaxed_model = _relaxation(model, limit_s)
    if relaxed_model is None:
        return Solution(None, 0.0, True)
    found = _exactly(model, _core(relaxed_model), monotonic() + limit_s, CORE_GAP, limit_s)
    return replace(found, bound=relaxed_model.bound, is_optimal=False)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """In parts of creators: what is worth most, in which parts of each candidate, and what each would add beyond its costs."""

    bound: float
    parts: Numbers
    reduced: Numbers


def _relaxation(model: Model, limit_s: float) -> Relaxation | None:
    """None where nothing fits; raises Unavailable when it was not solved in time."""
    solver = _loaded(model, limit_s, GAP, whole=False)
    solver.run()
    status = solver.getModelStatus()
    if status in NOTHING:
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise Unavailable("mix.not_solved", limit_s=round(limit_s))
    found = solver.getSolution()
    worth = solver.getInfo().objective_function_value
    size = model.size
    return Relaxation(worth, np.array(found.col_value[:size]), np.array(found.col_dual[:size]))


def _free(model: Model) -> Bounds:
    return np.zeros(model.size), np.ones(model.size)


def _core(relaxation: Relaxation) -> Bounds:
    """Who is nearest to being as well out as in stays open; the others are as the relaxed model has them."""
    size = len(relaxation.parts)
    is_open = np.zeros(size, dtype=bool)
    is_open[np.argsort(np.abs(relaxation.reduced), kind="stable")[:CORE]] = True
    is_open |= (relaxation.parts > TOLERANCE) & (relaxation.parts < 1 - TOLERANCE)
    fixed = np.round(relaxation.parts)
    return np.where(is_open, 0.0, fixed), np.where(is_open, 1.0, fixed)


def _undecided(relaxation: Relaxation, worth: float) -> Bounds:
    """Whose change alone would cost more than the room between the relaxation's bound and a known set is fixed."""
    room = (relaxation.bound - worth) * (1 + 1e-9) + 1e-9 * abs(relaxation.bound)
    is_in, is_out = relaxation.reduced > room, relaxation.reduced < -room
    return np.where(is_in, 1.0, 0.0), np.where(is_out, 0.0, 1.0)


def _tried(model: Model, bounds: Bounds, until: float, gap: float, limit_s: float) -> Solution | None:
    """None where nothing was found in time."""
    try:
        return _exactly(model, bounds, until, gap, limit_s)
    except Unavailable:
        return None


def _exactly(model: Model, bounds: Bounds, until: float, gap: float, limit_s: float) -> Solution:
    """A set of whole creators within the bounds; `chosen` is None where none keeps to all rows."""
    rows, bound = list(model.rows), np.inf
    for _ in range(TIGHTENED):
        solver = _loaded(replace(model, rows=rows), max(min(until - monotonic(), limit_s), 0.01), gap, bounds=bounds)
        solver.run()
        status = solver.getModelStatus()
        if status in NOTHING:
            return Solution(None, 0.0, True)
        info = solver.getInfo()
        if status not in FITTING or not np.isfinite(info.objective_function_value) or not info.primal_solution_status:
            raise Unavailable("mix.not_solved", limit_s=round(limit_s))
        bound = min(bound, info.mip_dual_bound)
        chosen = np.array(solver.getSolution().col_value[: model.size]) > 0.5
        over = [broken(row, chosen) for row in model.rows]
        if not any(over):
            worth = float(info.objective_function_value)
            return Solution(chosen, float(bound), bool(abs(bound - worth) <= GAP * abs(bound) + 1e-9), worth)
        rows = [_tightened(row, by) for row, by in zip(rows, over, strict=True)]
    raise Unavailable("mix.not_solved", limit_s=round(limit_s))


def _tightened(row: Row, by: float) -> Row:
    return replace(row, low=row.low + by, high=row.high - by) if by else row


def prices_of(model: Model, limit_s: float) -> Prices:
    """Of the relaxed model; nothing but zeros where the relaxation was not solved in time."""
    solver = _loaded(model, limit_s, GAP, whole=False)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return Prices(np.zeros(len(model.rows)), np.zeros(model.size))
    found = solver.getSolution()
    scales = np.array([_scale(row) for row in model.rows])
    return Prices(np.array(found.row_dual[: len(model.rows)]) / scales, np.array(found.col_dual[: model.size]))


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
    solver = _loaded(replace(model, worth=worth, rows=elastic, curves=()), limit_s, 1e-3, whole=whole)
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
    return max(*(abs(bound) for bound in (row.low, row.high) if np.isfinite(bound)), _scale(row))


def _scale(row: Row) -> float:
    return float(np.abs(row.values).max(initial=0.0)) or 1.0


def _loaded(
    model: Model, limit_s: float, gap: float, whole: bool = True, bounds: Bounds | None = None
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
    low, high = bounds or _free(model)
    program.col_lower_ = np.concatenate([low, np.zeros(columns - model.size)])
    program.col_upper_ = np.concatenate([high, np.full(columns - model.size, highspy.kHighsInf)])
    kinds = [highspy.HighsVarType.kInteger] * model.size + [highspy.HighsVarType.kContinuous] * (columns - model.size)
    program.integrality_ = kinds if whole else []
    _fill(program, rows)
    solver.passModel(program)
    return solver


def _fill(program: highspy.HighsLp, rows: Sequence[Row]) -> None:
    scales = [_scale(row) for row in rows]
    program.row_lower_ = np.array([row.low / scale for row, scale in zip(rows, scales, strict=True)])
    program.row_upper_ = np.array([row.high / scale for row, scale in zip(rows, scales, strict=True)])
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kRowwise
    matrix.start_ = np.concatenate([[0], np.cumsum([len(row.columns) for row in rows])]).astype(np.int32)
    matrix.index_ = np.concatenate([np.zeros(0), *(row.columns for row in rows)]).astype(np.int32)
    matrix.value_ = np.concatenate(
        [np.zeros(0), *(row.values / scale for row, scale in zip(rows, scales, strict=True))]
    )
