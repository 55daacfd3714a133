"""A model solved by HiGHS as a mixed-integer program. Off the event loop: see `Desk`.

What comes back is rounded to 0 and 1 and checked in whole numbers; a row that a solver's tolerance would break is tightened and
solved again. `bound` is what no set can exceed, so that (bound - worth) / worth is the gap that is left.
"""

from dataclasses import dataclass, replace
from time import monotonic

import highspy
import numpy as np
from numpy.typing import NDArray

from kernel.core.faults import Unavailable
from services.discovery.planning.model import Model, Numbers, Row, broken
from services.discovery.planning.program import FITTING, NOTHING, TOLERANCE, Bounds, free, loaded, scale_of

GAP = 1e-6
"""A solution this near to its bound is called optimal."""
TIGHTENED = 3
CORE = 400
"""So many candidates stay open while a first good set is looked for."""
CORE_GAP = 1e-4
CORE_PART = 0.4
SIZES = 8
"""Classes of price, each with its part of the core: a large creator is no stand-in for small ones."""
LARGE = 150
LUMPY = 1e-3
"""A gap over which a few large creators are looked at by themselves."""
OPEN_LIMIT = 2_000
"""More undecided candidates than that are not searched exactly: the plan then says the gap that is left."""


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
    relaxation = _relaxation(model, limit_s)
    if relaxation is None:
        return Solution(None, 0.0, True)
    near = _tried(model, _core(model, relaxation), until, CORE_GAP, CORE_PART * limit_s)
    bound = relaxation.bound
    if near is None or near.chosen is None or bound - near.worth > LUMPY * abs(bound):
        near, bound = _by_the_large(model, near, bound, until, limit_s)
    if near is None or near.chosen is None:
        return _exactly(model, free(model), until, gap, limit_s)
    if bound - near.worth <= gap * abs(bound):
        return replace(near, bound=bound, is_optimal=gap <= GAP)
    left = _undecided(relaxation, near.worth)
    is_small = int((left[1] > left[0]).sum()) <= OPEN_LIMIT
    best = _tried(model, left, until, gap, limit_s) if is_small else None
    if best is None:
        return replace(near, bound=bound, is_optimal=False)
    if best.chosen is None or best.worth < near.worth:
        best = replace(near, bound=max(best.bound, near.worth), is_optimal=best.is_optimal)
    return replace(best, bound=min(max(best.bound, near.worth), bound))


def _by_the_large(
    model: Model, near: Solution | None, bound: float, until: float, limit_s: float
) -> tuple[Solution | None, float]:
    """(a better set, a lower bound) where a few large creators make the relaxation loose.

    The dearest are whole and all others in parts; with the dearest as that has them, the others are found as before.
    """
    large = np.argsort([-one.price_minor for one in model.candidates], kind="stable")[:LARGE]
    solver = loaded(model, max(min(until - monotonic(), CORE_PART * limit_s), 0.01), CORE_GAP, large=large)
    solver.run()
    info = solver.getInfo()
    if solver.getModelStatus() not in FITTING or not info.primal_solution_status:
        return near, bound
    bound = min(bound, info.mip_dual_bound)
    kept = np.round(np.array(solver.getSolution().col_value)[large])
    low, high = free(model)
    low[large] = high[large] = kept
    relaxation = _relaxation(model, max(until - monotonic(), 0.01), (low, high))
    if relaxation is None:
        return near, bound
    low, high = _core(model, relaxation)
    low[large] = high[large] = kept
    found = _tried(model, (low, high), until, CORE_GAP, CORE_PART * limit_s)
    is_better = found is not None and found.chosen is not None and (near is None or near.worth < found.worth)
    return (found if is_better else near), bound


def nearly(model: Model, limit_s: float) -> Solution:
    """A good set, in a fraction of the time: among the candidates that the relaxed model leaves open, with its bound."""
    relaxation = _relaxation(model, limit_s)
    if relaxation is None:
        return Solution(None, 0.0, True)
    found = _exactly(model, _core(model, relaxation), monotonic() + limit_s, CORE_GAP, limit_s)
    return replace(found, bound=relaxation.bound, is_optimal=False)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """In parts of creators: what is worth most, in which parts of each candidate, and what each would add beyond its costs."""

    bound: float
    parts: Numbers
    reduced: Numbers


def _relaxation(model: Model, limit_s: float, bounds: Bounds | None = None) -> Relaxation | None:
    """None where nothing fits; raises Unavailable when it was not solved in time."""
    solver = loaded(model, limit_s, GAP, whole=False, bounds=bounds)
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


def _core(model: Model, relaxation: Relaxation) -> Bounds:
    """Of each size of price those nearest to being as well out as in stay open; the others are as the relaxed model has them."""
    apart, prices = np.abs(relaxation.reduced), np.log([max(one.price_minor, 1) for one in model.candidates])
    edges = np.linspace(prices.min(), prices.max(), SIZES + 1)[1:-1]
    sizes = np.searchsorted(edges, prices)
    is_open = (relaxation.parts > TOLERANCE) & (relaxation.parts < 1 - TOLERANCE)
    for size in range(SIZES):
        alike = np.flatnonzero(sizes == size)
        is_open[alike[np.argsort(apart[alike], kind="stable")[: CORE // SIZES]]] = True
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
        solver = loaded(replace(model, rows=rows), max(min(until - monotonic(), limit_s), 0.01), gap, bounds=bounds)
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
    solver = loaded(model, limit_s, GAP, whole=False)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return Prices(np.zeros(len(model.rows)), np.zeros(model.size))
    found = solver.getSolution()
    scales = np.array([scale_of(row) for row in model.rows])
    return Prices(np.array(found.row_dual[: len(model.rows)]) / scales, np.array(found.col_dual[: model.size]))
