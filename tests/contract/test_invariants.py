"""The checker over every store: green on a service that did everything it can, red by name on each planted damage."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.app import App, open_app, run_migrations
from kernel.checked import Checked
from kernel.consume import Topic
from kernel.invariants import broken, check
from kernel.model import Incoming
from kernel.projector import Projection, Target, fold_rows
from kernel.run import Role
from kernel.settings import Settings
from tests.contract.conftest import outcome
from tests.kit import counter, toy
from tests.kit.counter import Add, Remind
from tests.kit.quiet import until_quiet
from tests.kit.running import settings_in
from tests.kit.servers import Ports

HEARD = counter.SUMS.to_metadata(sa.MetaData(), name="heard")


async def _hear(target: Target, events: Sequence[Incoming[Any]]) -> None:
    await fold_rows(
        target,
        HEARD,
        events,
        lambda one: (one.stream,) if isinstance(one.event, counter.Added) else None,
        counter._fold_sum,
    )


SERVICE = replace(
    toy.SERVICE,
    projections=[
        counter.OWN_SUMS,
        Projection("heard", 1, (HEARD,), _hear, own=False, topics=(Topic("toys.events.v1"),)),
    ],
)


@dataclass(frozen=True, slots=True)
class Told:
    """A service that has done something and was stopped: its database and the folder of its bus."""

    url: str
    folder: Path

    def settings(self, folder: Path, url: str) -> Settings:
        return settings_in(folder, Settings, http_port=0, database_url=url, bus_url=f"local:///{folder / 'bus.db'}")


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[None]:
    stop = asyncio.Event()
    roles = [role for role in await app.roles(("relay", "project", "process")) if role.name != "loop"]
    tasks = [asyncio.create_task(_serve(role, stop)) for role in roles]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _serve(role: Role, stop: asyncio.Event) -> None:
    await role.serve(stop)


async def act(app: App) -> None:
    """Everything that leaves a trace: additions, a process there and back, a refusal, deadlines that rang and that wait."""
    streams = [counter.counter(f"story {number}") for number in range(5)]
    for amount in (1, 2, 3):
        await asyncio.gather(*[app.writer.execute(stream, Add(amount), counter.meta()) for stream in streams])
    echoing, full = counter.counter("echoing"), counter.counter("full")
    await app.writer.execute(echoing, Add(7, "echo me"), counter.meta())
    await until_quiet(app)
    await app.writer.execute(full, Add(counter.LIMIT - 40), counter.meta())
    await app.writer.execute(echoing, Add(50, "echo me"), counter.meta())
    now = await app.log.now()
    await app.writer.execute(streams[0], Remind(now), counter.meta())
    await app.writer.execute(streams[1], Remind(now + timedelta(days=1)), counter.meta())
    assert await outcome(app.writer, streams[2], Add(-1)) == "counter.amount_negative"
    await until_quiet(app)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    app = open_app(SERVICE, settings)
    await app.bus.ensure_topics(SERVICE.topics())
    try:
        yield app
    finally:
        await app.close()
        await app.bus.close()


async def tell(folder: Path, url: str) -> Told:
    told = Told(url, folder)
    settings = told.settings(folder, url)
    await run_migrations(SERVICE, settings)
    async with opened(settings) as app, serving(app):
        await act(app)
    return told


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ports: Ports
) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    if request.param == "sqlite":
        yield await tell(folder, f"sqlite+aiosqlite:///{folder / 'service.db'}")
        return
    server = ports.postgres.shared()
    name = await server.create_database()
    yield await tell(folder, server.url(name))
    await server.drop_database(name)


@pytest.fixture
async def app(told: Told, tmp_path: Path, ports: Ports) -> AsyncIterator[App]:
    """A copy of what was told, to do harm to."""
    shutil.copytree(told.folder, tmp_path, dirs_exist_ok=True)
    if told.url.startswith("sqlite"):
        async with opened(told.settings(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'service.db'}")) as made:
            yield made
        return
    server = ports.postgres.shared()
    name = await server.create_database(template=sa.make_url(told.url).database or "")
    async with opened(told.settings(tmp_path, server.url(name))) as made:
        yield made
    await server.drop_database(name)


def red(found: Sequence[Checked]) -> set[str]:
    return {one.invariant for one in found if not one.ok}


async def test_a_story_that_did_everything_is_whole(app: App) -> None:
    found = await check(app)
    assert broken(found) == []
    looked_at = {one.invariant: one.looked_at for one in found}
    assert looked_at["positions_dense"] > 20
    assert {name for name, count in looked_at.items() if not count} == {"nothing_parked"}
