"""`python -m bench.pages`: how long the console takes to make each page on the demo's data, as a client on this machine waits.

Every page that links lead a role to is asked for ROUNDS times, one after another; 95 of 100 times it has to be there within
FLOOR_S. Exit 1 where a page is not. `python -m bench.pages FOLDER` measures on a platform that runs there already.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.measure import machine, say
from cli.layout import Layout
from cli.platform import Embedded
from tests.kit.console import OpenConsole, open_console
from tests.kit.story import tell
from tests.kit.walk import walked

FLOOR_S = 0.150
ROUNDS = 60
"""Of 20 the slowest one alone would decide, and that may be a pause of the collector."""
ROLES = ("brand", "creator", "reviewer", "finance", "operator")


@dataclass(frozen=True, slots=True)
class Timed:
    """A page of a role, seconds of each time that it was asked for."""

    role: str
    route: str
    seconds: list[float]

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]

    def row(self) -> str:
        median = statistics.median(self.seconds)
        says = "" if self.p95 <= FLOOR_S else "over the floor"
        return f"| {self.role} | `{self.route}` | {median * 1000:.0f} | {self.p95 * 1000:.0f} | {says} |"


async def _timed(client: httpx.AsyncClient, role: str, route: str, address: str) -> Timed:
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await client.get(address)
        seconds.append(time.perf_counter() - began)
    return Timed(role, route, seconds)


async def _of_role(console: OpenConsole, role: str) -> list[Timed]:
    pages = {one.route: one.address for one in reversed(await walked(console, role, "en")) if one.is_page}
    async with console.visitor(role) as client:
        return [await _timed(client, role, route, address) for route, address in sorted(pages.items())]


async def measured(layout: Layout) -> int:
    timed: list[Timed] = []
    async with open_console(layout) as console:
        for role in ROLES:
            say(f"== {role}")
            timed += await _of_role(console, role)
    timed.sort(key=lambda one: -one.p95)
    rows = "\n".join(one.row() for one in timed)
    sys.stdout.write(
        f"{machine()}\n\n| role | page | median ms | p95 ms | |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    )
    return 0 if all(one.p95 <= FLOOR_S for one in timed) else 1


async def main(folder: str = "") -> int:
    if folder:
        return await measured(Layout.load(Path(folder)))
    with tempfile.TemporaryDirectory() as made, Embedded.start(Path(made) / "platform") as platform:
        await platform.wait()
        say("telling the story ...")
        await tell(platform)
        return await measured(platform.layout)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
