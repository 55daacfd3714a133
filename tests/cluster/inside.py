"""What runs in the storyteller's pod: `python -m tests.cluster.inside tell | load`. Answers on stdout, one JSON a line.

Everything goes through the cluster's own names: Services for HTTP and gRPC, the brokers' advertised ones, the databases'.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from cli.layout import SERVICES, Layout, Stores
from cli.open_services import open_services
from cli.story.calls import Answer, Away
from cli.story.heard import Heard
from cli.story.market import Address, Who
from cli.story.plan import SMALL
from cli.story.tell import Teller
from kernel.verify.invariants import broken
from soak import ending
from soak.load import PATIENCE_S, Caller, Load

SECRETS, FOLDER = Path("/run/outside"), Path("/tmp/outside")
BUS = "kafka://dandelion-kafka-bootstrap:9093"
AT_A_TIME = 1
FINISH_S = 420.0
STOP = "stop"


def layout() -> Layout:
    """The platform as operators' commands see it, its keys copied to where they may be written beside."""
    if not FOLDER.exists():
        shutil.copytree(SECRETS, FOLDER, ignore=shutil.ignore_patterns("..*"), copy_function=shutil.copyfile)
        FOLDER.chmod(0o700)  # a mounted Secret's folder is sticky and writable by all, and its copy so too
    password = (FOLDER / "postgres.password").read_text()
    databases = {name: f"postgresql+asyncpg://postgres:{password}@{name}-db-rw:5432/{name}" for name in SERVICES}
    made = Layout.at(FOLDER, stores=Stores(databases, BUS))
    made.save(os.getpid(), "cluster")
    return made


def address(made: Layout) -> Address:
    """The platform as callers see it."""
    issuer = made.issuer()

    def issue(who: Who) -> str:
        return issuer.issue(who.name, who.tenant, who.role)

    http = {name: f"http://{name}-rest:8100" for name in SERVICES} | {"sandbox": "http://sandbox:8110"}
    rpc = {name: f"{name}-rpc:9100" for name in SERVICES}
    return Address(http, rpc, BUS, issue, (made.folder / "psp.key").read_text())


async def tell() -> None:
    """The demo's small story; its final numbers."""

    async def on_part(name: str) -> None:
        _note(name)

    told = await Teller(address(layout()), SMALL, Progress(console=Console(quiet=True)), on_part).tell()
    assert told.finale is not None
    _answer(told.finale.numbers())


class Timed(Caller):
    """Keeps how long every attempt took, by what was done to the platform meanwhile."""

    def __init__(self, given: Address) -> None:
        super().__init__(given)
        self.phase = "before"
        self.seconds = defaultdict[str, list[float]](list)
        self.lost = defaultdict[str, Counter[str]](Counter)

    async def once(self, service: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        phase, started = self.phase, time.perf_counter()
        try:
            answer = await super().once(service, method, path, headers, content)
        except Away as error:
            self.lost[phase][str(error)] += 1
            raise
        self.seconds[phase].append(time.perf_counter() - started)
        if not answer.is_success:
            self.lost[phase][str(answer.status_code)] += 1
        return answer

    def told_of(self) -> dict[str, Any]:
        """Per phase: answers, quantiles in milliseconds, and what was no success."""
        return {
            phase: {"answers": len(found), "p50_ms": _quantile_ms(found, 0.5), "p99_ms": _quantile_ms(found, 0.99),
                    "max_ms": _quantile_ms(found, 1.0), "tried_again": dict(self.lost[phase])}
            for phase, found in self.seconds.items()
        }  # fmt: skip


def _quantile_ms(seconds: list[float], part: float) -> int:
    found = sorted(seconds)
    return round(1_000 * found[min(len(found) - 1, int(part * len(found)))])


async def load() -> None:
    """Whole campaigns until stdin says `stop`; other lines name what is done meanwhile. Then everything is checked."""
    made = layout()
    where = address(made)
    async with Timed(where) as caller, Heard(BUS, PATIENCE_S) as heard:
        work = Load(caller, heard, int(time.time()), AT_A_TIME)
        try:
            await work.begin()
            _answer({"begun": True})
            await _until_stopped(caller, work)
            await work.finish(FINISH_S)
            async with open_services(made) as apps:
                await ending.quiet(apps)
                await heard.all_of_now()
                heard.ended()
                checked = await ending.check_all(apps, work)
        except BaseException:
            _note(work.now())
            raise
        finally:
            await work.close()
        looked_at = {f"{one.service} {one.invariant}": one.checked for one in checked}
        answers = {"ended": len(work.ended), "told": len(caller.told), "outcomes": dict(caller.outcomes)}
        _answer({"broken": broken(checked), "looked_at": looked_at, "phases": caller.told_of(), **answers})


async def _until_stopped(caller: Timed, work: Load) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    failing = asyncio.create_task(work.failed())
    try:
        while True:
            reading = asyncio.create_task(lines.readline())
            await asyncio.wait([reading, failing], return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                reading.cancel()
                failing.result()
            word = (await reading).decode().strip()
            if word in (STOP, ""):
                return
            caller.phase = word
            _answer({"phase": word})
    finally:
        failing.cancel()


def _answer(found: object) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    asyncio.run({"tell": tell, "load": load}[sys.argv[1]]())
