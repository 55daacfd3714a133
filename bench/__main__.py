"""`make bench`: each row is a ratio against a bare loop measured in the same run; exit 1 when a floor does not hold.

`make bench ROWS=writer,projector` measures a part.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import (
    discovery,
    edge,
    envelopes,
    growth,
    importing,
    memory,
    planner,
    projector,
    queries,
    rebuild,
    replicas,
    review,
    sentiment,
    streams,
    visible,
    writer,
)
from bench.measure import Row, machine, markdown, say
from bench.place import Place
from kernel.runtime.loops import loop_factory
from kernel.runtime.roles import calm_collector

Bench = Callable[[Place], Awaitable[list[Row]]]
ROWS: dict[str, Bench] = {
    "writer": writer.bench,
    "replicas": replicas.bench,
    "rebuild": rebuild.bench,
    "projector": projector.bench,
    "envelopes": envelopes.bench,
    "streams": streams.bench,
    "visible": visible.bench,
    "growth": growth.bench,
    "edge": edge.bench,
    "queries": queries.bench,
    "discovery": discovery.bench,
    "import": importing.bench,
    "review": review.bench,
    "sentiment": sentiment.bench,
    "memory": memory.bench,
    "planner": planner.bench,
}


async def main(names: Sequence[str]) -> int:
    """Prints the table that docs/performance.md shows. Each bench has servers of its own: none meets another's topics."""
    calm_collector()  # as kernel.runtime.roles does
    rows: list[Row] = []
    servers: dict[str, str] = {}
    for name in names:
        say(f"== {name}")
        with tempfile.TemporaryDirectory() as folder, Place(Path(folder)) as place:
            rows += await ROWS[name](place)
            servers |= place.servers
    sys.stdout.write(f"{', '.join([machine(), *servers.values()])}\n\n{markdown(rows)}\n")
    return 0 if all(row.holds for row in rows) else 1


def chosen(arguments: Sequence[str]) -> list[str]:
    """The names asked for, all without any; SystemExit names those there are."""
    names = [name for argument in arguments for name in argument.split(",") if name]
    unknown = sorted(set(names) - ROWS.keys())
    if unknown:
        raise SystemExit(f"no such rows: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return names or list(ROWS)


with asyncio.Runner(loop_factory=loop_factory()) as runner:
    sys.exit(runner.run(main(chosen(sys.argv[1:]))))
