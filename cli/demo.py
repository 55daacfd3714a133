"""`demo`: brings a platform up, tells the story on it, shows how it ended."""

import argparse
import asyncio
import json
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress

from cli.distributed import Servers, distributed
from cli.layout import Layout
from cli.platform import Embedded
from cli.story.market import Address, Unexpected, Who
from cli.story.plan import FULL, Size
from cli.story.tell import COLUMNS, Teller


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
    servers = await asyncio.to_thread(Servers.bring, given.bus, given.db, console.print)
    try:
        return await _demo_on(servers, size, given, console)
    finally:
        await asyncio.to_thread(servers.close)


async def _demo_on(servers: Servers, size: Size, given: argparse.Namespace, console: Console) -> int:
    separate = (given.bus, given.db) == ("kafka", "postgres")
    started = await distributed(servers) if separate else Embedded.start()
    with started as platform, Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task("platform")
        await platform.wait(say=lambda what, done, total: progress.update(task, completed=done, total=total))
        try:
            told = await Teller(address_of(platform.layout), size, progress).tell()
        except Unexpected as problem:
            console.print(f"[red]{problem}")
            for line in platform.complaints():
                console.print(line, markup=False)
            return 1
    print(told.seconds)
    if given.numbers and told.finale:
        given.numbers.write_text(json.dumps(told.finale.numbers(), indent=1, sort_keys=True))
    return 0
