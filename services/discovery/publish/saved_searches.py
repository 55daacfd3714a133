"""Saved searches in public, and the report of a look as a command to discovery itself."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dandelion.discovery.v1 import commands_pb2 as own
from dandelion.discovery.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, stamp
from google.protobuf.message import Message as Wire

from kernel.adapters.bus import Message
from kernel.adapters.requests import request
from kernel.core.ids import derived_id, stream_id
from services.discovery.domain.saved_search.events import (
    Event,
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)
from services.discovery.domain.saved_search.saved_search import CATEGORY


def wire_of(event: Event, search_id: str, at: datetime) -> Wire:
    return FORMS[type(event)](event, search_id, at)


def _saved(event: SearchSaved, search_id: str, at: datetime) -> Wire:
    return pb.SearchSaved(
        search_id=search_id,
        owner_id=event.owner,
        watched=event.watched,
        revision=event.revision,
        saved_at=stamp(at),
    )


def _looked(event: SavedSearchLooked, search_id: str, at: datetime) -> Wire:
    return pb.SavedSearchLooked(search_id=search_id, revision=event.revision, total=event.total, looked_at=stamp(at))


def _matched(event: SavedSearchMatched, search_id: str, at: datetime) -> Wire:
    return pb.SavedSearchMatched(
        search_id=search_id,
        owner_id=event.owner,
        name=event.name,
        first_number=event.first,
        creator_ids=event.creator_ids,
        matched_at=stamp(at),
    )


def _seen(event: MatchesSeen, search_id: str, at: datetime) -> Wire:
    return pb.SavedSearchMatchesSeen(search_id=search_id, number=event.number, seen_at=stamp(at))


def _deleted(event: SavedSearchDeleted, search_id: str, at: datetime) -> Wire:
    return pb.SavedSearchDeleted(search_id=search_id, owner_id=event.owner, deleted_at=stamp(at))


FORMS: dict[type, Callable[[Any, str, datetime], Wire]] = {
    SearchSaved: _saved,
    SavedSearchLooked: _looked,
    SavedSearchMatched: _matched,
    MatchesSeen: _seen,
    SavedSearchDeleted: _deleted,
}


def report(search_id: str, revision: int, creator_ids: Sequence[str], total: int, at: datetime) -> Message:
    """The same id for the same news of the same criteria."""
    asked = own.ReportSavedSearchMatches(search_id=search_id, revision=revision, creator_ids=creator_ids, total=total)
    request_id = derived_id("saved search", search_id, str(revision), *sorted(creator_ids))
    return request("discovery", form(asked), request_id, stream_id(CATEGORY, search_id), at)
