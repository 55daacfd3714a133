"""Wakeup: each waiter sleeps on an event of its own, which is set when an append or a batch was committed."""

import asyncio
from contextlib import suppress


class Wakeup:
    """Wakes every listener: `notify` sets each one's event. A listener clears its event before it looks, so it misses nothing."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self.count = 0
        """Notifications so far."""

    def listen(self) -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        self._listeners.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        self._listeners.discard(event)

    def notify(self) -> None:
        self.count += 1
        for event in self._listeners:
            event.set()


async def wait(event: asyncio.Event, timeout_s: float) -> bool:
    """Waits for the event at most `timeout_s`; True if it was set."""
    if event.is_set():
        return True
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
            return True
    return False
