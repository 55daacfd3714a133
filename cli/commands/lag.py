"""`lag`: how far relays are behind their logs and consumers behind their sources, and which consumers have stopped."""

import argparse
import asyncio

import sqlalchemy as sa

from cli.layout import Layout
from cli.open_services import open_services
from cli.tables import table_of, wide
from kernel.eventlog.backpressure import relay_lag
from kernel.host.app import App
from kernel.streams import halted
from kernel.streams.records import OWN_LOG

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
    """The relay, then every consumer with its sources; the partitions of a source are added up."""
    guards, head = app.metadata.tables["guards"], (await app.log.head()).position
    next_offset, last = sa.func.sum(guards.c.next_offset), sa.func.max(guards.c.last_position)
    query = sa.select(guards.c.consumer, guards.c.source, next_offset, last).group_by(
        guards.c.consumer, guards.c.source
    )
    async with app.database.reading() as connection:
        found = (await connection.execute(query.order_by(guards.c.consumer, guards.c.source))).all()
    ends = await app.bus.end_offsets(sorted({row.source for row in found} - {OWN_LOG}))
    totals: dict[str, int] = {}
    for (topic, _), end in ends.items():
        totals[topic] = totals.get(topic, 0) + end
    return [
        ("relay", "log", (await relay_lag(app.log)).events),
        *[(row[0], row[1], head - row[3] if row[1] == OWN_LOG else totals.get(row[1], 0) - row[2]) for row in found],
    ]
