"""Opens a platform's services over their databases and bus, beside the processes that run them, for operators' commands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cli.embedded import WIRED
from cli.layout import Layout
from kernel.adapters.opening import open_bus
from kernel.host.app import App, open_app


@asynccontextmanager
async def open_services(layout: Layout, services: Sequence[str] = tuple(WIRED)) -> AsyncIterator[list[App]]:
    """The named services, opened. None of their roles runs."""
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
async def running_writer(app: App) -> AsyncIterator[None]:
    """Runs the service's writer meanwhile: whoever handles commands needs it."""
    stop = asyncio.Event()
    task = asyncio.create_task(app.writer.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
