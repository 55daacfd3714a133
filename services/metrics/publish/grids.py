"""Creators' own posts and performance grids in public, and the command that a measuring pass sends."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, stamp, time_of
from dandelion_contracts.words import number, word
from google.protobuf.message import Message as Wire

from kernel.adapters.bus import Message
from kernel.adapters.requests import request
from kernel.core.ids import derived_id, stream_id
from services.metrics.domain.grid.formula import MICROS, GridCell, Purpose, Reach
from services.metrics.domain.grid.grid import GridMeasured, RecordGrid
from services.metrics.domain.post.post import PostRegistered

RATIO_LIMIT = 1e12
MEDIANS = {"exposures": "exposure_median", "reads": "read_median", "engagements": "engagement_median"}
RATIOS = {
    "read_rate_micros": "read_rate",
    "engagement_rate_micros": "engagement_rate",
    "hundred_like_micros": "hundred_like_share",
    "thousand_like_micros": "thousand_like_share",
}
"""A cell's fields and their public names; a field that was not measured is not set."""


def _registered(event: PostRegistered, at: datetime) -> pb.PostRegistered:
    return pb.PostRegistered(
        content_id=event.content_id,
        creator_id=event.creator_id,
        platform=number(common.Platform, event.platform),
        format=number(common.Format, event.format),
        published_at=stamp(event.published_at),
        registered_at=stamp(at),
    )


def _measured(event: GridMeasured, at: datetime) -> pb.PerformanceUpdated:
    return pb.PerformanceUpdated(
        creator_id=event.creator_id,
        cells=map(wire_cell, event.cells),
        formula=event.formula,
        measured_at=stamp(event.measured_at),
        recorded_at=stamp(at),
    )


def wire_cell(cell: GridCell) -> pb.GridCell:
    medians = {public: getattr(cell, name) for name, public in MEDIANS.items()}
    ratios = {public: found / MICROS for name, public in RATIOS.items() if (found := getattr(cell, name)) is not None}
    return pb.GridCell(
        purpose=number(pb.Purpose, cell.purpose),
        format=number(common.Format, cell.format),
        window_days=cell.window_days,
        traffic=common.TRAFFIC_ORGANIC if cell.reach is Reach.ORGANIC else common.TRAFFIC_UNSPECIFIED,
        contents=cell.contents,
        provenance=number(common.Provenance, cell.provenance),
        **medians,
        **ratios,
    )


def _micros(ratio: float) -> int:
    """Millionths; raises ValueError for what is no ratio of counts."""
    if not 0 <= ratio <= RATIO_LIMIT:
        raise ValueError(f"{ratio} is no ratio of counts")
    return round(ratio * MICROS)


def cell_of(wire: pb.GridCell) -> GridCell:
    """The cell that a message says; the inverse of wire_cell."""
    medians = {name: getattr(wire, public) if wire.HasField(public) else None for name, public in MEDIANS.items()}  # type: ignore[arg-type]
    ratios = {
        name: _micros(getattr(wire, public)) if wire.HasField(public) else None  # type: ignore[arg-type]
        for name, public in RATIOS.items()
    }
    return GridCell(
        purpose=Purpose(word(pb.Purpose, wire.purpose)),
        format=word(common.Format, wire.format),
        window_days=wire.window_days,
        reach=Reach.ORGANIC if wire.traffic == common.TRAFFIC_ORGANIC else Reach.ALL,
        contents=wire.contents,
        provenance=word(common.Provenance, wire.provenance),
        **medians,
        **ratios,
    )


def grid_request(creator_id: str, cells: tuple[GridCell, ...], formula: str, at: datetime) -> Message:
    """What a pass computed as a command to metrics itself. All replicas that measure for one moment send one id."""
    asked = own.RecordGrid(creator_id=creator_id, cells=map(wire_cell, cells), formula=formula, measured_at=stamp(at))
    request_id = derived_id("grid request", creator_id, at.isoformat())
    return request("metrics", form(asked), request_id, stream_id("grid", creator_id), at)


def record_grid(asked: own.RecordGrid) -> tuple[str, RecordGrid]:
    """The stream and the command of a request; raises ValueError for a cell of no purpose."""
    cells = tuple(map(cell_of, asked.cells))
    command = RecordGrid(asked.creator_id, time_of(asked.measured_at), cells, asked.formula)
    return stream_id("grid", asked.creator_id), command


GRID_FORMS: dict[type, Callable[[Any, datetime], Wire]] = {PostRegistered: _registered, GridMeasured: _measured}
