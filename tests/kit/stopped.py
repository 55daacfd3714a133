"""A service of counters that did everything it can and was stopped, and copies of it to do harm to."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.core.events import Delivered
from kernel.host.app import App, open_app, run_migrations
from kernel.processors.projector import Projection, Target, fold_rows
from kernel.runtime.roles import Role
from kernel.runtime.settings import Settings
from kernel.streams.records import Topic
from tests.kit import counter, toy
from tests.kit.counter import Add, Remind
from tests.kit.quiet import until_quiet
from tests.kit.running import settings_in

HEARD = counter.SUMS.to_metadata(sa.MetaData(), name="heard")


async def _hear(target: Target, events: Sequence[Delivered[Any]]) -> None:
    def key(incoming: Delivered[Any]) -> tuple[str] | None:
        return (incoming.stream,) if isinstance(incoming.event, counter.Added) else None

    await fold_rows(target, HEARD, events, key, counter.fold_sum)


HEARING = Projection("heard", 1, (HEARD,), _hear, own=False, topics=(Topic("toys.events.v1"),))
SERVICE = replace(toy.SERVICE, projections=[counter.OWN_SUMS, HEARING])


@dataclass(frozen=True, slots=True)
class Told:
    """Where the stopped service's data is."""

    url: str
    folder: Path

    def at(self, folder: Path, url: str) -> Settings:
        """Settings for a copy of it."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return settings(folder, url)


def settings(folder: Path, url: str) -> Settings:
    bus = f"local:///{folder / 'bus.db'}"
    return settings_in(folder, Settings, http_port=0, database_url=url, bus_url=bus)


def sqlite_in(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'service.db'}"


@asynccontextmanager
async def opened(given: Settings) -> AsyncIterator[App]:
    app = open_app(SERVICE, given)
    await app.bus.ensure_topics(SERVICE.topics())
    try:
        yield app
    finally:
        await app.close()
        await app.bus.close()


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[None]:
    """All roles that have no edge, until the block ends."""
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


async def tell(folder: Path, url: str) -> Told:
    """From an empty database to a stopped service."""
    given = settings(folder, url)
    await run_migrations(SERVICE, given)
    async with opened(given) as app, serving(app):
        await _act(app)
    return Told(url, folder)


async def _act(app: App) -> None:
    """What leaves a trace: additions, a process there and back, a refusal, deadlines that rang and that wait.

    In the end there is no room left for what the process asked for first.
    """
    streams = [counter.counter(f"story {number}") for number in range(5)]
    for amount in (1, 2, 3):
        await asyncio.gather(*[app.writer.execute(stream, Add(amount), counter.meta()) for stream in streams])
    echoing = counter.counter("echoing")
    await app.writer.execute(echoing, Add(7, "echo me"), counter.meta())
    await until_quiet(app)
    await app.writer.execute(counter.counter("full"), Add(counter.LIMIT - 40), counter.meta())
    await app.writer.execute(echoing, Add(50, "echo me"), counter.meta())
    now = await app.log.now()
    await app.writer.execute(streams[0], Remind(now), counter.meta())
    await app.writer.execute(streams[1], Remind(now + timedelta(days=1)), counter.meta())
    await until_quiet(app)


async def harm(app: App, *statements: str, **values: Any) -> None:
    """SQL on the service's database, as its owner."""
    made = create_async_engine(app.database.url)
    async with made.begin() as connection:
        for statement in statements:
            bound = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(sa.text(statement), bound)
    await made.dispose()


async def harm_bus(app: App, *statements: str) -> None:
    """SQL on the topics; the bus is opened anew by whoever looks next."""
    await app.bus.close()
    path = app.settings.bus_url.removeprefix("local://")
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
