"""Waking instead of polling: whoever waits gets an event of its own, set when something was appended or committed."""

import asyncio
from contextlib import suppress


class Wakeup:
    """Many waiters, no lost wake-ups: `notify` sets every listener; a listener clears its own before it looks again."""

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
    """Waits for the event at most `timeout_s`; says whether it came."""
    if event.is_set():
        return True
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
            return True
    return False
