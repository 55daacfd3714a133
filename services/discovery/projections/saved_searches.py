"""Writes saved searches and who was told of each, from discovery's own log. Only their owner reads them."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target
from services.discovery.domain.saved_search.events import (
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)
from services.discovery.tables.saved_searches import SAVED_SEARCH_MATCHES, SAVED_SEARCHES

Row = dict[str, Any]
READ = (SearchSaved, SavedSearchLooked, SavedSearchMatched, MatchesSeen, SavedSearchDeleted)


async def apply_saved_searches(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per saved search, and a row per creator that was told of one."""
    read = [one for one in events if isinstance(one.event, READ)]
    ids = sorted({_id(one) for one in read})
    rows = {key[0]: row for key, row in (await target.rows(SAVED_SEARCHES, [(one,) for one in ids])).items()}
    told: dict[tuple[str, str], Row] = {}
    for incoming in read:
        search_id = _id(incoming)
        before = rows.get(search_id)
        after = _folded(before, incoming)
        if after is None or (before is not None and after["revision"] != before["revision"]):
            await _forget(target, search_id)
            told = {key: row for key, row in told.items() if key[0] != search_id}
        rows.pop(search_id, None)
        if after is not None:
            rows[search_id] = after
            told |= {(row["search_id"], row["creator_id"]): row for row in _told(after, incoming)}
    await target.upsert(SAVED_SEARCHES, list(rows.values()))
    await target.delete(SAVED_SEARCHES, [(one,) for one in ids if one not in rows])
    await target.upsert(SAVED_SEARCH_MATCHES, list(told.values()))


def _id(incoming: Delivered[Any]) -> str:
    return split_stream(incoming.stream)[1]


async def _forget(target: Target, search_id: str) -> None:
    """What was told for other criteria is void."""
    matches = target[SAVED_SEARCH_MATCHES]
    await target.connection.execute(sa.delete(matches).where(matches.c.search_id == search_id))


def _folded(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case SearchSaved() as saved:
            return _saved(row, saved, incoming)
        case SavedSearchLooked(total=total) if row:
            return row | {"looked_total": total}
        case SavedSearchMatched(first=first, creator_ids=ids) if row:
            return row | {"matches": first - 1 + len(ids)}
        case MatchesSeen(number=number) if row:
            return row | {"seen": number}
        case _:
            return None


def _saved(row: Row | None, saved: SearchSaved, incoming: Delivered[Any]) -> Row:
    told = {name: getattr(saved, name) for name in ("owner", "name", "criteria", "view", "watched", "revision")}
    known = {"search_id": _id(incoming), "saved_at": incoming.at, "readers": [saved.owner]}
    if row is not None and row["revision"] == saved.revision:
        return row | told
    return known | {"looked_total": None, "matches": 0, "seen": 0} | told


def _told(row: Row, incoming: Delivered[Any]) -> Iterable[Row]:
    event = incoming.event
    if not isinstance(event, SavedSearchLooked | SavedSearchMatched):
        return
    for place, creator_id in enumerate(event.creator_ids):
        number = event.first + place if isinstance(event, SavedSearchMatched) else 0
        told = {"number": number, "matched_at": incoming.at, "readers": row["readers"]}
        yield {"search_id": row["search_id"], "creator_id": creator_id, **told}
