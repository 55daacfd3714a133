"""One record in a hundred is poison: only its key stops, in order; faults that pass park nothing; mended, all is as if never."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.bus import Message
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.opening import database_at
from kernel.core.events import Recorded
from kernel.core.faults import Unavailable
from kernel.core.ids import split_stream
from kernel.processors.generations import Rebuild
from kernel.streams.relay import Checkpoint
from tests.contract.conftest import migrated
from tests.kit import counter, sickly
from tests.kit.counter import Add
from tests.kit.generations import dump, prepare
from tests.kit.sickly import BAD_BYTES, BAD_COMMAND, BUG, POISON, Code, Newer, Sickly, run_until
from tests.kit.until import until, within
from tools.servers import KafkaServer, PostgresServer

LIMIT_S = 180
STREAMS, EACH, SICK_EVERY, POISON_AT = 150, 8, 12, 2
"""1,200 events of 150 keys, 13 of them poison; each is asked for once more by a process and carried out as a command."""
LOCK_S = 1.0
GARBAGE = [Message(b"counter-x", b"\x80\x81"), Message(b"", b"", (("ce_type", b"\xff"),))]


@pytest.fixture
async def service(
    fresh_postgres: PostgresServer, fresh_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sickly]:
    monkeypatch.setattr("kernel.adapters.postgres.database.LOCK_TIMEOUT_MS", 300)
    database = await migrated(fresh_postgres.url(await fresh_postgres.create_database()))
    bus = KafkaBus(fresh_kafka.url)
    await bus.ensure_topics(counter.topics(sickly.SERVICE))
    for projection in (counter.OWN_SUMS, sickly.SEEN_ON_TOPIC):
        await prepare(database, projection)
    made = Sickly(database, bus)
    yield made
    await made.relay.close()
    await database.close()
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()  # a connection that aiokafka was opening when its broker was killed


async def add_all(service: Sickly) -> None:
    """Every stream's commands one after another, tried again while the database is away."""

    async def add(number: int) -> None:
        stream = counter.counter()
        for index in range(EACH):
            is_sick = number % SICK_EVERY == 0 and index == POISON_AT
            amount = POISON[number // SICK_EVERY % len(POISON)] if is_sick else 1 + index % 3
            await _persist(service, stream, Add(amount, "echo me"))

    for start in range(0, STREAMS, 40):
        await asyncio.gather(*[add(number) for number in range(start, min(start + 40, STREAMS))])


async def _persist(service: Sickly, stream: str, command: Add) -> None:
    meta = counter.meta()
    while True:
        try:
            await service.writer.execute(stream, command, meta)
        except Unavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def trouble(service: Sickly, kafka: KafkaServer) -> None:
    """What passes by itself: connections cut, a read model locked for long, all sent again, a broker killed."""
    other = database_at(service.database.url, counter.metadata())
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(3):
        await asyncio.sleep(0.3)
        async with other.write.connect() as connection:
            await connection.execute(sa.text(cut))
    for table in ("sums_g1", "seen_g1", "parked"):
        async with other.write.begin() as connection:
            await connection.execute(sa.text("SET lock_timeout = 0"))
            await connection.execute(sa.text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            await asyncio.sleep(LOCK_S)
    await other.close()
    await service.relay.rewind(Checkpoint())  # as after a lost answer: all is sent once more
    await asyncio.to_thread(kafka.restart)


def first_sick(events: list[Recorded], is_sick: Callable[[Recorded, int], bool]) -> dict[str, list[int]]:
    """By stream: the position of its first sick event and of all that follow it."""
    found: dict[str, list[int]] = {}
    for event in events:
        amount = getattr(Newer(sickly.TYPES).decode(event.name, event.data), "amount", 0)
        if event.stream in found or is_sick(event, amount):
            found.setdefault(event.stream, []).append(event.position)
    return found


async def expected(service: Sickly) -> dict[str, dict[str, list[int]]]:
    """What must be parked of events, from the log alone: nothing else, nothing less, in this order."""
    events = await service.log.read(0, 100_000)
    public = [event for event in events if event.name.startswith("counter.added")]

    def is_new(event: Recorded, _: int) -> bool:
        return event.name.endswith("@2")

    return {
        "sums_own_g1": first_sick(public, lambda e, n: is_new(e, n) or n == counter.UNLUCKY),
        "echo": first_sick(public, lambda e, n: is_new(e, n) or (b"echo me" in e.data and n == counter.UNLUCKY)),
        "seen_g1": first_sick(public, lambda _, n: n in (counter.UNLUCKY, BAD_BYTES)),
    }


async def sick_commands(service: Sickly) -> dict[str, int]:
    """By key: requests that cannot be carried out; those behind them were."""
    requests = [e for e in await service.log.read(0, 100_000) if e.name == "echo.requested@1"]
    decoded = [counter.CODEC.decode(event.name, event.data) for event in requests]
    return {split_stream(one.counter)[1]: 1 for one in decoded if one.amount in (BAD_COMMAND, BUG)}


async def shown(service: Sickly) -> dict[str, list[int]]:
    """What the read model over the topic shows: each stream's amounts in the order they were applied in."""
    async with service.database.reading() as connection:
        rows = (await connection.execute(sa.text("SELECT stream, amounts FROM seen"))).all()
    return {row[0]: [int(one) for one in row[1].split()] for row in rows}


async def told(service: Sickly) -> dict[str, list[tuple[int, int]]]:
    """By stream: position and amount of all that was added."""
    found: dict[str, list[tuple[int, int]]] = {}
    for event in await service.log.read(0, 100_000):
        if event.name.startswith("counter.added"):
            amount = Newer(sickly.TYPES).decode(event.name, event.data).amount
            found.setdefault(event.stream, []).append((event.position, amount))
    return found


async def check_parked(service: Sickly) -> None:
    parked = await service.parked()
    assert {consumer: set(filter(is_garbage, keys)) for consumer, keys in parked.items() if any(map(is_garbage, keys))} == {
        "seen_g1": {f"unreadable:{sickly.EVENTS.name}/0/{offset}" for offset in (0, 1)},
        "commands": {f"unreadable:{sickly.COMMANDS.name}/0/{offset}" for offset in (0, 1)},
    }  # fmt: skip
    events = {name: {k: v for k, v in keys.items() if not is_garbage(k)} for name, keys in parked.items()}
    del events["commands"]
    requests = await service.parked_requests()
    assert {key: len(ids) for key, ids in requests.items()} == await sick_commands(service)
    wanted = await expected(service)
    assert events == wanted
    assert all(len(keys) > 2 for keys in wanted.values())
    waits = {position for positions in wanted["seen_g1"].values() for position in positions}
    applied = {k: [n for at, n in v if at not in waits] for k, v in (await told(service)).items()}
    assert await shown(service) == {key: amounts for key, amounts in applied.items() if amounts}


def is_garbage(key: str) -> bool:
    return key.startswith("unreadable:")


async def retry_all(service: Sickly, readers: dict[str, Any]) -> None:
    """As `dlq retry` does, key by key, until nothing waits but what can never be read."""
    while waiting := [(c, k) for c, keys in (await service.parked()).items() for k in keys if not is_garbage(k)]:
        for consumer, key in waiting:
            runner, reader = readers[consumer]
            await runner.retry(key, reader.redecode)


async def check_whole(service: Sickly) -> None:
    """As if there had never been poison; each counter's echo is whole too, and both read models rebuild to the same rows."""
    wanted = {key: [amount for _, amount in found] for key, found in (await told(service)).items()}
    assert await shown(service) == wanted
    asked = [key for key in wanted if counter.echo_of(key) in wanted]
    assert len(asked) == STREAMS
    assert all(sorted(wanted[counter.echo_of(key)]) == sorted(wanted[key]) for key in asked)
    for projection in (counter.OWN_SUMS, sickly.SEEN_ON_TOPIC):
        code = Code(mended=True)
        made = Rebuild(
            projection, service.database, service.log, code.codec, sickly.SERVICE, service.bus, code.event,
            partitions=counter.PARTITIONS,
        )  # fmt: skip
        assert await made.run() == 2
        rows = [await dump(service.database, projection, generation) for generation in (1, 2)]
        assert rows[0] == rows[1]
        assert len(rows[0]) == 2 * STREAMS


async def test_poison_stops_its_key_only_and_what_passes_parks_nothing(
    service: Sickly, fresh_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, stop = asyncio.Event(), asyncio.Event()
    producer = await service.bus.producer()
    await producer.send({(topic.name, 0): GARBAGE for topic in (sickly.EVENTS, sickly.COMMANDS)}, 10)
    await producer.close()
    readers = service.readers(Code(mended=False))
    async with within(LIMIT_S), asyncio.TaskGroup() as running:
        running.create_task(run_until(stop, service.writer, service.relay))
        reading = running.create_task(run_until(before, *[reader for _, reader in readers.values()]))
        await asyncio.gather(add_all(service), trouble(service, fresh_kafka))
        await until(service.is_settled, LIMIT_S)
        await check_parked(service)
        before.set()
        await reading
        monkeypatch.setattr(counter, "UNLUCKY", 0)
        readers = service.readers(Code(mended=True))
        running.create_task(run_until(stop, *[reader for _, reader in readers.values()]))
        await retry_all(service, readers)
        await until(service.is_settled, LIMIT_S)
        await retry_all(service, readers)
        stop.set()
    await check_whole(service)
