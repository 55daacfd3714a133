"""`lag`: how far relays are behind their logs and consumers behind their sources, and which consumers have stopped."""

import argparse
import asyncio

from cli.layout import Layout
from cli.open_services import open_services
from cli.tables import table_of, wide
from kernel.eventlog.backpressure import relay_lag
from kernel.host.app import App
from kernel.host.operations.standing import consumer_lags
from kernel.streams import halted

Row = tuple[str, str, int]
"""Consumer, source, records behind."""


def lag(given: argparse.Namespace) -> int:
    """0, also when a consumer is behind; 1 when a consumer has stopped and waits for a person."""
    return asyncio.run(_lag(Layout.load(given.data)))


async def _lag(layout: Layout) -> int:
    table, stopped = table_of("Lag", "service", "consumer", "source", "behind", left=3), []
    async with open_services(layout) as apps:
        for app in apps:
            for consumer, source, behind in await rows(app):
                table.add_row(app.service.name, consumer, source, f"{behind:,}")
            async with app.database.reading() as connection:
                found = await halted.halted_consumers(app.database, connection)
            stopped += [f"{app.service.name} {consumer} has stopped: {code}" for consumer, code in found.items()]
    wide().print(table)
    for line in stopped:
        wide().print(f"{line} (docs/runbooks/reader-stopped.md)")
    return 1 if stopped else 0


async def rows(app: App) -> list[Row]:
    """The relay, then every consumer with its sources."""
    behind = [(one.consumer, one.source, one.behind) for one in await consumer_lags(app)]
    return [("relay", "log", (await relay_lag(app.log)).events), *behind]
