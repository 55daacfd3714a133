"""Faults on real processes and servers: what was acknowledged is there once, what is unknown once or not at all."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from kernel.adapters.bus import PARTITIONS
from kernel.adapters.database import Database
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.opening import database_at
from kernel.core.faults import Unavailable
from kernel.core.ids import new_id
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.host.app import open_app, run_migrations
from kernel.processors.projector import Projector
from kernel.runtime.settings import Settings
from kernel.streams.consumer import Consumer
from kernel.streams.relay import Relay
from kernel.verify.inline_rows import check_inline_tables
from kernel.verify.invariants import broken, check_service
from tests.kit import counter, running, toy
from tests.kit.counter import Add
from tests.kit.until import until, within
from tools.servers import KafkaServer, PostgresServer
from tools.servers.places import free_port
from tools.speed import patience

LIMIT_S = 55


class Load:
    """Clients that send commands one after another over several writers and remember what they were told."""

    def __init__(self, databases: Sequence[Database]) -> None:
        self.stop, self.databases = asyncio.Event(), databases
        self.log = open_log(databases[0])
        self.writers = [Writer("toys", open_log(one), counter.deciders(PARTITIONS)) for one in databases]
        self.told: dict[str, int | None] = {}

    async def client(self, number: int, commands: int) -> None:
        writer, stream = self.writers[number % len(self.writers)], counter.counter()
        for _ in range(commands):
            key = new_id()
            self.told[key] = None
            try:
                self.told[key] = (await writer.execute(stream, Add(1, stream), counter.meta(key))).position
            except Unavailable:
                continue

    def acknowledged(self) -> int:
        return sum(position is not None for position in self.told.values())

    async def run(self, clients: int, commands: int) -> None:
        serving = [asyncio.create_task(writer.run(self.stop)) for writer in self.writers]
        try:
            await asyncio.gather(*[self.client(number, commands) for number in range(clients)])
        finally:
            self.stop.set()
            await asyncio.gather(*serving)

    async def check(self, settings: Settings, topics: bool = False) -> None:
        """All invariants hold; each acknowledged command is where it was said, and nothing is there that nobody sent."""
        await self.databases[0].close()  # the pool may still hold connections that were cut
        app = open_app(toy.SERVICE, settings)
        found = [*await check_service(app, topics=topics, rebuilt=False), *await check_inline_tables(app)]
        await app.close()
        await app.bus.close()
        assert broken(found) == []
        by_command = {event.command: event.position for event in await self.log.read(0, 100_000)}
        acknowledged = {key: told for key, told in self.told.items() if told}
        assert {key: by_command.get(key) for key in acknowledged} == acknowledged
        assert by_command.keys() <= self.told.keys()


async def some_acknowledged(load: Load, count: int) -> None:
    async def enough() -> bool:
        return load.acknowledged() >= count

    await until(enough, LIMIT_S)


async def settings_in(folder: Path, url: str, bus: str) -> Settings:
    """Of toys whose database is ready."""
    settings = running.settings_in(folder, Settings, database_url=url, bus_url=bus, http_port=0)
    await run_migrations(toy.SERVICE, settings)
    return settings


@pytest.fixture
async def settings(fresh_postgres: PostgresServer, tmp_path: Path) -> Settings:
    url = fresh_postgres.url(await fresh_postgres.create_database())
    return await settings_in(tmp_path, url, f"local:///{tmp_path / 'bus.db'}")


@pytest.fixture
async def replicas(settings: Settings) -> AsyncIterator[list[Database]]:
    databases = [database_at(settings.database_url, counter.metadata()) for _ in range(2)]
    yield databases
    for one in databases:
        await one.close()


async def test_backends_cut_again_and_again_lose_and_double_nothing(
    replicas: list[Database], settings: Settings
) -> None:
    load = Load(replicas)
    cutter = database_at(replicas[0].url, counter.metadata())
    cut = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'cutter'"
    )
    async with within(LIMIT_S):
        running, cuts = asyncio.create_task(load.run(16, 600)), 0
        for _ in range(15):
            await asyncio.wait({running}, timeout=0.1)
            async with cutter.write.connect() as connection:
                await connection.execute(sa.text("SET application_name = 'cutter'"))
                cuts += (await connection.execute(cut)).scalar_one()
        await running
    await cutter.close()
    assert cuts > 5
    await load.check(settings)
    assert load.acknowledged() > 8_000


async def test_a_crash_of_the_database_under_load_loses_and_doubles_nothing(
    replicas: list[Database], settings: Settings, fresh_postgres: PostgresServer
) -> None:
    load = Load(replicas)
    async with within(LIMIT_S):
        running = asyncio.create_task(load.run(16, 40))
        for count in (100, 300):
            await some_acknowledged(load, count)
            await asyncio.to_thread(fresh_postgres.stop, "immediate")
            await asyncio.to_thread(fresh_postgres.start)
        await running
    await load.check(settings)
    assert load.acknowledged() > 500


async def test_a_broker_killed_under_the_relay_leaves_a_whole_chained_topic(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = await settings_in(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", fresh_kafka.url)
    database = database_at(settings.database_url, counter.metadata())
    load, bus, stop = Load([database]), KafkaBus(fresh_kafka.url), asyncio.Event()
    await bus.ensure_topics(counter.topics("toys", PARTITIONS))
    relay = Relay("toys", load.log, bus, counter.CODEC, counter.publish)
    load.writers[0].log.signal = load.log.signal
    relaying = asyncio.create_task(relay.run(stop))

    async def all_sent() -> bool:
        return (await relay.checkpoint()).position == (await load.log.head()).position

    async with within(LIMIT_S):
        running = asyncio.create_task(load.run(8, 60))
        await some_acknowledged(load, 100)
        await asyncio.to_thread(fresh_kafka.restart)
        await running
        await until(all_sent, LIMIT_S)
    stop.set()
    await relaying
    assert (await load.log.head()).position == 480
    await load.check(settings, topics=True)
    await database.close()


@pytest.fixture
async def toys(fresh_postgres: PostgresServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a migrated service of toys on PostgreSQL."""
    env = toy.environment(tmp_path, fresh_postgres.url(await fresh_postgres.create_database()), free_port())
    await run_migrations(toy.SERVICE, toy.settings(env))
    return env


async def sums(database: Database) -> dict[str, tuple[int, int]]:
    async with database.reading() as connection:
        rows = await connection.execute(sa.text("SELECT stream, total, events FROM sums"))
        return {row[0]: (row[1], row[2]) for row in rows}


async def test_a_projector_frozen_past_its_lease_writes_nothing_when_it_wakes(toys: dict[str, str]) -> None:
    database = database_at(toys["DANDELION_DATABASE_URL"], counter.metadata())
    load, stop, stream = Load([database]), asyncio.Event(), counter.counter()
    writer = load.writers[0]
    writing = asyncio.create_task(writer.run(stop))
    frozen = toy.start(toys, "project")

    async def add_until_shown(total: int) -> None:
        await writer.execute(stream, Add(1), counter.meta())

        async def shown() -> bool:
            assert frozen.poll() is None
            return (await sums(database)).get(stream) == (total, total)

        await until(shown, LIMIT_S)

    async with within(LIMIT_S):
        await add_until_shown(1)
        frozen.send_signal(signal.SIGSTOP)
        async with database.transaction() as connection:
            await connection.execute(sa.text("UPDATE leases SET until = clock_timestamp() - interval '1 second'"))
        projector = Projector(counter.OWN_SUMS, 1, database)
        consumer = Consumer(projector.consumer, database, projector.handle, log=load.log, codec=counter.CODEC)
        projecting = asyncio.create_task(consumer.run(stop))
        await add_until_shown(2)
        frozen.send_signal(signal.SIGCONT)
        for total in range(3, 8):
            await add_until_shown(total)
    frozen.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(frozen.wait, patience(20)) == 0
    stop.set()
    await asyncio.gather(writing, projecting)
    assert await sums(database) == {stream: (7, 7)}
    await database.close()


async def test_a_drained_process_has_done_all_it_accepted(tmp_path: Path) -> None:
    """SIGTERM under load: exit 0 within the grace, every 200 in the log, nothing twice."""
    port, acknowledged = free_port(), dict[str, int]()
    env = toy.environment(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'toys.db'}", port)
    await run_migrations(toy.SERVICE, toy.settings(env))
    process = toy.start(env, "rest", "relay", "project", "process")
    ended = asyncio.create_task(asyncio.to_thread(process.wait, patience(LIMIT_S)))

    async def client(http: httpx.AsyncClient, number: int) -> None:
        stream = counter.counter()
        while not ended.done():
            key = new_id()
            try:
                answer = await http.post(f"/add/{stream}/{key}")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                acknowledged[key] = answer.json()["position"]
                if len(acknowledged) == 200:
                    process.send_signal(signal.SIGTERM)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=patience(20)) as http, within(LIMIT_S):
        await asyncio.gather(*[client(http, number) for number in range(16)])
        assert await ended == 0
    database = database_at(env["DANDELION_DATABASE_URL"], counter.metadata())
    events = await open_log(database).read(0, 100_000)
    await database.close()
    stored = {event.command: event.position for event in events}
    assert len(stored) == len(events)
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    assert len(acknowledged) >= 200
