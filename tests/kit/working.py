"""Whole campaigns on a running platform, as the soak's load has them, for tests that need work going on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cli.commands.demo import address_of
from cli.layout import Layout
from cli.story.heard import Heard
from kernel.host.app import App
from kernel.verify.invariants import broken
from soak import ending
from soak.load import Caller, Load
from tests.kit.story import patiently
from tests.kit.until import until

AT_A_TIME = 2
LIMIT_S = 240.0
LATER = 100
OF_WORK_THAT_ENDED = {"escrows_released_or_returned"}
"""Whoever worked before the restore left work behind, with money held for it."""


@asynccontextmanager
async def working(layout: Layout, seed: int, first: int = 0) -> AsyncIterator[Load]:
    """From deposit to payout over public HTTP, gRPC and topics; whoever listens has heard nothing before."""
    address = address_of(layout)
    with patiently():
        caller, heard = Caller(address), Heard(address.bus)
    async with caller, heard:
        load = Load(caller, heard, seed, AT_A_TIME, first)
        await load.begin()
        try:
            yield load
        finally:
            await load.close()


async def campaigns(load: Load, count: int) -> None:
    """Until so many more have ended; raises what ended the load."""
    wanted = len(load.ended) + count

    async def there() -> bool:
        return len(load.ended) >= wanted

    waits = [asyncio.ensure_future(until(there, LIMIT_S)), asyncio.ensure_future(load.failed())]
    try:
        for one in (await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED))[0]:
            one.result()
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def work_goes_on(layout: Layout, apps: Sequence[App], seed: int) -> None:
    """After a restore: new campaigns come to their end, every event is heard once, and every invariant holds.

    The provider's next settlement file comes first: it may hold deposits that only the provider remembers.
    """
    async with working(layout, seed, LATER) as load:
        await load.caller.outside("POST", "/psp/settlements")
        await campaigns(load, 2)
        await load.finish(LIMIT_S)
        await ending.quiet(apps)
        await load.heard.all_of_now()
        found = [one for one in await ending.check_all(apps, load) if one.invariant not in OF_WORK_THAT_ENDED]
        assert not broken(found), broken(found)
