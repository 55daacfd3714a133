"""Faults on real processes and servers: what was acknowledged is there once, what is unknown once or not at all."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from kernel.app import run_migrations
from kernel.database import Database
from kernel.errors import Unavailable
from kernel.follow import Consumer
from kernel.ids import new_id
from kernel.kafka import KafkaBus
from kernel.log import Log
from kernel.projector import Projector
from kernel.relay import Relay
from kernel.writer import Writer
from tests.contract.conftest import migrated
from tests.contract.test_bus import read_all
from tests.contract.test_relay import check_chain
from tests.kit import counter, toy
from tests.kit.counter import Add
from tests.kit.running import free_port
from tests.kit.until import until
from tools.servers import KafkaServer, PostgresServer

LIMIT_S = 55


class Load:
    """Clients that send commands one after another over several writers and remember what they were told."""

    def __init__(self, databases: Sequence[Database]) -> None:
        self.stop, self.databases = asyncio.Event(), databases
        self.log = Log(databases[0])
        self.writers = [Writer("counters", Log(one), counter.deciders()) for one in databases]
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

    async def check(self) -> None:
        """Positions dense, versions without gaps, each acknowledged command where it was said, none twice."""
        await self.databases[0].close()  # the pool may still hold connections that were cut
        events = await self.log.read(0, 100_000)
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        versions = Counter(event.stream for event in events)
        assert all(event.version <= versions[event.stream] for event in events)
        found = Counter(event.command for event in events)
        assert set(found.values()) == {1}
        by_command = {event.command: event.position for event in events}
        assert {key: by_command.get(key) for key, told in self.told.items() if told} == {
            key: told for key, told in self.told.items() if told
        }
        assert found.keys() <= self.told.keys()


async def some_acknowledged(load: Load, count: int) -> None:
    async def enough() -> bool:
        return load.acknowledged() >= count

    await until(enough, LIMIT_S)


@pytest.fixture
async def replicas(fresh_postgres: PostgresServer) -> AsyncIterator[list[Database]]:
    url = fresh_postgres.url(await fresh_postgres.create_database())
    databases = [await migrated(url), Database(url, counter.metadata())]
    yield databases
    for one in databases:
        await one.close()


async def test_backends_cut_again_and_again_lose_and_double_nothing(replicas: list[Database]) -> None:
    load = Load(replicas)
    cutter = Database(replicas[0].url, counter.metadata())
    cut = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'cutter'"
    )
    async with asyncio.timeout(LIMIT_S):
        running, cuts = asyncio.create_task(load.run(16, 60)), 0
        for _ in range(15):
            await asyncio.wait({running}, timeout=0.2)
            async with cutter.write.connect() as connection:
                await connection.execute(sa.text("SET application_name = 'cutter'"))
                cuts += (await connection.execute(cut)).scalar_one()
        await running
    await cutter.close()
    assert cuts > 5
    await load.check()
    assert load.acknowledged() > 800


async def test_a_crash_of_the_database_under_load_loses_and_doubles_nothing(
    replicas: list[Database], fresh_postgres: PostgresServer
) -> None:
    load = Load(replicas)
    async with asyncio.timeout(LIMIT_S):
        running = asyncio.create_task(load.run(16, 40))
        for count in (100, 300):
            await some_acknowledged(load, count)
            await asyncio.to_thread(fresh_postgres.stop, "immediate")
            await asyncio.to_thread(fresh_postgres.start)
        await running
    await load.check()
    assert load.acknowledged() > 500


async def test_a_broker_killed_under_the_relay_leaves_a_whole_chained_topic(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    database = await migrated(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    load, bus, stop = Load([database]), KafkaBus(fresh_kafka.url), asyncio.Event()
    await bus.ensure_topics(counter.topics("counters"))
    relay = Relay("counters", load.log, bus, counter.CODEC, counter.publish, counter.PARTITIONS)
    load.writers[0].log.signal = load.log.signal
    relaying = asyncio.create_task(relay.run(stop))

    async def all_sent() -> bool:
        return (await relay.checkpoint()).position == (await load.log.head()).position

    async with asyncio.timeout(LIMIT_S):
        running = asyncio.create_task(load.run(8, 60))
        await some_acknowledged(load, 100)
        await asyncio.to_thread(fresh_kafka.restart)
        await running
        await until(all_sent, LIMIT_S)
    stop.set()
    await relaying
    ends = await bus.end_offsets(["counters.events.v1"])
    check_chain(await read_all(bus, dict.fromkeys(ends, 0), sum(ends.values())), range(1, 481))
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
    database = Database(toys["DANDELION_DATABASE_URL"], counter.metadata())
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

    async with asyncio.timeout(LIMIT_S):
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
    assert await asyncio.to_thread(frozen.wait, 20) == 0
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
    ended = asyncio.create_task(asyncio.to_thread(process.wait, LIMIT_S))

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

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(*[client(http, number) for number in range(16)])
            assert await ended == 0
    database = Database(env["DANDELION_DATABASE_URL"], counter.metadata())
    events = await Log(database).read(0, 100_000)
    await database.close()
    stored = {event.command: event.position for event in events}
    assert len(stored) == len(events)
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    assert len(acknowledged) >= 200
