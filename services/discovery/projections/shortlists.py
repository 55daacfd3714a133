"""Writes shortlists and who is on them from discovery's own log. Whoever is forgotten is on none."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

import sqlalchemy as sa

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.events import CreatorForgotten
from services.discovery.domain.shortlist.events import (
    CreatorNoted,
    CreatorsShortlisted,
    CreatorsTakenOff,
    Event,
    ShortlistBegun,
    ShortlistDeleted,
    ShortlistRenamed,
)
from services.discovery.tables.shortlists import SHORTLISTED, SHORTLISTS

Row = dict[str, Any]
Key = tuple[str, ...]
OF_A_LIST = get_args(Event)


async def apply_shortlists(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per list and per creator on it."""
    await fold_rows(target, SHORTLISTS, events, _list_key, _list)
    changed, wanted = dict[Key, Row | None](), [one for one in events if isinstance(one.event, OF_A_LIST)]
    rows = await target.rows(SHORTLISTED, (key for one in wanted for key in _keys(one)))
    for incoming in events:
        event = incoming.event
        if isinstance(event, OF_A_LIST):
            for key in _keys(incoming):
                changed[key] = _entry(changed.get(key, rows.get(key)), key, incoming)
        if isinstance(event, ShortlistDeleted | CreatorForgotten | ErasureDone):
            await _drop(target, {**rows, **changed}, changed, incoming)
    await target.upsert(SHORTLISTED, [row for row in changed.values() if row is not None])
    await target.delete(SHORTLISTED, [key for key, row in changed.items() if row is None])


def _id(incoming: Delivered[Any]) -> str:
    return split_stream(incoming.stream)[1]


def _list_key(incoming: Delivered[Any]) -> Key | None:
    return (_id(incoming),) if isinstance(incoming.event, OF_A_LIST) else None


def _list(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case ShortlistBegun(owner, name):
            told = {"shortlist_id": _id(incoming), "owner": owner, "name": name, "readers": [owner]}
            return {**told, "begun_at": incoming.at, "changed_at": incoming.at}
        case ShortlistDeleted():
            return None
        case ShortlistRenamed(name) if row:
            return row | {"name": name, "changed_at": incoming.at}
        case _:
            return row and row | {"changed_at": incoming.at}


def _keys(incoming: Delivered[Any]) -> list[Key]:
    match incoming.event:
        case CreatorsShortlisted(ids) | CreatorsTakenOff(ids):
            return [(_id(incoming), one) for one in ids]
        case CreatorNoted(creator_id):
            return [(_id(incoming), creator_id)]
        case _:
            return []


def _entry(row: Row | None, key: Key, incoming: Delivered[Any]) -> Row | None:
    """A note of who was forgotten meanwhile has no row to stand in."""
    match incoming.event:
        case CreatorsShortlisted():
            told = {"shortlist_id": key[0], "creator_id": key[1], "added_at": incoming.at}
            return {**told, "note": "", "noted_at": None, "readers": [incoming.tenant]}
        case CreatorNoted(note=note) if row:
            return row | {"note": note, "noted_at": incoming.at}
        case _:
            return None


async def _drop(target: Target, known: Iterable[Key], changed: dict[Key, Row | None], incoming: Delivered[Any]) -> None:
    """All entries of a list that was deleted, or of a person who is forgotten: stored ones, and those of this batch."""
    place = 0 if isinstance(incoming.event, ShortlistDeleted) else 1
    gone = incoming.event.subject_id if isinstance(incoming.event, ErasureDone) else _id(incoming)
    table = target[SHORTLISTED]
    column = table.c.shortlist_id if place == 0 else table.c.creator_id
    await target.connection.execute(sa.delete(table).where(column == gone))
    for key in known:
        if key[place] == gone:
            changed[key] = None
