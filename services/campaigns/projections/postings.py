"""The posting calendar: a row per deliverable from the moment it has a time."""

from collections.abc import Callable, Iterator, Sequence
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


MARKS: dict[type, Callable[[Any], Row]] = {
    ContentPublished: lambda event: taken(POSTINGS, event) | {"status": "published"},
    ContentTakenDown: lambda _: {"status": "taken_down"},
    Ended: lambda _: {"status": "dropped"},
}
"""The columns that an event changes of a deliverable that was scheduled."""


def key(incoming: Delivered[Any]) -> Key | None:
    event = incoming.event
    return (event.deliverable_id,) if type(event) in (ContentScheduled, *MARKS) else None


def fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """The row after an event; a deliverable that was never scheduled has none."""
    event = incoming.event
    if isinstance(event, ContentScheduled):
        return _scheduled(event, split_stream(incoming.stream)[1])
    return row | MARKS[type(event)](event) if row else None


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
