"""Wakeup: waiters sleep on an event of their own, which is set when events were appended or a batch was committed."""

import asyncio
from contextlib import suppress


class Wakeup:
    """Loses no wake-up for any waiter: `notify` sets every listener's event, and a listener clears its own before it looks."""

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
