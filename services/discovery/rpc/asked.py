"""What every query of discovery has: its reads, its clock, and the wait for `at_least`."""

from typing import Any

from kernel.core.clock import Clock, system_clock
from kernel.host.app import App
from kernel.processors.shared_looks import SharedLooks
from services.discovery.matching.matcher import Matcher
from services.discovery.measured.figures import FigureReads
from services.discovery.planning.planner import Planner
from services.discovery.planning.portraits import Portraits
from services.discovery.projections import CREATORS_PROJECTION, TRACK_RECORDS
from services.discovery.reads import CreatorReads
from services.discovery.search.replies import Replies

PAGE_LIMIT = 200
"""So many of the largest creators that there can be still fit one message."""
GATHER_S = 0.02
"""Batches that a projector commits within this time are one look."""


class Asked:
    """Answers as `caller()`; waits for `at_least` first."""

    def __init__(self, app: App, reads: CreatorReads, clock: Clock = system_clock) -> None:
        self._app, self._reads, self._clock = app, reads, clock
        self._tokens = app.page_tokens
        self._replies = Replies(app.progress)
        portraits = Portraits()
        self._planner = Planner(app.database, portraits)
        self.matcher = Matcher(app.database, app.personal, portraits)
        self._figures = FigureReads(app.database)
        self._looks: SharedLooks[bytes] = SharedLooks(app.progress, GATHER_S)
        self._set_looks: SharedLooks[Any] = SharedLooks(app.progress, GATHER_S)

    async def _wait(self, token: str) -> None:
        """A token of discovery means its own events, one of another service the track records."""
        own = token.startswith(f"{self._app.service.name}:")
        await self._app.at_least(token, (CREATORS_PROJECTION if own else TRACK_RECORDS).name)
