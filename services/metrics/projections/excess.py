"""What staff released of the excess that was set aside: a row per content and metric."""

from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target, fold_rows
from services.metrics.domain.excess import ExcessReleased
from services.metrics.projections.rows import STAFF, Row
from services.metrics.tables import RELEASED_EXCESS


async def apply_excess(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, RELEASED_EXCESS, events, _key, _fold)


def _key(incoming: Delivered[Any]) -> tuple[str, str] | None:
    event = incoming.event
    return (event.content_id, event.metric.name.lower()) if isinstance(event, ExcessReleased) else None


def _fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    event = incoming.event
    if not isinstance(event, ExcessReleased):
        return row
    return {
        "content_id": event.content_id, "metric": event.metric.name.lower(), "released": event.count,
        "reason": event.reason, "released_at": incoming.at,
        "readers": sorted({event.brand_id, event.creator_id, *STAFF}),
    }  # fmt: skip


EXCESS_LIST = Projection("excess", 1, (RELEASED_EXCESS,), apply_excess)
