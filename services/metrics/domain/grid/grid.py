"""Decider of a creator's performance grid (stream `grid-<creator id>`): what was computed is kept where it says something new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id, split_stream
from services.metrics.domain.grid.formula import FORMULA, GridCell

CELLS_LIMIT = 100
"""Two purposes, four formats, two windows and two reaches are 32."""
SAY_AGAIN = timedelta(days=1)
"""Numbers that stay as they are get a new date at most so often."""


@dataclass(frozen=True, slots=True)
class RecordGrid:
    """By the pass that measures; `measured_at` is UTC."""

    creator_id: str
    measured_at: datetime
    cells: tuple[GridCell, ...]
    formula: str = FORMULA


@dataclass(frozen=True, slots=True)
class GridMeasured:
    """The whole grid; no cells: nothing was published within the windows."""

    creator_id: str
    measured_at: datetime
    cells: tuple[GridCell, ...]
    formula: str


@dataclass(frozen=True, slots=True)
class GridState:
    measured: GridMeasured | None = None


def decide(command: RecordGrid, state: GridState, context: Context) -> Sequence[GridMeasured]:
    """Raises Forbidden for anyone but the system, Invalid on a grid that no pass computes; an older one decides nothing."""
    context.actor.require("system")
    checked_id(command.creator_id)
    if split_stream(context.stream)[1] != command.creator_id:
        raise Refused("grid.of_another_creator", expected=command.creator_id)
    if len(command.cells) > CELLS_LIMIT:
        raise Invalid("grid.too_many_cells", limit=CELLS_LIMIT)
    return [_measured(command)] if _is_news(command, state.measured) else []


def _is_news(command: RecordGrid, last: GridMeasured | None) -> bool:
    if last is None:
        return bool(command.cells)
    if command.measured_at <= last.measured_at:
        return False
    same = (command.cells, command.formula) == (last.cells, last.formula)
    return not same or (bool(command.cells) and command.measured_at - last.measured_at >= SAY_AGAIN)


def _measured(command: RecordGrid) -> GridMeasured:
    return GridMeasured(command.creator_id, command.measured_at, command.cells, command.formula)


def evolve(state: GridState, event: GridMeasured) -> GridState:
    return GridState(event)


GRID: Decider[RecordGrid, GridState, GridMeasured] = Decider("grid", GridState(), decide, evolve)
