"""Waiting for what another task will make true: bounded, and loud when it does not come.

Every limit is told for the usual machine and multiplied by this one's measured slowness (tools/speed.py).
"""

import asyncio
from collections.abc import Awaitable, Callable

from tools.speed import patience

LOOK_EVERY_S = 0.02


def within(limit_s: float) -> asyncio.Timeout:
    """`async with within(30):` ends with TimeoutError when the block takes longer."""
    return asyncio.timeout(patience(limit_s))


async def until(true: Callable[[], Awaitable[bool]], limit_s: float = 30) -> None:
    """Returns when `true()` is; TimeoutError after `limit_s`."""
    async with within(limit_s):
        while True:
            if await true():
                return
            await asyncio.sleep(LOOK_EVERY_S)
