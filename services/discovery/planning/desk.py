"""Where plans are made: in threads beside the event loop, few at a time for all and one at a time for each tenant."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kernel.core.faults import Exhausted

T = TypeVar("T")
AT_ONCE = 2
WAITING = 8
"""Plans of one tenant that may wait for the one before."""
RETRY_AFTER_S = 5


@dataclass(slots=True)
class Desk:
    """Work is refused rather than queued without end. The solver lets other threads run while it works."""

    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    _asked: Counter[str] = field(default_factory=Counter)

    async def run(self, tenant: str, work: Callable[[], T]) -> T:
        """What `work` returns; raises Exhausted `mix.too_many_at_once`."""
        if self._asked[tenant] >= WAITING:
            raise Exhausted("mix.too_many_at_once", limit=WAITING, retry_after_s=RETRY_AFTER_S)
        self._asked[tenant] += 1
        try:
            async with self._turns.setdefault(tenant, asyncio.Lock()), self._free:
                return await asyncio.to_thread(work)
        finally:
            self._asked[tenant] -= 1
            if not self._asked[tenant]:
                del self._asked[tenant]
                self._turns.pop(tenant, None)
