"""`demo`: brings a platform up, tells the story on it, shows how it ended."""

import argparse
import json
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress

from cli.layout import Layout
from cli.platform import Embedded
from cli.story.market import Address, Unexpected, Who
from cli.story.plan import FULL
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
    console = Console(stderr=True)
    size = replace(FULL, observations=given.observations) if given.observations else FULL
    with Embedded.start() as platform, Progress(*COLUMNS, console=console) as progress:
        await platform.wait()
        try:
            told = await Teller(address_of(platform.layout), size, progress).tell()
        except Unexpected as problem:
            console.print(f"[red]{problem}")
            console.print(platform._tail(("embedded", "all"))[-6000:])
            return 1
    print(told.seconds)
    if given.numbers:
        given.numbers.write_text(json.dumps(told.finale.numbers(), indent=1, sort_keys=True))
    return 0
