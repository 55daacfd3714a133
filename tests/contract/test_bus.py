"""What the bus promises, over the local log and Apache Kafka: order per partition, offsets, seeking, waking, fixed counts."""

import asyncio

import pytest

from kernel.adapters.bus import Bus, BusRecord, Message, TopicPartition
from kernel.core.faults import Fault
from tests.kit.until import within

ROUND = 10.0


def messages(*numbers: int) -> list[Message]:
    return [Message(b"key", str(n).encode(), (("ce_type", b"Number"), ("raw", b"\xff\x00"))) for n in numbers]


async def read_all(bus: Bus, positions: dict[TopicPartition, int], count: int) -> list[BusRecord]:
    found: list[BusRecord] = []
    reader = await bus.reader(positions, "suite")
    try:
        async with within(30):
            while len(found) < count:
                for records in (await reader.read(100, 1.0)).values():
                    found += records
    finally:
        await reader.close()
    return found


async def send(bus: Bus, batches: dict[TopicPartition, list[Message]]) -> None:
    producer = await bus.producer()
    try:
        await producer.send(batches, ROUND)
    finally:
        await producer.close()


@pytest.fixture
async def topic(bus: Bus, service: str) -> str:
    await bus.ensure_topics({service: 3})
    return service


async def test_a_partition_keeps_order_and_what_was_sent(bus: Bus, topic: str) -> None:
    await send(bus, {(topic, 0): messages(1, 2, 3), (topic, 2): messages(9)})
    await send(bus, {(topic, 0): messages(4)})
    found = await read_all(bus, {(topic, 0): 0}, 4)
    assert [record.value for record in found] == [b"1", b"2", b"3", b"4"]
    assert [record.offset for record in found] == [0, 1, 2, 3]
    assert list(found[0].headers) == [("ce_type", b"Number"), ("raw", b"\xff\x00")]
    assert found[0].header("ce_type") == "Number"


async def test_reading_starts_where_told(bus: Bus, topic: str) -> None:
    await send(bus, {(topic, 1): messages(*range(10))})
    assert [record.offset for record in await read_all(bus, {(topic, 1): 7}, 3)] == [7, 8, 9]


async def test_a_reader_is_woken_by_what_comes_later(bus: Bus, topic: str) -> None:
    waiting = asyncio.create_task(read_all(bus, {(topic, 0): 0, (topic, 1): 0}, 2))
    await send(bus, {(topic, 0): messages(1), (topic, 1): messages(2)})
    assert sorted(record.value for record in await waiting) == [b"1", b"2"]


async def test_a_topic_made_anew_is_empty_and_begins_at_its_start(bus: Bus, topic: str) -> None:
    await send(bus, {(topic, 0): messages(1, 2, 3), (topic, 1): messages(4)})
    await bus.remake_topics({topic: 3})
    assert await bus.end_offsets([topic]) == {(topic, partition): 0 for partition in range(3)}
    await send(bus, {(topic, 0): messages(5), (topic, 2): messages(6)})
    found = await read_all(bus, {(topic, partition): 0 for partition in range(3)}, 2)
    assert sorted(record.value for record in found) == [b"5", b"6"]


async def test_a_reader_starts_at_its_offset_whatever_was_committed(bus: Bus, topic: str) -> None:
    await send(bus, {(topic, 0): messages(1, 2, 3)})
    before = await bus.reader({(topic, 0): 3}, "suite")
    await before.commit({(topic, 0): 3})
    await before.close()
    reader = await bus.reader({(topic, 0): 1}, "suite")
    found: list[BusRecord] = []
    async with within(30):
        while len(found) < 2:
            found += (await reader.read(10, 1.0)).get((topic, 0), [])
    await reader.close()
    assert [record.value for record in found] == [b"2", b"3"]


async def test_end_offsets_count_every_partition(bus: Bus, topic: str) -> None:
    await send(bus, {(topic, 1): messages(1, 2)})
    assert await bus.end_offsets([topic]) == {(topic, 0): 0, (topic, 1): 2, (topic, 2): 0}


async def test_end_offsets_of_no_topics_are_none(bus: Bus) -> None:
    assert await bus.end_offsets([]) == {}


async def test_another_partition_count_is_refused(bus: Bus, topic: str) -> None:
    await bus.ensure_topics({topic: 3})
    with pytest.raises(Fault, match=r"bus\.partition_count"):
        await bus.ensure_topics({topic: 4})


async def test_sending_to_an_unknown_topic_fails_in_time(bus: Bus, topic: str) -> None:
    producer = await bus.producer()
    with pytest.raises(Fault, match=r"bus\."):
        await producer.send({(f"{topic}-unknown", 0): messages(1)}, 2.0)
    await producer.close()


async def test_large_batches_arrive_whole(bus: Bus, topic: str) -> None:
    big = [Message(b"k", bytes([n]) * 200_000) for n in range(12)]
    await send(bus, {(topic, 0): big})
    assert [record.value for record in await read_all(bus, {(topic, 0): 0}, 12)] == [message.value for message in big]


async def test_reading_what_does_not_exist_fails_in_time(bus: Bus, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.adapters.kafka.START_DEADLINE_S", 2.0)
    async with within(20):
        with pytest.raises(Fault, match=r"bus\."):
            await bus.reader({(topic, 0): 0, (topic, 7): 0}, "suite")
