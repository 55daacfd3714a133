"""The relay over every store and bus: complete, in order, chained; repeats only, however often and by whomever it is run."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import BusRecord, Message, Producer, TopicPartition
from kernel.adapters.database import Database
from kernel.adapters.vault.event_vault import EventVault
from kernel.adapters.vault.personal import Personal
from kernel.core.events import Recorded
from kernel.core.faults import Poison, Unavailable
from kernel.eventlog.log import Pending, StoredLog
from kernel.runtime.telemetry import exposition
from kernel.streams.relay import Checkpoint
from tests.contract.conftest import Running
from tests.contract.test_bus import read_all
from tests.kit import counter
from tests.kit.counter import Add


async def fill(running: Running, events: int) -> None:
    streams = [counter.counter() for _ in range(7)]
    await asyncio.gather(*[running.writer.execute(streams[i % 7], Add(1), counter.meta()) for i in range(events)])


async def published(running: Running, at_least: int) -> list[BusRecord]:
    topic = f"{running.service}.events.v1"
    ends = await running.bus.end_offsets([topic])
    assert sum(ends.values()) >= at_least
    return await read_all(running.bus, dict.fromkeys(ends, 0), sum(ends.values()))


def check_chain(records: list[BusRecord], positions: range) -> None:
    """First occurrences are complete, in position order, and each names the one before it in its partition."""
    seen: set[int] = set()
    for partition in range(counter.PARTITIONS):
        last = 0
        for record in (record for record in records if record.partition == partition):
            position, previous = int(record.header("ce_position")), int(record.header("ce_previous"))
            if position > last:
                assert previous == last
                last = position
                seen.add(position)
    assert seen == set(positions)


async def test_every_event_is_sent_once_in_order_and_chained(running: Running) -> None:
    await fill(running, 60)
    relay = running.relay()
    while await relay.round():
        pass
    records = await published(running, 60)
    assert len(records) == 60
    check_chain(records, range(1, 61))


async def test_a_relay_that_lost_its_checkpoint_repeats_and_never_reorders(running: Running) -> None:
    await fill(running, 30)
    zombie = running.relay()
    before = await zombie.checkpoint()
    made = zombie.build_round(await running.log.read(0, 20), before)
    await running.relay().round()
    producer = await running.bus.producer()
    await producer.send(made.batches, 10)
    await producer.close()
    assert not await zombie._move(before, made.checkpoint)
    await fill(running, 10)
    await running.relay().round()
    check_chain(await published(running, 60), range(1, 41))


async def test_two_relays_at_once_only_repeat(running: Running) -> None:
    await fill(running, 50)
    relays = [running.relay(), running.relay()]
    await asyncio.gather(*[relay.round() for relay in relays])
    while await relays[0].round():
        pass
    check_chain(await published(running, 50), range(1, 51))


async def test_headers_are_cloudevents(running: Running) -> None:
    meta = counter.meta()
    receipt = await running.writer.execute(counter.counter(), Add(5), meta)
    await running.relay().round()
    record = (await published(running, 1))[0]
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key.decode() == headers["ce_subject"] == receipt.stream
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == f"{receipt.stream}@1"
    assert headers["ce_type"] == "Added"
    assert headers["ce_tenant"] == "tenant-1"
    assert (headers["ce_sequence"], headers["ce_position"], headers["ce_previous"]) == ("1", "1", "0")
    assert headers["ce_correlation"] == meta.command_id


async def test_what_can_never_be_sent_stops_the_relay(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await running.writer.execute(counter.counter(), Add(1), counter.meta())
    monkeypatch.setattr("kernel.streams.relay.MAX_MESSAGE_BYTES", 100)
    with pytest.raises(Poison, match=r"message\.too_large"):
        await running.relay().round()
    assert await running.relay().checkpoint() == Checkpoint()


class Unlucky:
    """A producer whose first sends fail: before anything is sent, or after all of it is."""

    def __init__(self, inner: Producer, failures: list[str]) -> None:
        self._inner, self._failures = inner, failures

    async def send(self, batches: Mapping[TopicPartition, Sequence[Message]], deadline_s: float) -> None:
        failure = self._failures.pop() if self._failures else ""
        if failure != "before":
            await self._inner.send(batches, deadline_s)
        if failure:
            raise Unavailable("bus.unavailable")

    async def close(self) -> None:
        await self._inner.close()


async def test_what_was_not_acknowledged_is_sent_again(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(running, 30)
    failures, open_one = ["after", "before"], running.bus.producer

    async def producer() -> Producer:
        return Unlucky(await open_one(), failures)

    monkeypatch.setattr(running.bus, "producer", producer)
    relay = running.relay()
    running.start(relay.run(running.stop))

    async def done() -> bool:
        return (await relay.checkpoint()).position == 30

    await running.until(done)
    records = await published(running, 60)
    assert len(records) == 60
    check_chain(records, range(1, 31))


async def test_a_relay_before_a_mistake_stands_still_with_an_alarm_and_skips_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(running, 3)
    relay = running.relay()
    monkeypatch.setattr("kernel.streams.relay.MAX_MESSAGE_BYTES", 100)
    running.start(relay.run(running.stop))

    async def stopped() -> bool:
        return b"relay_stopped 1.0" in exposition()

    await running.until(stopped)
    assert await relay.checkpoint() == Checkpoint()
    assert await running.bus.end_offsets([f"{running.service}.events.v1"]) == {
        (f"{running.service}.events.v1", partition): 0 for partition in range(counter.PARTITIONS)
    }


def _no_keys() -> Personal:
    raise AssertionError("nothing is sealed here")


class Marking(EventVault):
    """Marks what was read through it."""

    async def opened(self, events: list[Recorded], connection: AsyncConnection | None) -> list[Recorded]:
        return [one._replace(meta=b"opened") for one in events]


async def test_whatever_reads_events_reads_them_through_the_vault(store: Database, log: StoredLog) -> None:
    """Also those that the checkpoint's own statement reads: sent as they are stored, personal fields would be blank."""
    rows = [
        Pending("acme", counter.counter("a"), 1 + n, 0, "counter.added@1", b"{}", b"{}", f"key-{n}") for n in range(3)
    ]
    await log.append(None, rows, 0)
    log.vault = Marking(store, counter.CODEC, _no_keys)
    moved = await log.move_checkpoint(0, 1, "{}", 10)
    assert moved.done
    found = [*await log.read(0), *await log.load([counter.counter("a")], 3), *(moved.behind or [])]
    assert {one.meta for one in found} == {b"opened"}
    assert [one.position for one in moved.behind or []] in ([], [2, 3])
