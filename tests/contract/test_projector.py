"""Projections over every store and bus: each event once, fenced zombies, parked poison, rebuild equal to live."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.bus import Message
from kernel.core.codec import incoming_of
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.guard import Admitted, Guard
from kernel.eventlog.commands import Fenced
from kernel.processors.generations import Rebuild, live_generation
from kernel.processors.projector import Projector, Superseded, Target
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.records import OWN_LOG, InboundRecord, PartitionBatch, Topic
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.generations import dump, prepare


async def fill(running: Running, streams: int = 5, each: int = 4) -> dict[str, tuple[int, int]]:
    names = [counter.counter() for _ in range(streams)]
    for _ in range(each):
        await asyncio.gather(*[running.writer.execute(name, Add(2), counter.meta()) for name in names])
    return dict.fromkeys(names, (2 * each, each))


async def batch_of(running: Running, first: int, last: int) -> PartitionBatch:
    """Log events first..last as one part on a guard that stands before them."""
    recorded = await running.log.read(first - 1, last - first + 1)
    inbound = [
        InboundRecord(
            r.position, r.position, r.position - 1, r.stream, r.name, r.data, (), incoming_of("s", r, counter.CODEC)
        )
        for r in recorded
    ]
    start = Guard(first if first > 1 else 0, first - 1)
    return PartitionBatch(OWN_LOG, 0, start, Admitted(inbound, last + 1, last))


async def test_a_zombie_writes_nothing(running: Running) -> None:
    """Two replicas hold the same batch: one commits, the other's guard no longer matches and its rows roll back."""
    wanted = await fill(running, 1, 4)
    await prepare(running.store, counter.OWN_SUMS)
    owner, zombie = [Projector(counter.OWN_SUMS, 1, running.store) for _ in range(2)]
    await Checkpoints(running.store, owner.consumer).load([(OWN_LOG, 0)])
    part = await batch_of(running, 1, 4)
    await owner.handle([part])
    with pytest.raises(Fenced):
        await zombie.handle([part])
    assert await running.sums() == wanted


async def test_a_generation_that_was_replaced_writes_nothing(running: Running) -> None:
    """A rebuilt generation was shown while the old one's projector held its batch."""
    wanted = await fill(running, 1, 4)
    await prepare(running.store, counter.OWN_SUMS)
    late = Projector(counter.OWN_SUMS, 1, running.store)
    await Checkpoints(running.store, late.consumer).load([(OWN_LOG, 0)])
    part = await batch_of(running, 1, 4)
    rebuild = Rebuild(
        counter.OWN_SUMS, running.store, running.log, counter.CODEC, running.service, running.bus, counter.decode_event
    )
    assert await rebuild.run() == 2
    with pytest.raises(Superseded):
        await late.handle([part])
    assert await dump(running.store, counter.OWN_SUMS, 1) == []
    assert await running.sums() == wanted


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("bus", ["local"], indirect=True)
async def test_replicas_that_fold_into_one_row_take_turns(running: Running) -> None:
    """Each owns a partition, both partitions change the same row: the second reads it when the first has committed."""
    await fill(running, 1, 2)
    has_read, goes_on = asyncio.Event(), asyncio.Event()

    class Slow(Target):
        async def rows(self, table: sa.Table, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
            found = await super().rows(table, keys)
            if not has_read.is_set():
                has_read.set()
                await goes_on.wait()
            return found

    async def slowly(target: Target, events: Sequence[Delivered[Any]]) -> None:
        await counter._apply(Slow(target._transaction, target._tables), events)

    projection = replace(counter.OWN_SUMS, apply=slowly)
    await prepare(running.store, projection)
    first, second = [Projector(projection, 1, running.store) for _ in range(2)]
    await Checkpoints(running.store, first.consumer).load([(OWN_LOG, 0), (OWN_LOG, 1)])
    own = await batch_of(running, 1, 1)
    other = replace(await batch_of(running, 2, 2), partition=1, guard=Guard())
    tasks = [asyncio.create_task(first.handle([own]))]
    await has_read.wait()
    tasks.append(asyncio.create_task(second.handle([other])))

    async def waits_or_is_done() -> bool:
        async with running.store.reading() as connection:
            waiting = await connection.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            return tasks[1].done() or waiting.scalar_one() > 0

    await running.until(waits_or_is_done)
    goes_on.set()
    await asyncio.gather(*tasks)
    assert list((await running.sums()).values()) == [(4, 2)]


async def test_a_republished_topic_changes_nothing(running: Running) -> None:
    wanted = await fill(running)
    await running.project(counter.foreign_sums(running.service))
    relay = running.relay()
    while await relay.round():
        pass
    await running.until_sums(wanted)
    made = relay.build_round(await running.log.read(0), type(await relay.checkpoint())())
    producer = await running.bus.producer()
    await producer.send(made.batches, 10)
    await producer.close()
    wanted |= await fill(running, 1, 1)
    while await relay.round():
        pass
    await running.until_sums(wanted)


async def test_garbage_on_the_topic_is_parked_and_the_rest_flows(running: Running) -> None:
    projector = await running.project(counter.foreign_sums(running.service))
    topic = f"{running.service}.events.v1"
    garbage = [Message(b"\xff\x00", b"\x80\x81"), Message(b"k", b"", (("ce_type", b"\xff"),))]
    producer = await running.bus.producer()
    await producer.send({(topic, p): garbage for p in range(counter.PARTITIONS)}, 10)
    await producer.close()
    wanted = await fill(running)
    while await running.relay().round():
        pass
    await running.until_sums(wanted)
    async with running.store.reading() as connection:
        parked = await projector._parking.keys(connection)
    assert parked == {f"unreadable:{topic}/{p}/{offset}" for p in range(counter.PARTITIONS) for offset in (0, 1)}


async def test_poison_stops_only_its_key_and_retry_heals_it(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that `apply` cannot take is parked with all later ones of its key, in order; others go on."""
    projector = await running.project(counter.OWN_SUMS)
    sick, well = counter.counter(), counter.counter()
    for amount in (1, 13, 2, 3):
        await running.writer.execute(sick, Add(amount), counter.meta())
        await running.writer.execute(well, Add(amount if amount != 13 else 4), counter.meta())
    await running.until_sums({sick: (1, 1), well: (10, 4)})

    async def decode(_source: str, inbound: InboundRecord) -> Any:
        return incoming_of(running.service, events[inbound.position], counter.CODEC)

    events = {event.position: event for event in await running.log.read(0)}
    with pytest.raises(ValueError, match="thirteen"):
        await projector.retry(sick, decode)
    monkeypatch.setattr(counter, "UNLUCKY", 0)
    assert await projector.retry(sick, decode) == 3
    await running.until_sums({sick: (19, 4), well: (10, 4)})
    await running.writer.execute(sick, Add(1), counter.meta())
    await running.until_sums({sick: (20, 5), well: (10, 4)})


async def test_rebuild_equals_live_and_takes_its_place(running: Running) -> None:
    projection = counter.foreign_sums(running.service)
    wanted = await fill(running, 20, 5)
    await running.project(projection)
    while await running.relay().round():
        pass
    await running.until_sums(wanted)
    seen: list[tuple[int, int]] = []
    rebuild = Rebuild(
        projection, running.store, running.log, counter.CODEC, running.service, running.bus, counter.decode_event,
        progress=lambda done, total: seen.append((done, total)), partitions=counter.PARTITIONS,
    )  # fmt: skip
    assert await rebuild.run() == 2
    assert await live_generation(running.store, projection) == 2
    assert await canonical_rows(running, 1) == await canonical_rows(running, 2)
    assert seen[-1] == (100, 100)
    await rebuild.drop(1)
    assert await running.sums() == wanted


@pytest.mark.parametrize("bus", ["local"], indirect=True)
async def test_the_live_read_model_goes_on_while_another_is_filled(running: Running) -> None:
    """Rows appear in what readers see, again and again, before the new generation takes its place and goes on from there."""
    projection, stream = replace(counter.OWN_SUMS, batch_records=1), counter.counter("watched")
    wanted = await fill(running, 10, 20)
    await running.project(projection)
    await running.until_sums(wanted)
    rebuild = Rebuild(
        projection, running.store, running.log, counter.CODEC, running.service, running.bus, counter.decode_event,
        partitions=counter.PARTITIONS,
    )  # fmt: skip
    filling, seen_meanwhile = asyncio.create_task(rebuild.fill()), 0
    while not filling.done():
        await running.writer.execute(stream, Add(1), counter.meta())
        wanted[stream] = (wanted.get(stream, (0, 0))[0] + 1, wanted.get(stream, (0, 0))[1] + 1)
        await running.until_sums(wanted)
        seen_meanwhile += not filling.done()
    assert seen_meanwhile > 0
    assert await filling == 2
    assert await live_generation(running.store, projection) == 1


async def canonical_rows(running: Running, generation: int) -> list[tuple[Any, ...]]:
    return await dump(running.store, counter.foreign_sums(running.service), generation)


async def test_a_hole_waits_for_the_relays_repeat(running: Running) -> None:
    """A message that never arrived: nothing behind it is applied until the relay sends again from its checkpoint."""
    stream = counter.counter()
    for _ in range(4):
        await running.writer.execute(stream, Add(1), counter.meta())
    relay, held = running.relay(), asyncio.Event()
    made = relay.build_round(await running.log.read(0), await relay.checkpoint())
    where, messages = next(iter(made.batches.items()))
    projection = counter.foreign_sums(running.service)
    await prepare(running.store, projection)
    projector = Projector(projection, 1, running.store)
    consumer = running.consumer(projector.consumer, projector.handle, False, [Topic(where[0])])
    consumer._observe = lambda *seen: held.set() if seen[4] else None
    running.start(consumer.run(running.stop))
    producer = await running.bus.producer()
    await producer.send({where: [messages[0], *messages[2:]]}, 10)
    await running.until(lambda: asyncio.sleep(0, held.is_set()))
    assert await running.sums() == {stream: (1, 1)}
    await producer.send({where: messages}, 10)
    await producer.close()
    await running.until_sums({stream: (4, 4)})


async def test_shares_follow_the_replicas(running: Running) -> None:
    """Two replicas of one projector: nothing is lost or doubled while both run and one leaves."""
    projection = counter.foreign_sums(running.service)
    await prepare(running.store, projection)
    projectors = [Projector(projection, 1, running.store) for _ in range(2)]
    leaving = asyncio.Event()
    topics = projection.topics
    first = running.start(running.consumer(projectors[0].consumer, projectors[0].handle, False, topics).run(leaving))
    running.start(running.consumer(projectors[1].consumer, projectors[1].handle, False, topics).run(running.stop))
    running.start(running.relay().run(running.stop))
    wanted = await fill(running, 10, 3)
    leaving.set()
    wanted |= await fill(running, 10, 3)
    await first

    async def complete() -> bool:
        return await running.sums() == wanted

    await running.until(complete)
