"""A row per deal whose parties look like one; for staff only."""

from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target, fold_rows
from services.campaigns.domain.shared.events import DealMarked
from services.campaigns.projections.rows import STAFF, Row, taken
from services.campaigns.tables import MARKED_DEALS


async def apply_marks(target: Target, events: Sequence[Delivered[Any]]) -> None:
    own = [incoming for incoming in events if isinstance(incoming.event, DealMarked)]
    await fold_rows(target, MARKED_DEALS, own, lambda incoming: (split_stream(incoming.stream)[1],), fold)


def fold(row: Row | None, incoming: Delivered[Any]) -> Row:
    """An application that was released may be agreed again: the newest signs are kept."""
    event: DealMarked = incoming.event
    ids = {"application_id": split_stream(incoming.stream)[1], **taken(MARKED_DEALS, event.parties)}
    return ids | {"reasons": event.reasons, "marked_at": incoming.at, "readers": [*STAFF]}
