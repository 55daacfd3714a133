"""`restored`: after the databases were set back to an earlier moment, the topics are made to follow, while nothing runs.

Topics hold events that stand in no log any more, whose positions will be given out again: a reader that met them would
take the new ones for repeats. So those topics are made anew, readers begin at their start (they keep what they have seen,
which was restored with them), and relays send their whole logs when they start.
"""

import argparse
import asyncio
from collections.abc import Sequence

import sqlalchemy as sa
from rich.console import Console

from cli.across import readers_not_past_logs
from cli.layout import Layout, running
from cli.opened import opened
from cli.ready import rpc_ready
from kernel.adapters.bus import PARTITIONS
from kernel.host.app import App
from kernel.streams.relay import Checkpoint, Relay
from kernel.streams.republish import begin_again
from kernel.verify.invariants import broken


def restored(given: argparse.Namespace) -> int:
    """0 when everything may start; 2 when something runs, or when one database is older than what others have seen of it."""
    layout, console = Layout.load(given.data), Console(stderr=True, soft_wrap=True, highlight=False)
    if layout.stores.bus.startswith("local:") and running(layout.folder):
        console.print("an embedded platform has its bus for itself: `down` first")
        return 2
    return asyncio.run(_restored(layout, console))


async def _restored(layout: Layout, console: Console) -> int:
    async with opened(layout) as apps:
        problems = await _in_the_way(layout, apps)
        for problem in problems:
            console.print(problem, markup=False)
        if problems:
            return 2
        topics = [f"{app.service.name}.{kind}.v1" for app in apps for kind in ("events", "commands")]
        await apps[0].bus.remake_topics(dict.fromkeys(topics, PARTITIONS))
        for app in apps:
            moved = sum([await begin_again(app.database, topic) for topic in topics])
            await _send_all(app)
            console.print(f"{app.service.name}: {moved} guards begin again, the relay will send its whole log")
    return 0


async def _in_the_way(layout: Layout, apps: Sequence[App]) -> list[str]:
    """Why it is not the time for it, a sentence each."""
    found = []
    for app in apps:
        name = app.service.name
        if await rpc_ready(layout.rpc(name)) or await _leased(app):
            found.append(f"{name} runs: stop all services first")
    by_name = {app.service.name: app for app in apps}
    return found + broken([await readers_not_past_logs(app, by_name) for app in apps])


async def _leased(app: App) -> bool:
    """Whether a relay, a projector or a process holds a lease, as it does while it runs."""
    leases, now = app.metadata.tables["leases"], await app.log.now()
    query = sa.select(sa.func.count()).select_from(leases).where(leases.c.until > now)
    async with app.database.reading() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def _send_all(app: App) -> None:
    await Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish).rewind(Checkpoint())
