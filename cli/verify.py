"""`verify`: every log is whole and readable, no guard is ahead of it, nothing is parked; then the ledger proves its books."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from rich.console import Console

from cli.demo import address_of
from cli.layout import Layout
from cli.opened import opened
from cli.platform import rpc_ready
from cli.show import table_of, wide
from cli.story import money
from cli.story.market import Market, Unexpected
from kernel.app import App
from kernel.backlog import relay_lag
from kernel.consume import OWN_LOG
from kernel.errors import Fault

PAGE = 5_000
Check = Callable[[App], Awaitable[tuple[int, list[str]]]]
"""How many rows were looked at, and what is wrong with some of them."""


async def log_whole(app: App) -> tuple[int, list[str]]:
    """Positions 1 to head without a hole, and every event readable by today's code."""
    head, after = (await app.log.head()).position, 0
    try:
        while after < head:
            for recorded in await app.log.read(after, PAGE, upto=head):
                app.service.codec.decode(recorded.name, recorded.data)
                after = recorded.position
    except (Fault, ValueError, KeyError, TypeError) as error:
        return after, [f"after position {after}: {error}"]
    return head, []


async def streams_whole(app: App) -> tuple[int, list[str]]:
    """Versions 1 to n without a hole, in every stream."""
    events = app.metadata.tables["log_events"]
    first, last, count = sa.func.min(events.c.version), sa.func.max(events.c.version), sa.func.count()
    broken = sa.select(events.c.stream).group_by(events.c.stream).having((first != 1) | (last != count)).limit(20)
    async with app.database.reading() as connection:
        total = (await connection.execute(sa.select(sa.func.count(events.c.stream.distinct())))).scalar_one()
        found = (await connection.execute(broken)).scalars().all()
    return total, [f"{stream} has a hole" for stream in found]


async def guards_behind(app: App) -> tuple[int, list[str]]:
    """Neither the relay nor a reader of the own log stands past its head."""
    guards, head = app.metadata.tables["guards"], (await app.log.head()).position
    query = sa.select(guards.c.consumer, guards.c.last_position).where(guards.c.source == OWN_LOG)
    async with app.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    ahead = [f"{row.consumer} at {row.last_position} of {head}" for row in rows if row.last_position > head]
    if (await relay_lag(app.log)).events < 0:
        ahead.append("the relay")
    return len(rows) + 1, ahead


async def nothing_parked(app: App) -> tuple[int, list[str]]:
    """No event waits for `dlq retry`."""
    parked = app.metadata.tables["parked"]
    query = sa.select(parked.c.consumer, parked.c.key, parked.c.reason).order_by(parked.c.parked_at).limit(20)
    async with app.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return len(rows), [f"{row.consumer} {row.key}: {row.reason}" for row in rows]


CHECKS: dict[str, Check] = {
    "log whole and readable": log_whole,
    "streams whole": streams_whole,
    "readers not ahead": guards_behind,
    "nothing parked": nothing_parked,
}


def verify(given: argparse.Namespace) -> int:
    """0 when all is as it must be, 1 when something is broken."""
    return asyncio.run(_verify(Layout.load(given.data)))


async def _verify(layout: Layout) -> int:
    table, broken = table_of("Verified", "service", "check", "", "looked at", left=3), list[str]()
    async with opened(layout) as apps:
        for app in apps:
            for name, check in CHECKS.items():
                looked_at, problems = await check(app)
                broken += [f"{app.service.name}: {problem}" for problem in problems]
                table.add_row(app.service.name, name, "BROKEN" if problems else "ok", f"{looked_at:,}")
    console = wide()
    console.print(table)
    for problem in broken:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    return 1 if await _books(layout, console) or broken else 0


async def _books(layout: Layout, console: Console) -> int:
    """The ledger's own proof over gRPC, where it runs; the number of failures."""
    if not await rpc_ready(layout.rpc("ledger")):
        console.print("the ledger does not run: its books were not proved (`up` first)")
        return 0
    async with Market(address_of(layout)) as market:
        try:
            verified = await money.verify(market)
        except Unexpected as problem:
            console.print(str(problem), style="red", markup=False)
            return 1
    rows = sum(check.checked for check in verified.checks)
    console.print(f"ledger: {len(verified.checks)} checks over {rows:,} rows, root hash {verified.root_hash}")
    return 0
