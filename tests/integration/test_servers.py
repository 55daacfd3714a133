"""The servers that tests stand on: real ones, that can be hurt, and that end with whoever started them."""

import asyncio
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from tests.kit.required import without
from tests.kit.servers import Port
from tools.servers import KafkaServer, NoServer, PostgresServer, places, run
from tools.speed import patience

ROOT = Path(__file__).parents[2]


async def write(server: KafkaServer, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=server.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def read(server: KafkaServer, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        return [(await asyncio.wait_for(consumer.getone(), patience(30))).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_kafka_keeps_what_it_acknowledged_over_kill_9(fresh_kafka: KafkaServer) -> None:
    await fresh_kafka.create_topics({"kept": 1})
    await write(fresh_kafka, "kept", b"before")
    address = fresh_kafka.bootstrap
    await asyncio.to_thread(fresh_kafka.restart)
    await write(fresh_kafka, "kept", b"after")
    assert fresh_kafka.bootstrap == address
    assert await read(fresh_kafka, "kept", 2) == [b"before", b"after"]


async def test_topics_are_never_made_by_accident(kafka_server: KafkaServer) -> None:
    name = f"absent-{uuid4()}"
    await kafka_server.delete_topics(name)
    await kafka_server.create_topics({name: 2})
    with pytest.raises(Exception, match="already exists"):
        await kafka_server.create_topics({name: 2})
    await kafka_server.delete_topics(name)


@pytest.mark.parametrize("how", ["kill", "stop", "immediate"])
async def test_postgres_keeps_what_it_committed(fresh_postgres: PostgresServer, how: str) -> None:
    dsn = fresh_postgres.dsn(await fresh_postgres.create_database())
    assert await sql(dsn, "CREATE TABLE kept (a int)", "INSERT INTO kept VALUES (7)", "SELECT a FROM kept") == 7
    match how:
        case "kill":
            await asyncio.to_thread(fresh_postgres.kill)
        case "stop":
            await asyncio.to_thread(fresh_postgres.stop)
        case _:
            await asyncio.to_thread(fresh_postgres.stop, "immediate")
    assert not await asyncio.to_thread(fresh_postgres.answers)
    await asyncio.to_thread(fresh_postgres.start)
    assert await sql(dsn, "SELECT a FROM kept") == 7


async def sql(dsn: str, *statements: str) -> object:
    link = await asyncpg.connect(dsn)
    try:
        return [await link.fetchval(statement) for statement in statements][-1]
    finally:
        await link.close()


async def test_a_frozen_postgres_is_silent_until_thawed(fresh_postgres: PostgresServer) -> None:
    await asyncio.to_thread(fresh_postgres.freeze)
    assert not await asyncio.to_thread(fresh_postgres.answers)
    await asyncio.to_thread(fresh_postgres.thaw)
    assert await asyncio.to_thread(fresh_postgres.answers)


async def test_a_database_is_a_copy_of_its_template(postgres_server: PostgresServer) -> None:
    template = await postgres_server.create_database()
    await sql(postgres_server.dsn(template), "CREATE TABLE told AS SELECT 3 AS a")
    copy = await postgres_server.create_database(template=template)
    assert await sql(postgres_server.dsn(copy), "SELECT a FROM told") == 3
    await postgres_server.drop_database(copy)
    await postgres_server.drop_database(template)


def test_a_stranger_on_the_port_is_not_our_server(postgres_server: PostgresServer) -> None:
    other = PostgresServer(run.Elsewhere("a stranger"), "test", "", postgres_server.base, data=ROOT)
    assert postgres_server.answers()
    assert not other.answers()


def test_servers_of_others_are_never_hurt() -> None:
    server = KafkaServer(run.Elsewhere("a cluster"), "given", "", "127.0.0.1:1")
    for hurt in (server.kill, server.stop, server.freeze, server.start):
        with pytest.raises(NoServer, match="not ours"):
            hurt()


STARTER = """
import sys, signal
from pathlib import Path
from tools.servers.run import Process
server = Process(["sleep", "600"], Path(sys.argv[1]))
server.start()
sys.stdout.write(f"{server.pid()}\\n")
sys.stdout.flush()
signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their killed parent")
def test_a_server_ends_with_its_killed_starter(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as starter:
        assert starter.stdout is not None
        child = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
    assert ended(child)
    os.close(child)


def ended(pidfd: int) -> bool:
    """Waits up to ten seconds for a process that is not our child."""
    return bool(select.select([pidfd], [], [], patience(10))[0])


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = run.Process(["sh", "-c", "echo the disk is full; exit 1"], tmp_path / "log")
    server.start()
    with pytest.raises(NoServer, match="the disk is full"):
        run.until(lambda: False, server, "the server")


def test_folders_of_killed_runs_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held, left = places.Folder("held"), tmp_path / "dandelion-left"
    left.mkdir()
    (left / "lock").touch()
    for lock in (held.path / "lock", left / "lock"):
        os.utime(lock, (0, 0))
    places.sweep()
    assert held.path.exists()
    assert not left.exists()
    held.close()
    assert not held.path.exists()


def absent(*_: object, **__: object) -> KafkaServer:
    raise NoServer("the machine is bare")


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "Skipped"), ("postgres,kafka", "Failed"), ("docker", "Skipped")]
)
def test_a_missing_server_skips_unless_required(monkeypatch: pytest.MonkeyPatch, required: str, outcome: str) -> None:
    monkeypatch.setenv("DANDELION_REQUIRE", required)
    port = Port("kafka", absent, lambda: "none", needed={"one", "two"})
    with pytest.raises(BaseException, match="the machine is bare") as caught:
        port.shared()
    assert type(caught.value).__name__ == outcome
    assert port.summary() == "kafka: none; 2 tests could not use it: the machine is bare"


@pytest.mark.parametrize(("required", "outcome"), [("kafka", "Skipped"), ("kafka, browser", "Failed")])
def test_a_missing_browser_skips_unless_required(monkeypatch: pytest.MonkeyPatch, required: str, outcome: str) -> None:
    monkeypatch.setenv("DANDELION_REQUIRE", required)
    with pytest.raises(BaseException, match="no Chromium here") as caught:
        without("browser", "no Chromium here")
    assert type(caught.value).__name__ == outcome
