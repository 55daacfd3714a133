"""Repeats a pass at an interval until the role stops; a pass that fails is made again at the next moment."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Literal

from kernel.core.faults import Fault
from kernel.host.app import App
from kernel.runtime import telemetry

Counter = Literal["grid_passes_total", "refund_looks_total"]
"""Which counts the passes, by outcome."""
logger = logging.getLogger(__name__)


async def repeat(
    app: App, once: Callable[[datetime], Awaitable[int]], interval_s: float, counter: Counter, stop: asyncio.Event
) -> None:
    """`once(now)` until `stop`, the first time at once; `now` is the database's time."""
    while not stop.is_set():
        try:
            await once(await app.log.now())
            telemetry.count(counter, outcome="done")
        except (Fault, TimeoutError) as fault:
            telemetry.count(counter, outcome="failed")
            logger.warning("a pass of %s failed; the next one looks at all again", counter, exc_info=fault)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
