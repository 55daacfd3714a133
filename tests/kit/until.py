"""Waiting for what another task will make true: bounded, and loud when it does not come."""

import asyncio
from collections.abc import Awaitable, Callable

LOOK_EVERY_S = 0.02


async def until(true: Callable[[], Awaitable[bool]], limit_s: float = 30) -> None:
    """Returns when `true()` is; TimeoutError after `limit_s`."""
    async with asyncio.timeout(limit_s):
        while True:
            if await true():
                return
            await asyncio.sleep(LOOK_EVERY_S)
