"""`demo`: brings a platform up, tells the story on it, shows how it ended."""

import argparse
import asyncio
import json
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from cli import tables
from cli.distributed import Servers, distributed
from cli.layout import CONSOLE_PORT, HOST, Layout
from cli.platform import Embedded, LocalPlatform, NotReady
from cli.story.market import Address, Unexpected, Who
from cli.story.plan import FULL, Size
from cli.story.tell import COLUMNS, Teller, Told
from console.assets import can_serve
from tools.servers import NoServer
from tools.servers.places import Folder

WATCH_EVERY_S = 1.0
AFTERWARDS = f"""
Open it: `make up` runs a platform with its console at http://{HOST}:{CONSOLE_PORT}, where you sign in as anybody;
`make assets && dandelion demo --keep` tells this story again and leaves its platform and console running."""
REDRAWN_PER_S = 2
"""Progress bars: rich draws all of them again each time, ten times a second unless told."""


def address_of(layout: Layout) -> Address:
    """The platform as the story sees it."""
    issuer = layout.issuer()

    def issue(who: Who) -> str:
        return issuer.issue(who.name, who.tenant, who.role)

    http = {name: layout.http(name) for name in (*layout.ports.http, "sandbox")}
    rpc = {name: layout.rpc(name) for name in layout.ports.rpc}
    return Address(http, rpc, layout.stores.bus, issue, (layout.folder / "psp.key").read_text())


async def demo(given: argparse.Namespace) -> int:
    """Brings the platform up, tells the story, shows the end; 1 when anything is not as expected."""
    console = Console(stderr=True)
    size = replace(FULL, observations=given.observations) if given.observations else FULL
    try:
        servers = await asyncio.to_thread(Servers.bring, given.bus, given.db, console.print)
        try:
            return await _demo_on(servers, size, given, console)
        finally:
            await asyncio.to_thread(servers.close)
    except (NoServer, NotReady, Unexpected) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1


async def _demo_on(servers: Servers, size: Size, given: argparse.Namespace, console: Console) -> int:
    started = time.monotonic()
    with await platform_on(servers, (given.bus, given.db), with_console=given.keep and can_serve()) as platform:
        with Progress(*COLUMNS, console=console, refresh_per_second=REDRAWN_PER_S) as progress:
            await ready(platform, progress)
            told = await _told(platform, Teller(address_of(platform.layout), size, progress), console)
            told.seconds = {"platform": time.monotonic() - started - sum(told.seconds.values()), **told.seconds}
        _show(told, given)
        if given.keep:
            await _keep(platform)
        else:
            tables.wide().print(AFTERWARDS, highlight=False)
    return 0


async def platform_on(
    servers: Servers, kinds: tuple[str, str], folder: Path | None = None, with_console: bool = False
) -> LocalPlatform:
    """One process for each service and role on Kafka and PostgreSQL, otherwise all in one."""
    if kinds == ("kafka", "postgres"):
        return await distributed(servers, folder, with_console=with_console)
    temporary = None if folder else Folder("embedded")
    place = folder or (temporary.path if temporary else Path())
    return Embedded.start(place, await servers.stores(place), temporary, with_console)


async def ready(platform: LocalPlatform, progress: Progress) -> None:
    """Waits with a bar."""
    task = progress.add_task("platform", total=len(platform.names()))
    await platform.wait(say=lambda what, done, total: progress.update(task, completed=done, total=total))


async def _told(platform: LocalPlatform, teller: Teller, console: Console) -> Told:
    """Told, or what the processes complained of and the reason raised."""
    try:
        return await teller.tell()
    except Unexpected:
        for line in [*platform.complaints(), *(f"{' '.join(name)} has ended" for name in platform.ended())]:
            console.print(line, markup=False)
        raise


def _show(told: Told, given: argparse.Namespace) -> None:
    console = tables.wide()
    assert told.finale is not None
    tables.returns(told.finale.roi, console, given.all_creators)
    tables.books(told.finale, console)
    tables.events(told.finale.events, console)
    console.print(f"Engagement observations: {told.finale.observations:,}\n", highlight=False)
    tables.times(told.seconds, console)
    if given.numbers:
        given.numbers.write_text(json.dumps(told.finale.numbers(), indent=1, sort_keys=True) + "\n")


async def _keep(platform: LocalPlatform) -> None:
    """Leaves it running until a signal; says when a process ends by itself."""
    tables.where(platform.layout, tables.wide())
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await until_stopped(platform, stopping)


async def until_stopped(platform: LocalPlatform, stopping: asyncio.Event) -> None:
    """Returns when asked to stop; raises NotReady when a process has ended by itself: nothing is restarted silently."""
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), WATCH_EVERY_S)
        if not stopping.is_set() and platform.ended():
            raise NotReady("\n".join([f"{' '.join(name)} has ended" for name in platform.ended()]))
