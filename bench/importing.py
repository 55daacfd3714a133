"""A file of new creators into PostgreSQL: `POST /imports` from the bytes of the file to the answer, in one process."""

import asyncio
import csv
import io
import statistics
import time
from collections.abc import Iterator, Mapping

import httpx

from bench.measure import Cpu, Row, say
from bench.place import Place
from kernel.core.ids import new_id
from kernel.host.app import App, run_migrations
from kernel.runtime.roles import calm_collector
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE, open_app
from tests.kit.running import issuer_in, settings_in
from tools.make_creators import SEED, Dice, creator

ROWS, FILES = 8_000, 4
"""Each file's creators are new; the first file does not count."""
OPERATOR = ("bench", "platform", "operator")


async def bench(place: Place) -> list[Row]:
    """One row: rows/s of files whose creators nobody knows yet."""
    settings = settings_in(
        place.folder, DiscoverySettings, database_url=place.postgres.url(await place.postgres.create_database())
    )
    await run_migrations(SERVICE, settings)
    app, stop = open_app(settings), asyncio.Event()
    token = issuer_in(place.folder).issue(*OPERATOR)
    writing = asyncio.create_task(app.writer.run(stop))
    calm_collector()
    try:
        measured = [await _imported(app, token, text) for text in files()]
    finally:
        stop.set()
        await writing
        await app.close()
    rates, spent = zip(*measured[1:], strict=True)
    rate = statistics.median(rates)
    return [
        Row("creators imported, all new", f"{rate:,.0f} rows/s", "-", rate / 1_000, 1, 5, "k/s",
            note=f"files of {ROWS:,} rows; CPU here {statistics.median(spent):.0f} us a row")
    ]  # fmt: skip


def files() -> Iterator[bytes]:
    """Generated creators, those of tools/make_creators.py going on behind its last."""
    dice = Dice(SEED)
    for number in range(FILES):
        yield _file([creator(dice, 1 + number * ROWS + one) for one in range(ROWS)])


def _file(rows: list[dict[str, str]]) -> bytes:
    names: Mapping[str, None] = dict.fromkeys(name for row in rows for name in row)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(names), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


async def _imported(app: App, token: str, text: bytes) -> tuple[float, float]:
    """Rows/s, and microseconds of this process's CPU a row."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id(), "Content-Type": "text/csv"}
    transport = httpx.ASGITransport(app.api())
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.test", timeout=120) as client:
        cpu, began = Cpu(), time.perf_counter()
        answer = await client.post("/imports", content=text, headers=headers)
    took_s, (_, cpu_s) = time.perf_counter() - began, cpu.spent()
    told = answer.json()
    if told.get("registered") != ROWS:
        raise AssertionError(f"{answer.status_code}: {str(told)[:500]}")
    say(f"  {ROWS / took_s:,.0f} rows/s")
    return ROWS / took_s, cpu_s * 1e6 / ROWS
