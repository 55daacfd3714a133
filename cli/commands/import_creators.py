"""`import`: a CSV file of creators into the running platform, with the lines that were left out and why."""

import argparse
import asyncio

from rich.console import Console

from cli.commands.demo import address_of
from cli.layout import Layout
from cli.story.market import OPERATOR, Market, Unexpected
from cli.tables import table_of, wide


def import_creators(given: argparse.Namespace) -> int:
    """0 when every row was kept, 1 when some were not or the platform refused the file."""
    return asyncio.run(_import(Layout.load(given.data), given.file.read_bytes()))


async def _import(layout: Layout, content: bytes) -> int:
    async with Market(address_of(layout)) as market:
        try:
            answer = await market.send("discovery", "POST", "/imports", OPERATOR, content, "text/csv")
        except Unexpected as problem:
            Console(stderr=True).print(str(problem), style="red", markup=False)
            return 1
    console = wide()
    counts = ", ".join(f"{answer[name]:,} {name}" for name in ("registered", "changed", "unchanged"))
    console.print(f"{answer['read_rows']:,} rows: {counts}, {answer['bad_rows']:,} left out", highlight=False)
    if answer["problems"]:
        table = table_of("Left out", "line", "column", "rule", "reason", left=4)
        for row in answer["problems"]:
            table.add_row(str(row["line"]), row["column"], row["rule"], row["reason"])
        console.print(table)
    return 1 if answer["bad_rows"] else 0
