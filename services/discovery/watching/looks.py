"""Looks at watched searches by the index of this process, and reports to discovery who came to match.

A round asks of the creators that the index has taken in since the round before, and of everybody for the searches that one of
them came to match, that are new, or that were not asked of everybody for five minutes.

Each query process looks: a report has an id that follows from what was found, and the saved search takes no creator twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from kernel.adapters.bus import Message
from kernel.adapters.requests import send
from kernel.core.decider import Actor
from kernel.core.faults import Fault, Unavailable
from kernel.core.ids import stream_id
from kernel.host.app import App
from kernel.processors.access import reading_as
from kernel.runtime.wakeup import wait
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.saved_search.saved_search import CATEGORY, REPORT_LIMIT, TOLD_LIMIT, WATCHED_LIMIT
from services.discovery.publish.saved_searches import report
from services.discovery.reads import SERVICE, CreatorReads
from services.discovery.search.following.answers import among, listed
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.watching.saved import told, told_of, watched

logger = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_AGAIN_S = 1.0
AT_REST, REST_LIMIT_S = 10, 300.0
"""So many times as long as a round took, and so long at most, a process does not look: questions come first."""
ALL_AGAIN_S = 300.0
"""So often a search is asked of everybody, and in between of creators that changed: a price may begin, a suspension end."""
Asked = tuple[int, float]
"""The revision of the criteria that everybody was asked for, and when (monotonic)."""


@dataclass(frozen=True, slots=True)
class _Search:
    """A watched search: its row, and its criteria."""

    row: Any
    criteria: Criteria


class Looks:
    """One round after the other over all watched searches."""

    def __init__(self, app: App, reads: CreatorReads, criteria_from: Callable[[str], Criteria]) -> None:
        self._app, self._reads, self._criteria_from = app, reads, criteria_from
        self._turn, self._asked, self._failing = 0, dict[str, Asked](), set[tuple[str, int]]()

    async def keep(self, stop: asyncio.Event) -> None:
        """Looks until `stop`; a round that fails is made again after the rest."""
        while not stop.is_set():
            began_s = monotonic()
            with suppress(Unavailable, TimeoutError):
                await self.once()
            await wait(stop, min(max(LOOK_AGAIN_S, AT_REST * (monotonic() - began_s)), REST_LIMIT_S))

    async def once(self) -> int:
        """One round; how many reports were sent. None while the index is being loaded."""
        snapshot = await self._reads.index.fresh()
        if snapshot is None:
            return 0
        turn, changed = self._reads.index.recent.turn, self._reads.index.recent.since(self._turn)
        sent, after, standing, failing = 0, "", dict[str, Asked](), set[tuple[str, int]]()
        while rows := await watched(self._app.database, after):
            sent += await self._round(list(self._readable(rows)), snapshot, changed)
            standing |= {row.search_id: self._asked[row.search_id] for row in rows if row.search_id in self._asked}
            failing |= self._failing & {(row.search_id, row.revision) for row in rows}
            after = rows[-1].search_id
        self._turn, self._asked, self._failing = turn, standing, failing
        return sent

    def _readable(self, rows: Sequence[Any]) -> Iterator[_Search]:
        """Criteria that this version cannot read any more find nobody, nor do those that fail."""
        for row in (one for one in rows if (one.search_id, one.revision) not in self._failing):
            with suppress(Fault):
                yield _Search(row, self._criteria_from(row.criteria))

    async def _round(self, searches: Sequence[_Search], snapshot: Snapshot, changed: frozenset[str] | None) -> int:
        """Asks everybody for the searches that are due, and for those that creators came to match who changed."""
        due = [one for one in searches if changed is None or self._is_due(one.row)]
        if changed:
            due += await self._with_news([one for one in searches if one not in due], snapshot, changed)
        looked = await self._each(due, lambda one: self._looked(one, snapshot))
        found = [message for _, (message, _) in looked if message]
        await self._send(found)
        for one, (_, is_whole) in looked:
            if is_whole:
                self._asked[one.row.search_id] = one.row.revision, monotonic()
        return len(found)

    async def _each(
        self, searches: Sequence[_Search], ask: Callable[[_Search], Awaitable[T]]
    ) -> list[tuple[_Search, T]]:
        """What is asked of each search. One that fails by a mistake of ours stops no other, and is left out until it is saved."""
        found = []
        for one in searches:
            try:
                found.append((one, await ask(one)))
            except Exception as error:  # whatever else it is, it concerns this one search
                if isinstance(error, Fault | TimeoutError):
                    raise
                self._failing.add((one.row.search_id, one.row.revision))
                stream = stream_id(CATEGORY, one.row.search_id)
                logger.error(
                    "a saved search fails, and is not looked at any more", extra={"stream": stream}, exc_info=error
                )
        return found

    def _is_due(self, row: Any) -> bool:
        """Not asked of everybody yet by this process, or not for long: who comes to match by time alone is found then."""
        revision, asked_s = self._asked.get(row.search_id, (0, 0.0))
        return row.looked_total is None or revision != row.revision or monotonic() - asked_s > ALL_AGAIN_S

    async def _with_news(
        self, searches: Sequence[_Search], snapshot: Snapshot, changed: frozenset[str]
    ) -> list[_Search]:
        """Those that a changed creator matches who was not told yet: one query for all of them."""
        now = await self._app.log.now()

        async def ask(one: _Search) -> set[str]:
            return among(snapshot, one.criteria, now, changed)

        hits = {one.row.search_id: ids for one, ids in await self._each(searches, ask)}
        matched = [key for key, ids in hits.items() if ids]
        if not matched:
            return []
        known = await told_of(self._app.database, matched, sorted(set().union(*hits.values())))
        return [
            one
            for one in searches
            if any((one.row.search_id, each) not in known for each in hits.get(one.row.search_id, ()))
        ]

    async def _looked(self, one: _Search, snapshot: Snapshot) -> tuple[Message | None, bool]:
        """The report of one search, None without news; and whether it has all that there is to tell."""
        row, criteria = one.row, one.criteria
        known = await told(self._app.database, row.search_id)
        is_first, now = row.looked_total is None, await self._app.log.now()
        size = WATCHED_LIMIT if is_first else REPORT_LIMIT
        if not is_first and len(known) >= TOLD_LIMIT:
            return None, True
        owner = Actor("saved-search", row.owner, frozenset({"brand"}))
        async with reading_as(self._app.database, SERVICE, owner) as connection:
            ids, _, total = await listed(connection, snapshot, criteria, now, None, size, owner, known)
        is_whole = is_first or len(ids) < REPORT_LIMIT
        return (report(row.search_id, row.revision, ids, total, now) if ids or is_first else None), is_whole

    async def _send(self, found: list[Message]) -> None:
        if not found:
            return
        producer = await self._app.bus.producer()
        try:
            await send(producer, SERVICE, found)
        finally:
            await producer.close()
