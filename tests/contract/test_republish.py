"""A topic filled again from the log over every store and bus: read models, processes and subscribers see only repeats."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from dandelion_contracts.errors import PositionLost
from dandelion_contracts.event import Event
from dandelion_contracts.positions import MemoryPositions
from dandelion_contracts.positions import begin_again as subscriber_begins_again

from kernel.adapters.bus import Bus
from kernel.adapters.kafka import KafkaBus
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.processors.command_consumer import CommandConsumer
from kernel.processors.processes import ProcessRunner
from kernel.streams.records import Topic
from kernel.streams.relay import Relay
from kernel.streams.republish import is_past_end, republish_topic, reset_guards
from tests.contract.conftest import Running
from tests.contract.test_subscription import publish as deposits
from tests.contract.test_subscription import subscribed
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.until import within
from tools.servers.kafka import given

STREAMS, LATER = 6, 3


class Echoing:
    """Counters whose every Added is asked for once more elsewhere: a read model, a process and an executor, all over topics."""

    def __init__(self, running: Running) -> None:
        self.running, self.events = running, f"{running.service}.events.v1"
        self.commands = f"{running.service}.commands.v1"
        self.relay = running.relay()
        self.streams: list[str] = []

    async def start(self) -> None:
        running, store = self.running, self.running.store
        await running.project(counter.foreign_sums(running.service))
        process = replace(counter.ECHO, own=False, topics=(Topic(self.events),))
        echo = ProcessRunner(process, store, running.writer)
        running.start(running.consumer("echo", echo.handle, False, process.topics).run(running.stop))
        executor = CommandConsumer("commands", store, running.writer)
        topic = Topic(self.commands, chained=False)
        asked = running.consumer("commands", executor.handle, False, [topic], counter.decode_command)
        running.start(asked.run(running.stop))
        running.start(self.relay.run(running.stop))

    async def add(self, streams: int) -> None:
        """One event more in so many new streams, and all that follows from it."""
        made = [counter.counter() for _ in range(streams)]
        await asyncio.gather(*[self.running.writer.execute(one, Add(2, "echo me"), counter.meta()) for one in made])
        self.streams += made
        await self.settled()

    async def settled(self) -> None:
        """Each stream and its echo counted once, and nothing more to come: every reader is at its topic's end."""
        wanted = {one: (2, 1) for stream in self.streams for one in (stream, counter.echo_of(stream))}
        await self.running.until_sums(wanted, 60)
        await self.running.until(self._at_the_ends, 60)
        assert await self.running.sums() == wanted
        names = [event.name for event in await self.running.log.read(0, 10_000)]
        assert len(names) == 3 * len(self.streams), "asked, requested and done once each"

    async def _at_the_ends(self) -> bool:
        ends = await self.running.bus.end_offsets([self.events, self.commands])
        guards = self.running.store.metadata.tables["guards"]
        async with self.running.store.reading() as connection:
            rows = (await connection.execute(guards.select().where(guards.c.source != "log"))).all()
        sent = await self.relay.checkpoint()
        head = await self.running.log.head()
        return sent.position == head.position and all(
            row.next_offset == ends[row.source, row.partition] for row in rows
        )


@pytest.fixture
async def echoing(running: Running, monkeypatch: pytest.MonkeyPatch) -> Echoing:
    monkeypatch.setattr("kernel.streams.consumer.LOOK_AT_ENDS_S", 0.2)
    made = Echoing(running)
    await made.start()
    await made.add(STREAMS)
    return made


async def lose(bus: Bus, topic: str) -> None:
    """The topic is gone with all that it held, and is made anew."""
    if isinstance(bus, KafkaBus):
        await given(bus.brokers.bootstrap).delete_topics(topic)
    else:
        assert isinstance(bus, SqliteBus)
        await bus.remake_topics({topic: counter.PARTITIONS})
    await bus.ensure_topics({topic: counter.PARTITIONS})


async def test_what_is_sent_again_changes_nothing(echoing: Echoing) -> None:
    """Beside the relay that runs on: no second request, no second effect; the chain goes on behind it."""
    running = echoing.running
    for topic in (echoing.events, echoing.commands):
        assert await republish_topic(echoing.relay, running.log, running.bus, topic) > 0
    await echoing.settled()
    await echoing.add(LATER)


async def test_a_recreated_topic_is_noticed_and_republished(echoing: Echoing, caplog: pytest.LogCaptureFixture) -> None:
    """Readers stand past its end: they stop and say so, begin at its start when told to, and skip what they know."""
    running = echoing.running
    await lose(running.bus, echoing.events)
    assert await is_past_end(running.store, running.bus, echoing.events)

    async def noticed() -> bool:
        return {getattr(one, "consumer", "") for one in caplog.records if "made_anew" in str(vars(one))} >= {
            "echo", "sums_foreign_g1"
        }  # fmt: skip

    await running.until(noticed, 60)
    assert await reset_guards(running.store, echoing.events) == 2 * counter.PARTITIONS
    assert await republish_topic(echoing.relay, running.log, running.bus, echoing.events) > 0
    await echoing.settled()
    await echoing.add(LATER)


async def test_unread_records_of_a_lost_topic_come_by_republishing(running: Running) -> None:
    """A reader that had seen half: the relay's newer messages wait behind the hole until republishing brings the others."""
    echoing = Echoing(running)
    stream = counter.counter()
    for amount in (1, 2, 3, 4):
        await running.writer.execute(stream, Add(amount), counter.meta())
    while await echoing.relay.round():
        pass
    await lose(running.bus, echoing.events)
    await running.writer.execute(stream, Add(5), counter.meta())
    while await echoing.relay.round():
        pass
    await running.project(counter.foreign_sums(running.service))
    await republish_topic(echoing.relay, running.log, running.bus, echoing.events)
    while await echoing.relay.round():
        pass
    await running.until_sums({stream: (15, 5)}, 60)


async def test_a_subscriber_sees_only_repeats_too(running: Running) -> None:
    relay = Relay(running.service, running.log, running.bus, counter.CODEC, deposits, counter.PARTITIONS)
    running.relays.append(relay)
    topic, positions = f"{running.service}.events.v1", MemoryPositions()

    async def add(*amounts: int) -> None:
        for amount in amounts:
            await running.writer.execute(counter.counter("one"), Add(amount), counter.meta())
        while await relay.round():
            pass

    async def heard(count: int) -> list[int]:
        async with within(30), subscribed(running.bus, topic, positions) as events:
            found: list[Event[Any]] = [await anext(events) for _ in range(count)]
            await events.done()
        return [event.message.amount_minor for event in found]

    await add(1, 2, 3)
    assert await heard(3) == [1, 2, 3]
    await republish_topic(relay, running.log, running.bus, topic)
    await add(4)
    assert await heard(1) == [4]
    await lose(running.bus, topic)
    with pytest.raises(PositionLost):
        await heard(1)
    await subscriber_begins_again(positions, topic)
    await republish_topic(relay, running.log, running.bus, topic)
    await add(5)
    assert await heard(1) == [5]
