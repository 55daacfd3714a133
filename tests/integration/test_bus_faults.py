"""What talks to a broker that no longer answers ends in time, and holds nothing then: no connection, no task."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from kernel.adapters.bus import Message
from kernel.adapters.kafka import KafkaBus
from kernel.core.faults import Unavailable
from tests.kit.until import until, within
from tools.servers import KafkaServer

LIMIT_S = 60
TOPIC = "silence.events.v1"
PARTITION = (TOPIC, 0)


def sockets() -> set[str]:
    return {str(name) for one in Path("/proc/self/fd").iterdir() if "socket" in (name := str(one.resolve()))}


def held() -> set[Any]:
    gc.collect()
    return {*asyncio.all_tasks(), *sockets()}


async def test_what_is_closed_before_a_silent_broker_holds_nothing(
    fresh_kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.kafka.STOP_DEADLINE_S", 0.5)
    bus = KafkaBus(fresh_kafka.url)
    await bus.ensure_topics({TOPIC: 1})
    before = held()
    reader, producer = await bus.reader({PARTITION: 0}, "silent"), await bus.producer()
    await producer.send({PARTITION: [Message(b"key", b"1")]}, 10)
    await until(lambda: _read(reader), LIMIT_S)
    monkeypatch.setattr("kernel.adapters.kafka.START_DEADLINE_S", 1.0)
    await asyncio.to_thread(fresh_kafka.freeze)
    try:
        async with within(LIMIT_S):
            await reader.commit({PARTITION: 1})
            await reader.close()
            await producer.close()
            for call in (bus.end_offsets([TOPIC]), bus.ensure_topics({TOPIC: 1}), bus.producer()):
                with pytest.raises(Unavailable):
                    await call
            await until(lambda: _nothing_but(before), LIMIT_S)
    finally:
        await asyncio.to_thread(fresh_kafka.thaw)


async def _read(reader: Any) -> bool:
    return bool(await reader.read(10, 1.0))


async def _nothing_but(before: set[Any]) -> bool:
    return not held() - before
