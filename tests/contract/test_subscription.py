"""The subscriber helper over {embedded bus, Kafka}, fed by the kernel's own relay and producers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dandelion.ledger.v1.events_pb2 import DepositConfirmed
from dandelion_contracts.errors import PositionLost, Unreachable
from dandelion_contracts.event import Event
from dandelion_contracts.events import EVENTS
from dandelion_contracts.kafka import KafkaSource
from dandelion_contracts.lanes import EventLane
from dandelion_contracts.local import LocalSource
from dandelion_contracts.positions import FilePositions, MemoryPositions, Position, PositionStore
from dandelion_contracts.source import Source
from dandelion_contracts.subscriber import source_of
from dandelion_contracts.subscription import Subscription

from kernel.adapters.bus import Bus, Message
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.events import Delivered
from kernel.core.ids import new_id
from kernel.streams.relay import PublicEvent, Relay
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.servers import Ports
from tests.kit.until import within

DEPOSIT = "dandelion.ledger.v1.DepositConfirmed"


def url_of(bus: Bus) -> str:
    """What a subscriber is given as `brokers`."""
    if isinstance(bus, KafkaBus):
        return f"kafka://{bus.brokers.bootstrap}"
    assert isinstance(bus, SqliteBus)
    return f"local://{bus._path}"


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent]:
    message = DepositConfirmed(deposit_id=incoming.stream, amount_minor=incoming.event.amount, currency="CNY")
    return [PublicEvent(DEPOSIT, message.SerializeToString())]


@asynccontextmanager
async def subscribed(
    bus: Bus, topic: str, positions: PositionStore | None = None, **more: Any
) -> AsyncIterator[Subscription[DepositConfirmed]]:
    source, store = source_of(url_of(bus)), positions or MemoryPositions()
    async with Subscription[DepositConfirmed](source, topic, lambda at: EventLane(at, EVENTS), store, **more) as events:
        yield events


async def take(events: Subscription[DepositConfirmed], count: int) -> list[Event[DepositConfirmed]]:
    async with within(30):
        return [await anext(events) for _ in range(count)]


async def test_all_that_a_service_publishes_arrives_once_and_in_order_per_stream(
    running: Running, tmp_path: Path
) -> None:
    """Through log, relay and bus; the subscriber stops in the middle and goes on from its file."""
    running.start(
        Relay(running.service, running.log, running.bus, counter.CODEC, publish, counter.PARTITIONS).run(running.stop)
    )
    streams = [counter.counter() for _ in range(10)]
    for amount in (1, 2, 3):
        await asyncio.gather(*[running.writer.execute(stream, Add(amount), counter.meta()) for stream in streams])
    topic, found = f"{running.service}.events.v1", []
    for count in (11, 19):
        async with subscribed(running.bus, topic, FilePositions(tmp_path / "positions.json")) as events:
            found += await take(events, count)
            await events.done()
    assert {event.id for event in found} == {f"{stream}@{version}" for stream in streams for version in (1, 2, 3)}
    assert len(found) == 30
    for stream in streams:
        ours = [event for event in found if event.stream == stream]
        assert [(event.version, event.message.amount_minor) for event in ours] == [(1, 1), (2, 2), (3, 3)]
    assert {event.tenant for event in found} == {event.tenant for event in found if event.tenant}


async def until(look: Callable[[], bool]) -> None:
    async with within(30):
        while not await asyncio.sleep(0.01, look()):
            pass


class Sender:
    """Writes chained records to one topic of one partition as a relay does."""

    def __init__(self, bus: Bus) -> None:
        self.bus, self.topic, self.position = bus, f"counters{new_id()[-12:]}.events.v1", 0

    async def start(self) -> "Sender":
        await self.bus.ensure_topics({self.topic: 1})
        self.producer = await self.bus.producer()
        return self

    def message(self, position: int, at: datetime) -> Message:
        headers = {
            "ce_id": f"deposit@{position}", "ce_type": DEPOSIT, "ce_time": at.isoformat(),
            "ce_position": str(position), "ce_previous": str(position - 1),
        }  # fmt: skip
        value = DepositConfirmed(amount_minor=position).SerializeToString()
        return Message(b"deposit", value, [(name, text.encode()) for name, text in headers.items()])

    async def send(self, *positions: int, at: datetime | None = None) -> None:
        messages = [self.message(position, at or datetime.now(UTC)) for position in positions]
        await self.producer.send({(self.topic, 0): messages}, 15)


@pytest.fixture
async def sender(bus: Bus) -> AsyncIterator[Sender]:
    made = await Sender(bus).start()
    yield made
    await made.producer.close()


async def amounts(events: Subscription[DepositConfirmed], count: int) -> list[int]:
    return [event.message.amount_minor for event in await take(events, count)]


async def test_a_hole_waits_for_the_repeat(sender: Sender) -> None:
    await sender.send(1, 3, 4)
    async with subscribed(sender.bus, sender.topic) as events:
        assert await amounts(events, 1) == [1]
        waiting = asyncio.create_task(amounts(events, 3))
        await until(lambda: bool(events.holes()))
        await sender.send(2, 3, 4)
        assert await waiting == [2, 3, 4]
        assert not events.holes()


async def test_replay_from_a_time(sender: Sender) -> None:
    """Records are found by the bus's time and cut by the time at which the service recorded them."""
    now = datetime.now(UTC)
    await sender.send(1, 2, at=now - timedelta(hours=2))
    await sender.send(3, 4, at=now)
    async with subscribed(sender.bus, sender.topic, start=now - timedelta(hours=1)) as events:
        assert await amounts(events, 2) == [3, 4]


async def test_a_start_at_the_end_gives_what_comes(sender: Sender) -> None:
    await sender.send(1, 2)
    positions = MemoryPositions()
    async with subscribed(sender.bus, sender.topic, positions, start="end") as events:
        first = asyncio.create_task(amounts(events, 2))
        await until(lambda: bool(positions.positions))
        await sender.send(3, 4)
        assert await first == [3, 4]


async def test_a_time_in_the_future_starts_at_the_end(sender: Sender) -> None:
    await sender.send(1, 2)
    positions = MemoryPositions()
    async with subscribed(sender.bus, sender.topic, positions, start=datetime.now(UTC) + timedelta(days=1)) as events:
        waiting = asyncio.create_task(amounts(events, 1))
        await until(lambda: bool(positions.positions))
        waiting.cancel()
        await asyncio.wait([waiting])
    assert positions.positions == {(sender.topic, 0): Position(2, None)}


async def test_a_position_beyond_the_topic_is_lost(sender: Sender) -> None:
    await sender.send(1, 2)
    async with subscribed(sender.bus, sender.topic, MemoryPositions({(sender.topic, 0): Position(7, 7)})) as events:
        with pytest.raises(PositionLost):
            await anext(events)


async def test_a_cancelled_wait_loses_nothing(sender: Sender) -> None:
    """`asyncio.wait_for(anext(events), ...)` is a natural thing to write."""
    async with subscribed(sender.bus, sender.topic) as events:
        for position in range(1, 21):
            waiting = asyncio.create_task(anext(events))
            await asyncio.sleep(0)
            await sender.send(position)
            waiting.cancel()
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                assert waiting.result().message.amount_minor == position
            else:
                assert await amounts(events, 1) == [position]


@pytest.mark.parametrize("kind", ["local", "kafka"])
async def test_a_topic_that_does_not_exist_is_unreachable(kind: str, tmp_path: Path, ports: Ports) -> None:
    source: Source = LocalSource(tmp_path / "none.db", connect_within_s=0)
    if kind == "kafka":
        source = KafkaSource(ports.kafka.shared().bootstrap, connect_within_s=0)
    with pytest.raises(Unreachable):
        await source.open("nobody.events.v1")
    await source.close()


async def test_a_broker_that_does_not_exist_is_unreachable() -> None:
    source = KafkaSource("127.0.0.1:9", connect_within_s=0)
    with pytest.raises(Unreachable):
        await source.open("ledger.events.v1")
