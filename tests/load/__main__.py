"""`make bench`: each row is a ratio against a bare loop measured in the same run; exit 1 when a floor does not hold."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.load import writer
from tests.load.measure import Row, machine, markdown, say
from tools.servers import postgres


async def main() -> int:
    """Prints the table that docs/performance.md shows."""
    rows: list[Row] = []
    with postgres.bring(say, ours=True) as server, tempfile.TemporaryDirectory() as folder:
        rows += await writer.bench(server, Path(folder))
        about = f"{machine()}, {server}"
    sys.stdout.write(f"{about}\n\n{markdown(rows)}\n")
    return 0 if all(row.holds for row in rows) else 1


sys.exit(asyncio.run(main()))
