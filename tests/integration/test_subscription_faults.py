"""A subscriber outlives its broker: what was acknowledged before and after a kill -9 arrives once and in order."""

import asyncio
from datetime import UTC, datetime

from dandelion.ledger.v1.events_pb2 import DepositConfirmed
from dandelion_contracts.errors import Unreachable
from dandelion_contracts.event import Event
from dandelion_contracts.positions import MemoryPositions
from dandelion_contracts.subscriber import subscribe
from dandelion_contracts.subscription import Subscription

from kernel.adapters.bus import Message
from kernel.adapters.kafka import KafkaBus
from tests.kit.until import within
from tools.servers import KafkaServer

TOPIC = "ledger.events.v1"


def message(position: int) -> Message:
    headers = {
        "ce_id": f"deposit@{position}", "ce_type": DepositConfirmed.DESCRIPTOR.full_name,
        "ce_time": datetime.now(UTC).isoformat(), "ce_position": str(position), "ce_previous": str(position - 1),
    }  # fmt: skip
    value = DepositConfirmed(amount_minor=position).SerializeToString()
    return Message(b"deposit", value, [(name, text.encode()) for name, text in headers.items()])


async def send(server: KafkaServer, *positions: int) -> None:
    producer = await KafkaBus(server.url).producer()
    await producer.send({(TOPIC, 0): [message(position) for position in positions]}, 30)
    await producer.close()


async def following(events: Subscription[DepositConfirmed]) -> Event[DepositConfirmed]:
    """The next event, asked for again while the broker is away."""
    while True:
        try:
            return await anext(events)
        except Unreachable:
            await asyncio.sleep(0.1)


async def take(events: Subscription[DepositConfirmed], count: int) -> list[int]:
    async with within(90):
        return [(await following(events)).message.amount_minor for _ in range(count)]


async def test_a_broker_killed_and_restarted_loses_and_doubles_nothing(fresh_kafka: KafkaServer) -> None:
    await fresh_kafka.create_topics({TOPIC: 1})
    await send(fresh_kafka, 1, 2)
    positions = MemoryPositions()
    async with subscribe("ledger", brokers=fresh_kafka.url, positions=positions, types=[DepositConfirmed]) as events:
        assert await take(events, 2) == [1, 2]
        waiting = asyncio.create_task(take(events, 3))
        await asyncio.to_thread(fresh_kafka.restart)
        await send(fresh_kafka, 3, 4)
        await send(fresh_kafka, 4, 5)
        assert await waiting == [3, 4, 5]
