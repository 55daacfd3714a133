"""The posting calendar: a row per deliverable from the moment it has a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target, fold_rows
from services.campaigns.domain.shared.content_events import ContentPublished, ContentScheduled, ContentTakenDown
from services.campaigns.domain.shared.work_events import CollaborationCancelled, DeliverableLapsed, Ended
from services.campaigns.projections.rows import STAFF, Row, blank, taken
from services.campaigns.tables import POSTINGS


async def apply_postings(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, POSTINGS, [each for incoming in events for each in _apart(incoming)], key, fold)


def _apart(incoming: Delivered[Any]) -> Iterator[Delivered[Any]]:
    """A cancellation ends several deliverables: one entry each."""
    match incoming.event:
        case CollaborationCancelled(deliverables=ended):
            yield from (incoming._replace(event=each) for each in ended)
        case DeliverableLapsed(ended=ended):
            yield incoming._replace(event=ended)
        case _:
            yield incoming


def key(incoming: Delivered[Any]) -> Key | None:
    match incoming.event:
        case (
            ContentScheduled(deliverable_id=uuid)
            | ContentPublished(deliverable_id=uuid)
            | ContentTakenDown(deliverable_id=uuid)
            | Ended(deliverable_id=uuid)
        ):
            return (uuid,)
        case _:
            return None


def fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """The row after an event; what was never scheduled has none."""
    match incoming.event:
        case ContentScheduled() as event:
            return _scheduled(event, split_stream(incoming.stream)[1])
        case ContentPublished() as event if row:
            return row | taken(POSTINGS, event) | {"status": "published"}
        case ContentTakenDown() if row:
            return row | {"status": "taken_down"}
        case Ended() if row:
            return row | {"status": "dropped"}
        case _:
            return row


def _scheduled(event: ContentScheduled, collaboration_id: str) -> Row:
    parties = event.parties
    return {
        **blank(POSTINGS),
        **taken(POSTINGS, parties),
        **taken(POSTINGS, event),
        "collaboration_id": collaboration_id,
        "status": "scheduled",
        "readers": [parties.brand_id, parties.creator_id, *STAFF],
    }
