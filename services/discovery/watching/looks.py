"""Looks at every watched search by the index of this process, and reports to discovery who came to match.

Each query process looks: a report has an id that follows from what was found, and the saved search takes no creator twice.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from kernel.adapters.bus import Message
from kernel.adapters.requests import send
from kernel.core.decider import Actor
from kernel.core.faults import Fault, Unavailable
from kernel.host.app import App
from kernel.processors.access import reading_as
from kernel.runtime.wakeup import wait
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.saved_search.saved_search import REPORT_LIMIT, TOLD_LIMIT, WATCHED_LIMIT
from services.discovery.publish.saved_searches import report
from services.discovery.reads import SERVICE, CreatorReads
from services.discovery.search.following.answers import listed
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.watching.saved import told, watched

LOOK_AGAIN_S = 1.0
AT_REST, REST_LIMIT_S = 10, 300.0
"""So many times as long as a round took, and so long at most, a process does not look: questions come first."""


class Looks:
    """One round after the other over all watched searches."""

    def __init__(self, app: App, reads: CreatorReads, criteria_from: Callable[[str], Criteria]) -> None:
        self._app, self._reads, self._criteria_from = app, reads, criteria_from

    async def keep(self, stop: asyncio.Event) -> None:
        """Looks until `stop`; a round that fails is made again after the rest."""
        while not stop.is_set():
            began_s = monotonic()
            with suppress(Unavailable, TimeoutError):
                await self.once()
            await wait(stop, min(max(LOOK_AGAIN_S, AT_REST * (monotonic() - began_s)), REST_LIMIT_S))

    async def once(self) -> int:
        """One round; how many reports were sent. None while the index is being loaded."""
        sent, after = 0, ""
        while rows := await watched(self._app.database, after):
            snapshot = await self._reads.index.fresh()
            if snapshot is None:
                return sent
            found = [one for row in rows if (one := await self._looked(row, snapshot))]
            await self._send(found)
            sent, after = sent + len(found), rows[-1].search_id
        return sent

    async def _looked(self, row: Any, snapshot: Snapshot) -> Message | None:
        """The report of one search, None without news. Criteria that this version cannot read any more find nobody."""
        try:
            criteria = self._criteria_from(row.criteria)
        except Fault:
            return None
        known = await told(self._app.database, row.search_id)
        is_first, now = row.looked_total is None, await self._app.log.now()
        size = WATCHED_LIMIT if is_first else REPORT_LIMIT
        if not is_first and len(known) >= TOLD_LIMIT:
            return None
        owner = Actor("saved-search", row.owner, frozenset({"brand"}))
        async with reading_as(self._app.database, SERVICE, owner) as connection:
            ids, _, total = await listed(connection, snapshot, criteria, now, None, size, owner, known)
        return report(row.search_id, row.revision, ids, total, now) if ids or is_first else None

    async def _send(self, found: list[Message]) -> None:
        if not found:
            return
        producer = await self._app.bus.producer()
        try:
            await send(producer, SERVICE, found)
        finally:
            await producer.close()
