"""Stores {SQLite, PostgreSQL} x buses {local log, Kafka} for the suites that every implementation must pass."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.opening import database_at
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.clock import system_clock
from kernel.core.faults import Fault
from kernel.core.ids import new_id
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.log import StoredLog
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.processors.projector import Projection, Projector
from kernel.streams.consumer import Consumer
from kernel.streams.records import Handle, Topic
from kernel.streams.relay import Relay
from tests.kit import counter
from tests.kit.generations import prepare
from tests.kit.servers import Ports
from tests.kit.until import until
from tools.servers import PostgresServer
from tools.speed import patience


async def migrated(url: str) -> Database:
    database = database_at(url, counter.metadata())
    async with database.transaction() as connection:
        await connection.run_sync(database.metadata.create_all)
        await connection.execute(sa.insert(database.metadata.tables["log"]).values(one=1, head=0, at=system_clock()))
        await connection.execute(
            sa.insert(database.metadata.tables["relay_checkpoint"]).values(name="relay", position=0, last="{}")
        )
    return database


class Templates:
    """Databases with the counters' tables and nothing in them: the first of each kind is made, and all later ones copied."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._file, self._ports, self._name = folder / "template.db", ports, ""

    @asynccontextmanager
    async def copy(self, kind: str, folder: Path) -> AsyncIterator[str]:
        """The URL of a database of its own: "sqlite" or "postgres"."""
        if kind == "sqlite":
            if not self._file.exists():
                await (await migrated(_sqlite(self._file))).close()
            shutil.copy(self._file, folder / "store.db")
            yield _sqlite(folder / "store.db")
            return
        server = self._ports.postgres.shared()
        if not self._name:
            name = await server.create_database()
            await (await migrated(server.url(name))).close()
            self._name = name
        async with _database(server, self._name) as url:
            yield url


def _sqlite(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@asynccontextmanager
async def _database(server: PostgresServer, template: str = "template1") -> AsyncIterator[str]:
    name = await server.create_database(template=template)
    yield server.url(name)
    await server.drop_database(name)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"), ports)


@pytest.fixture(params=["sqlite", "postgres"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> AsyncIterator[str]:
    """A database of the test's own without any table."""
    if request.param == "sqlite":
        yield _sqlite(tmp_path / "store.db")
        return
    async with _database(ports.postgres.shared()) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> AsyncIterator[str]:
    async with templates.copy(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    database = database_at(store_url, counter.metadata())
    yield database
    await database.close()


@pytest.fixture
def log(store: Database) -> StoredLog:
    return open_log(store)


@pytest.fixture(params=["local", "kafka"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> AsyncIterator[Bus]:
    made: Bus = SqliteBus(str(tmp_path / "bus.db"))
    if request.param == "kafka":
        made = KafkaBus(ports.kafka.shared().url)
    yield made
    await made.close()


@pytest.fixture
def service() -> str:
    """A service name of the test's own: topics on the shared broker never meet."""
    return f"counters{new_id()[-12:]}"


class Running:
    """A service of counters with everything started that a test asks for."""

    def __init__(self, service: str, log: StoredLog, bus: Bus) -> None:
        self.service, self.log, self.bus, self.store = service, log, bus, log.database
        self.stop = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.relays: list[Relay] = []
        self.writer = self.new_writer()

    def new_writer(self) -> Writer:
        """One more replica on the same log."""
        writer = Writer(self.service, open_log(self.store), counter.deciders())
        writer.log.signal = self.log.signal
        self.start(writer.run(self.stop))
        return writer

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(coroutine))
        return self.tasks[-1]

    def relay(self) -> Relay:
        made = Relay(self.service, self.log, self.bus, counter.CODEC, counter.publish, counter.PARTITIONS)
        self.relays.append(made)
        return made

    async def project(self, projection: Projection) -> Projector:
        await prepare(self.store, projection)
        projector = Projector(projection, 1, self.store)
        self.start(
            self.consumer(projector.consumer, projector.handle, projection.own, projection.topics).run(self.stop)
        )
        return projector

    def consumer(self, name: str, handle: Handle, own: bool, topics: Sequence[Topic], decode: Any = None) -> Consumer:
        return Consumer(
            name, self.store, handle, log=self.log if own else None, codec=counter.CODEC, service=self.service,
            bus=self.bus, topics=topics, decode=decode or counter.decode_event, partitions=counter.PARTITIONS,
        )  # fmt: skip

    async def close(self) -> None:
        self.stop.set()
        for relay in self.relays:
            await relay.close()
        done, stuck = await asyncio.wait(self.tasks, timeout=patience(30))
        for task in stuck:
            task.cancel()
        assert not stuck, f"did not stop: {stuck}"
        self.check(done)

    def check(self, tasks: Iterable[asyncio.Task[None]] | None = None) -> None:
        """Raises what a background task died of: nothing it should have done will come."""
        for task in self.tasks if tasks is None else tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def until(self, true: Callable[[], Awaitable[bool]], limit_s: float = 30) -> None:
        """Waits for what the background tasks will make true; fails at once when one of them dies."""

        async def checked() -> bool:
            self.check()
            return await true()

        await until(checked, limit_s)

    async def sums(self) -> dict[str, tuple[int, int]]:
        """What the read model `sums` shows: total and events by stream."""
        async with self.store.reading() as connection:
            rows = await connection.execute(sa.text("SELECT stream, total, events FROM sums"))
            return {row[0]: (row[1], row[2]) for row in rows}

    async def until_sums(self, wanted: dict[str, tuple[int, int]], limit_s: float = 30) -> None:
        async def shown() -> bool:
            return await self.sums() == wanted

        await self.until(shown, limit_s)

    async def until_names(self, wanted: list[str]) -> None:
        """Waits until the log holds exactly these events by name, in any order."""

        async def logged() -> bool:
            return sorted(event.name for event in await self.log.read(0)) == sorted(wanted)

        await self.until(logged)


@pytest.fixture
async def running(service: str, log: StoredLog, bus: Bus) -> AsyncIterator[Running]:
    await bus.ensure_topics(counter.topics(service))
    made = Running(service, log, bus)
    yield made
    await made.close()


class Replicas:
    """Writers on one log, each with its own cache, as separate processes would have."""

    def __init__(self, store: Database) -> None:
        self.store, self.stop = store, asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def one(self, speculates: bool = True, deciders: DeciderRegistry | None = None) -> Writer:
        writer = Writer("counters", open_log(self.store), deciders or counter.deciders(), speculates=speculates)
        self.tasks.append(asyncio.create_task(writer.run(self.stop)))
        return writer


@pytest.fixture
async def replicas(store: Database) -> AsyncIterator[Replicas]:
    made = Replicas(store)
    yield made
    made.stop.set()
    await asyncio.gather(*made.tasks)


async def outcome(writer: Writer, stream: str, command: object, key: str | None = None, fingerprint: str = "") -> str:
    try:
        await writer.execute(stream, command, counter.meta(key, fingerprint))
    except Fault as fault:
        return fault.code
    return "appended"
