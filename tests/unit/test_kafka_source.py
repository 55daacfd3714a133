"""How the subscriber drives aiokafka: the settings that lose nothing, and what it does with a consumer that hangs."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError
from dandelion_contracts.errors import PositionLost, Unreachable
from dandelion_contracts.kafka import KafkaSource

from kernel.adapters.kafka import KafkaReader

TOPIC = "ledger.events.v1"


class Client:
    def add_topic(self, topic: str) -> None:
        """Known already."""

    async def force_metadata_update(self) -> bool:
        return True


class Consumer:
    """What KafkaSource and KafkaReader use of AIOKafkaConsumer; delivers nothing, `end` records are there."""

    made: list["Consumer"]
    end = 0
    fails: Exception | None = None
    stop_awaits_a_cancelled_task = False

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.offsets: dict[TopicPartition, int] = {}
        self.running = False
        self._client, self._coordinator, self._fetcher = Client(), None, None
        self.made.append(self)

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        """Now and then aiokafka's awaits a task that it cancelled, and lets that task's CancelledError out."""
        self.running = False
        if self.stop_awaits_a_cancelled_task:
            task = asyncio.create_task(asyncio.sleep(60))
            task.cancel()
            await task

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def assign(self, places: list[TopicPartition]) -> None:
        self.offsets = dict.fromkeys(places, -1)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.offsets[place] = offset

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.end)

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        if self.fails:
            raise self.fails
        return {}


@pytest.fixture
def consumer() -> type[Consumer]:
    return type("OneTestsConsumer", (Consumer,), {"made": []})


async def test_nothing_is_committed_reset_or_rebalanced(consumer: type[Consumer]) -> None:
    """Also when a caller's options say otherwise."""
    source = KafkaSource("a:1,b:2", {"enable_auto_commit": True, "security_protocol": "SSL"}, consumer=consumer)
    await source.open(TOPIC)
    settings = consumer.made[0].settings
    assert (settings["enable_auto_commit"], settings["auto_offset_reset"], settings["group_id"]) == (
        False,
        "none",
        None,
    )
    assert (settings["bootstrap_servers"], settings["security_protocol"]) == ("a:1,b:2", "SSL")


async def test_each_partition_is_sought_before_it_is_read(consumer: type[Consumer]) -> None:
    source = KafkaSource("a:1", consumer=consumer)
    await source.open(TOPIC)
    await source.start({(TOPIC, 0): 5, (TOPIC, 1): 0})
    assert consumer.made[0].offsets == {TopicPartition(TOPIC, 0): 5, TopicPartition(TOPIC, 1): 0}


@pytest.mark.parametrize(("end", "consumers"), [(6, 2), (5, 1)], ids=["behind", "at_the_end"])
async def test_a_consumer_that_stands_still_is_replaced_when_it_is_behind(
    consumer: type[Consumer], end: int, consumers: int
) -> None:
    source = KafkaSource("a:1", consumer=consumer, stall_after_s=0)
    await source.open(TOPIC)
    await source.start({(TOPIC, 0): 5, (TOPIC, 1): 5})
    consumer.end = end
    assert await source.read(10, 0) == []
    assert len(consumer.made) == consumers
    assert [each.running for each in consumer.made] == [False] * (consumers - 1) + [True]
    assert consumer.made[-1].offsets == {TopicPartition(TOPIC, 0): 5, TopicPartition(TOPIC, 1): 5}


@pytest.mark.parametrize(
    ("raised", "told"),
    [(OffsetOutOfRangeError({TopicPartition(TOPIC, 0): 5}), PositionLost), (KafkaConnectionError("gone"), Unreachable)],
)
async def test_errors_of_the_client_become_the_subscriptions(
    consumer: type[Consumer], raised: Exception, told: type[Exception]
) -> None:
    source = KafkaSource("a:1", consumer=consumer)
    await source.open(TOPIC)
    await source.start({(TOPIC, 0): 5})
    consumer.fails = raised
    with pytest.raises(told):
        await source.read(10, 0)


async def test_a_consumer_that_cannot_start_is_stopped_and_told(consumer: type[Consumer]) -> None:
    async def fails(self: Consumer) -> None:
        self.running = True
        raise KafkaConnectionError("no broker")

    consumer.start = fails  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        await KafkaSource("a:1", consumer=consumer, connect_within_s=0).open(TOPIC)
    assert [each.running for each in consumer.made] == [False]


async def test_a_consumer_that_does_not_stop_is_left_behind(
    consumer: type[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(self: Consumer) -> None:
        await asyncio.Event().wait()

    consumer.stop = hangs  # type: ignore[method-assign]
    monkeypatch.setattr("dandelion_contracts.kafka.STOP_S", 0.01)
    source = KafkaSource("a:1", consumer=consumer)
    await source.open(TOPIC)
    await source.close()


async def test_a_cancellation_inside_of_the_client_does_not_end_its_user(consumer: type[Consumer]) -> None:
    consumer.stop_awaits_a_cancelled_task = True
    source = KafkaSource("a:1", consumer=consumer)
    await source.open(TOPIC)
    await source.close()
    assert [each.running for each in consumer.made] == [False]
    await KafkaReader(consumer()).close()
