"""Backpressure: commands are refused before they are queued while the relay is too far behind the log's head.

Without backpressure an hour without a broker would leave an hour of unpublished events, and a flood of them afterwards.
"""

import asyncio
import logging
from datetime import timedelta
from typing import NamedTuple

from kernel.adapters.schema import utc_of
from kernel.core.faults import Fault, Unavailable
from kernel.eventlog.log import StoredLog
from kernel.runtime.wakeup import wait

logger = logging.getLogger(__name__)

_LAG = (
    "SELECT log.head, COALESCE(relay.position, 0), "
    "(SELECT recorded_at FROM log_events WHERE position = COALESCE(relay.position, 0) + 1) "
    "FROM log LEFT JOIN relay_checkpoint AS relay ON true"
)
LOOK_EVERY_S = 1.0
RETRY_AFTER_S = 5


class Lag(NamedTuple):
    """The relay's distance from the head: in positions, and as the age in seconds of the oldest event that is not sent."""

    events: int
    seconds: float


async def relay_lag(log: StoredLog) -> Lag:
    """Reads the relay's checkpoint and the head in one statement; the age is by database time."""
    now = await log.now()
    ((head, position, oldest),) = await log.database.rows(_LAG, {})
    since = utc_of(oldest)
    return Lag(head - position, max(0.0, (now - since) / timedelta(seconds=1)) if since else 0.0)


class Backpressure:
    """Limits of the relay's lag: `check` is a Writer's `admit`, and `run` reads the lag once a second."""

    def __init__(self, log: StoredLog, limit_events: int, limit_s: float) -> None:
        self._log, self._limit_events, self._limit_s = log, limit_events, limit_s
        self._lag = Lag(0, 0.0)

    def check(self) -> None:
        """Raises Unavailable `relay.behind` if the lag was past a limit when it was last read."""
        if self._lag.events > self._limit_events or self._lag.seconds > self._limit_s:
            raise Unavailable(
                "relay.behind", events=self._lag.events, seconds=round(self._lag.seconds), retry_after_s=RETRY_AFTER_S
            )

    async def look(self) -> None:
        """Reads the lag once."""
        self._lag = await relay_lag(self._log)

    async def run(self, stop: asyncio.Event) -> None:
        """Reads the lag until `stop`. While the database is away the last lag holds: no command would be appended anyway."""
        while not stop.is_set():
            try:
                await self.look()
            except Fault as fault:
                logger.warning("relay lag unreadable, the last lag holds", extra={"code": fault.code})
            await wait(stop, LOOK_EVERY_S)
