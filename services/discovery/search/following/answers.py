"""Pages, counts and names from the index, as a caller who does not want some creators; what is answered is what SQL would."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.rate_card import Format
from services.discovery.search.facets import FORMAT, VALUES_LIMIT, Facet
from services.discovery.search.following import asking
from services.discovery.search.following.loading import TEXTS
from services.discovery.search.index.questions import Among, Says
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.query import excluded
from services.discovery.search.words import asked


async def listed(
    connection: AsyncConnection, snapshot: Snapshot, criteria: Criteria, at: datetime, after: Cursor | None, size: int,
    actor: Actor, beside: frozenset[str] = frozenset(),
) -> tuple[list[str], Cursor | None, int]:  # fmt: skip
    """A page of ids, where it ends, and how many match in all, without the creators `beside`."""
    unwanted = sorted({*beside, *await _unwanted(connection, criteria, at, actor)})
    answer = snapshot.answer(asking.question(criteria, at, size, after, unwanted))
    ids = [creator_id for creator_id, _ in answer.hits]
    behind = asking.cursor(criteria, answer.hits[-1][1], ids[-1]) if answer.more else None
    return ids, behind, answer.total


def among(snapshot: Snapshot, criteria: Criteria, at: datetime, creator_ids: frozenset[str]) -> set[str]:
    """Which of these creators match, those included whom the caller does not want for what they did."""
    asked_for = asking.question(criteria, at, len(creator_ids))
    of_these = replace(asked_for, filters=[Among(creator_ids), *asked_for.filters])
    return {creator_id for creator_id, _ in snapshot.answer(of_these).hits}


async def counted(
    connection: AsyncConnection,
    snapshot: Snapshot,
    criteria: Criteria,
    at: datetime,
    actor: Actor,
    names: Sequence[str],
) -> tuple[list[Facet], int]:
    """How many match by the value of each of these filters, its own left out, and in all."""
    unwanted = await _unwanted(connection, criteria, at, actor)
    columns = [name for name in names if name != FORMAT]
    answer = snapshot.answer(asking.counted(criteria, at, unwanted, columns))
    found = {name: Facet(name, values) for name, values in zip(columns, answer.facets, strict=True)}
    if FORMAT in names:
        found[FORMAT] = _formats(snapshot, criteria, at, unwanted)
    return [found[name] for name in names], answer.total


def _formats(snapshot: Snapshot, criteria: Criteria, at: datetime, unwanted: Sequence[str]) -> Facet:
    kinds = [one.value for one in Format]
    questions = asking.sellers(criteria, at, unwanted, kinds)
    totals = [(snapshot.answer(one).total, kind) for kind, one in zip(kinds, questions, strict=True)]
    most = sorted((-total, kind) for total, kind in totals if total)
    return Facet(FORMAT, tuple((kind, -total) for total, kind in most[:VALUES_LIMIT]))


def named_by(snapshot: Snapshot, text: str) -> set[str]:
    """Whose texts hold every part of a question; nobody's where it has none."""
    parts = tuple(asked(text))
    return snapshot.ids([Says(parts)], 0.0) if parts else set()


def fields_of(snapshot: Snapshot, creator_id: str, text: str) -> list[str]:
    return [TEXTS[place] for place in sorted(snapshot.fields(creator_id, asked(text)))]


async def _unwanted(connection: AsyncConnection, criteria: Criteria, at: datetime, actor: Actor) -> list[str]:
    found: set[str] = set()
    for ids in excluded(criteria, at, actor):
        found.update((await connection.execute(ids)).scalars())
    return sorted(found)
