"""`verify`: checks every invariant of every service; `--deep` also compares topics, inline tables and rebuilt read models."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from cli.cross_service_checks import check_across_services
from cli.layout import Layout
from cli.open_services import open_services
from cli.readiness import rpc_ready
from cli.tables import table_of, wide
from kernel.host.app import App
from kernel.verify.invariants import CheckResult, Say, broken, check_service

SHOWN_AFTER_S = 2.0


def verify(given: argparse.Namespace) -> int:
    """0 when all is as it must be, 1 when something is broken."""
    return asyncio.run(_verify(Layout.load(given.data), given.deep))


async def _verify(layout: Layout, deep: bool) -> int:
    found: list[CheckResult] = []
    async with open_services(layout) as apps:
        with _progress() as say:
            for app in apps:
                found += await _checked(app, layout, deep, say)
            found += await check_across_services(apps) if deep else []
    console, problems = wide(), broken(found)
    console.print(_table(found))
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    return 1 if problems else 0


async def _checked(app: App, layout: Layout, deep: bool, say: Say) -> list[CheckResult]:
    """Of a service that does not run nobody expects that its deadlines are met."""
    found = await check_service(app, topics=deep, rebuilt=deep, say=say)
    if await rpc_ready(layout.rpc(app.service.name)):
        return found
    return [replace(one, problems=[]) if one.invariant == "deadlines_met" else one for one in found]


@contextmanager
def _progress() -> Iterator[Say]:
    """What is looked at now, on stderr once it takes a while."""
    status = Console(stderr=True).status("")
    shown = asyncio.get_running_loop().call_later(SHOWN_AFTER_S, status.start)
    try:
        yield status.update
    finally:
        shown.cancel()
        status.stop()


def _heading(found: Sequence[CheckResult]) -> str:
    wrong = sum(not one.ok for one in found)
    return f"NOT verified: {wrong} of {len(found)} checks are BROKEN" if wrong else f"Verified: {len(found)} checks"


def _table(found: Sequence[CheckResult]) -> Table:
    """A line for each invariant, with how many things of each service were looked at."""
    services = list(dict.fromkeys(one.service for one in found))
    cells = {(one.invariant, one.service): f"{one.checked:,}" if one.ok else "[red]BROKEN" for one in found}
    table = table_of(_heading(found), "invariant", *services)
    for invariant in dict.fromkeys(one.invariant for one in found):
        words = invariant.replace("_", " ")
        table.add_row(words, *[cells.get((invariant, service), "") for service in services])
    return table
