"""`rebuild`: fills a read model's next generation beside the live one, then swaps them; queries see the old rows until then."""

import argparse
import asyncio

from rich.console import Console
from rich.progress import Progress

from cli.layout import Layout
from cli.open_services import open_services
from cli.story.tell import COLUMNS
from kernel.adapters.opening import open_database
from kernel.adapters.vault.event_vault import vault_of
from kernel.eventlog.opening import open_log
from kernel.host.app import App
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projection


def rebuild(given: argparse.Namespace) -> int:
    """All projections of a service, or the named one; 2 for a name it does not have."""
    return asyncio.run(_rebuild(Layout.load(given.data), given.service, given.projection))


async def _rebuild(layout: Layout, service: str, name: str | None) -> int:
    console = Console(stderr=True)
    async with open_services(layout, [service]) as (app,):
        known = [one.name for one in app.service.projections]
        wanted = [one for one in app.service.projections if name in (None, one.name)]
        if not wanted:
            console.print(f"{service} has no projection {name}, only {', '.join(known)}", markup=False)
            return 2
        with Progress(*COLUMNS, console=console) as progress:
            for projection in wanted:
                generation = await rebuild_one(app, projection, progress)
                console.print(f"{service} {projection.name}: generation {generation} is live", highlight=False)
    return 0


async def rebuild_one(app: App, projection: Projection, progress: Progress) -> int:
    """The number of the generation that is now live. Connects as the database's owner, because a generation is new tables."""
    task = progress.add_task(f"{app.service.name} {projection.name}", total=None)
    owner = open_database(app.settings, app.service.metadata())

    def shown(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    try:
        decode = app.service.decode or (lambda _type, _value: None)
        log = open_log(owner, vault=vault_of(owner, app.service.codec, app.settings))
        made = Rebuild(
            projection, owner, log, app.service.codec, app.service.name, app.bus, decode, shown
        )  # fmt: skip
        return await made.run()
    finally:
        await owner.close()
