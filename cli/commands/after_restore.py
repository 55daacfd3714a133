"""`after-restore`: recreates the topics and resets guards and relays, after databases were restored to an earlier moment.

Topics then hold events that stand in no log any more, and the logs will give their positions out again: a consumer that met
the old events would skip the new ones as repeats. The topics are recreated while nothing runs, guards go back to the topics'
start (their `last_position` stays: the restore took it back too), and relays send their whole logs when they start.
"""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from rich.console import Console

from cli.cross_service_checks import readers_not_past_logs
from cli.layout import Layout, running
from cli.open_services import open_services
from cli.readiness import rpc_ready
from kernel.adapters.bus import PARTITIONS
from kernel.adapters.leases import TTL_S
from kernel.host.app import App
from kernel.streams.relay import Checkpoint, Relay
from kernel.streams.republish import reset_guards
from kernel.verify.invariants import broken


def after_restore(given: argparse.Namespace) -> int:
    """0 when everything may start; 2 when something runs, or when a guard is past the log it reads."""
    layout, console = Layout.load(given.data), Console(stderr=True, soft_wrap=True, highlight=False)
    if layout.stores.bus.startswith("local:") and running(layout.folder):
        console.print("an embedded platform has its bus for itself: `down` first")
        return 2
    return asyncio.run(_reset(layout, console))


async def _reset(layout: Layout, console: Console) -> int:
    async with open_services(layout) as apps:
        problems = await _obstacles(layout, apps)
        for problem in problems:
            console.print(problem, markup=False)
        if problems:
            return 2
        topics = [f"{app.service.name}.{kind}.v1" for app in apps for kind in ("events", "commands")]
        await apps[0].bus.remake_topics(dict.fromkeys(topics, PARTITIONS))
        for app in apps:
            moved = sum([await reset_guards(app.database, topic) for topic in topics])
            await _rewind_relay(app)
            console.print(f"{app.service.name}: {moved} guards reset, the relay will send its whole log")
    return 0


async def _obstacles(layout: Layout, apps: Sequence[App]) -> list[str]:
    """What forbids a reset now, a sentence each."""
    found = []
    for app in apps:
        name = app.service.name
        if await rpc_ready(layout.rpc(name)) or await _leased(app):
            found.append(f"{name} runs: stop all services first")
    by_name = {app.service.name: app for app in apps}
    return found + broken([await readers_not_past_logs(app, by_name) for app in apps])


async def _leased(app: App) -> bool:
    """Whether a relay, a projector or a process renews a lease, as each does while it runs.

    A database restored from a backup of a running service has that moment's leases: those end by themselves within TTL_S.
    """
    until, now = await _leased_until(app)
    if until is None or until <= now:
        return False
    await asyncio.sleep(min((until - now).total_seconds(), TTL_S))
    until, now = await _leased_until(app)
    return until is not None and until > now


async def _leased_until(app: App) -> tuple[datetime | None, datetime]:
    """The end of the lease that lasts longest, and the time of the database."""
    leases = app.metadata.tables["leases"]
    async with app.database.reading() as connection:
        until = (await connection.execute(sa.select(sa.func.max(leases.c.until)))).scalar_one()
    return until, await app.log.now()


async def _rewind_relay(app: App) -> None:
    await Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish).rewind(Checkpoint())
