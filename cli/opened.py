"""The services of a platform opened from outside, beside the processes that run it: for what operators look at and do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cli.embedded import WIRED
from cli.layout import Layout
from kernel.host.app import App, open_app, open_bus


@asynccontextmanager
async def opened(layout: Layout, services: Sequence[str] = tuple(WIRED)) -> AsyncIterator[list[App]]:
    """The named services over the platform's databases and bus. Nothing of them runs."""
    bus = open_bus(layout.stores.bus)
    made = [WIRED[name] for name in services]
    apps = [open_app(one, one.settings.model_validate(layout.settings(one.name)), bus) for one in made]
    try:
        yield apps
    finally:
        for app in apps:
            await app.close()
        await bus.close()


@asynccontextmanager
async def writing(app: App) -> AsyncIterator[None]:
    """With the service's writer running, as handling commands needs it."""
    stop = asyncio.Event()
    task = asyncio.create_task(app.writer.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
