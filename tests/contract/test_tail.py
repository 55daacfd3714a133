"""The log's tail: one read for all consumers, bounded, in the log's order; what it does not hold is read from the log."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.codec import incoming_of
from kernel.core.events import Recorded
from kernel.eventlog.log import Log, Pending
from kernel.processors.processes import commit
from kernel.streams import tail as tails
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.tail import LogTail
from tests.contract.conftest import Running
from tests.kit import counter

MANY = 100
DATA, META = b'{"amount":1,"at":"2026-01-01T00:00:00Z","owner":"all"}', b'{"correlation":"c","traceparent":""}'


class Reads:
    """A log whose reads are counted."""

    def __init__(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after: list[int] = []
        read = log.read

        async def counted(after: int, *arguments: Any, **named: Any) -> list[Recorded]:
            self.after.append(after)
            return await read(after, *arguments, **named)

        monkeypatch.setattr(log, "read", counted)


async def append(log: Log, count: int) -> None:
    """By a writer that this process knows nothing of: nobody is told."""
    head = (await log.head()).position
    events = [
        Pending("acme", f"counter-{head + i}", 1, 0, "counter.added@1", DATA, META, None) for i in range(1, count + 1)
    ]
    assert await log.append(None, events, head) is not None


def tail_of(log: Log, limit_events: int = MANY, limit_bytes: int = tails.TAIL_BYTES) -> LogTail:
    return LogTail(log, "s", counter.CODEC, limit_events, limit_bytes)


async def test_what_the_tail_hands_on_is_what_the_log_holds(log: Log) -> None:
    tail, seen = tail_of(log), 0
    for count in (1, 7, 3):
        await append(log, count)
        log.signal.notify()
        while found := await tail.read(seen, 2):
            seen = found[-1].position
    stored = await log.read(0)
    assert await tail.recorded(0, MANY) == stored
    assert all(one.incoming for one in await tail.read(0, MANY))
    assert [one.incoming for one in await tail.read(0, MANY)] == [
        incoming_of("s", one, counter.CODEC) for one in stored
    ]
    assert [one.position for one in await tail.read(4, 3)] == [5, 6, 7]


async def test_consumers_that_are_level_share_one_read(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    tail = tail_of(log)
    await append(log, 5)
    reads = Reads(log, monkeypatch)
    found = await asyncio.gather(*[tail.read(0, MANY) for _ in range(8)])
    assert reads.after == [0]
    assert all([one.position for one in each] == [1, 2, 3, 4, 5] for each in found)
    assert all(one is other for one, other in zip(found[0], found[-1], strict=True))  # decoded once


async def test_polls_for_nothing_share_one_read_until_something_is_told(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail, reads = tail_of(log), Reads(log, monkeypatch)
    for _ in range(8):
        assert await tail.read(0, MANY) == []
    assert reads.after == [0]
    await append(log, 1)
    log.signal.notify()
    assert len(await tail.read(0, MANY)) == 1


async def test_another_writers_append_is_seen_although_nobody_tells(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "FRESH_S", 0.05)
    tail = tail_of(log)
    assert await tail.read(0, MANY) == []
    await append(log, 2)
    await asyncio.sleep(0.1)
    assert [one.position for one in await tail.read(0, MANY)] == [1, 2]


async def test_the_tail_is_bounded_in_events(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await bounded(log, monkeypatch, (10, tails.TAIL_BYTES))


async def test_the_tail_is_bounded_in_bytes(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    await bounded(log, monkeypatch, (MANY, 10 * len(DATA + META)))


async def bounded(log: Log, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]) -> None:
    """And who stands before the tail reads from the log."""
    tail = tail_of(log, *limits)
    await append(log, 50)
    assert len(await tail.read(0, MANY)) == 50
    assert tail.size[0] <= limits[0]
    assert 0 < tail.size[1] <= limits[1]
    reads = Reads(log, monkeypatch)
    assert [one.position for one in await tail.read(45, MANY)] == list(range(46, 51))
    assert reads.after == []
    assert [one.position for one in await tail.read(12, 5)] == list(range(13, 18))
    assert reads.after == [12]
    assert [one.position for one in await tail.read(45, MANY)] == list(range(46, 51))  # which changed nothing


async def test_a_reader_past_the_tail_begins_it_anew_without_a_hole(log: Log) -> None:
    tail = tail_of(log)
    await append(log, 3)
    await tail.read(0, MANY)
    await append(log, 6)
    assert [one.position for one in await tail.read(7, MANY)] == [8, 9]
    assert tail.size[0] == 2
    assert [one.position for one in await tail.read(1, MANY)] == list(range(2, 10))


async def test_what_cannot_be_decoded_is_handed_on_with_its_reason(log: Log) -> None:
    await log.append(None, [Pending("acme", "counter-x", 1, 0, "counter.unheard@1", b"{}", b"{}", None)], 0)
    found = await tail_of(log).read(0, MANY)
    assert found[0].incoming is None
    assert found[0].error
    assert found[0].key == "counter-x"


@pytest.mark.parametrize("bus", ["local"], indirect=True)
async def test_consumers_of_one_tail_each_see_each_event_once_beside_two_writers(running: Running) -> None:
    tail, seen = LogTail(running.log, running.service, counter.CODEC), dict[str, list[int]]()

    def keeping(name: str) -> Callable[[Any], Any]:
        async def handle(parts: Any) -> None:
            seen.setdefault(name, []).extend(one.position for part in parts for one in part.admitted.fresh)
            await asyncio.sleep(0.01 * len(name))

        return handle

    for name in ("a", "bb", "ccccc"):
        consumer = running.consumer(name, keeping(name), True, ())
        consumer._tail = tail
        running.start(consumer.run(running.stop))
    other = running.new_writer()
    for wave in range(10):  # the tail grows while the slow consumers stand inside of it
        numbers = range(6 * wave, 6 * wave + 6)
        commands = [
            (other if n % 2 else running.writer).execute(
                f"counter-{n % 7}", counter.Add(1), counter.meta(f"command-{n}")
            )
            for n in numbers
        ]
        await asyncio.gather(*commands)
    head = (await running.log.head()).position

    async def all_seen() -> bool:
        return all(len(positions) >= head for positions in seen.values()) and len(seen) == 3

    await running.until(all_seen)
    assert all(positions == list(range(1, head + 1)) for positions in seen.values())


@pytest.mark.parametrize("bus", ["local"], indirect=True)
async def test_a_consumer_that_begins_again_reads_the_log_as_it_is_after_a_restore(running: Running) -> None:
    """A database restored (or failed over) beneath a running process has other events where the lost ones stood."""
    tail, seen = LogTail(running.log, running.service, counter.CODEC), list[str]()
    guards = Checkpoints(running.log.database, "a")

    async def handle(parts: Any) -> None:
        await commit(running.log.database, lambda connection: guards.move(connection, parts))
        seen.extend(one.key for part in parts for one in part.admitted.fresh)

    async def all_seen() -> bool:
        return len(seen) >= expected

    await append(running.log, 5)
    consumer = running.consumer("a", handle, True, ())
    consumer._tail = tail
    running.start(consumer.run(running.stop))
    expected = 5
    await running.until(all_seen)
    await restored(running.log.database, 3)
    for name in ("other-4", "other-5", "other-6"):
        head = (await running.log.head()).position
        await running.log.append(None, [Pending("acme", name, 1, 0, "counter.added@1", DATA, META, None)], head)
    expected = 8
    await running.until(all_seen)
    assert seen[5:] == ["other-4", "other-5", "other-6"]


async def restored(database: Database, position: int) -> None:
    """The log and the guards as they stood at `position`."""
    log, events, guards = (database.metadata.tables[name] for name in ("log", "log_events", "guards"))
    async with database.transaction() as connection:
        await connection.execute(sa.delete(events).where(events.c.position > position))
        await connection.execute(sa.update(log).values(head=position))
        await connection.execute(sa.update(guards).values(next_offset=position + 1, last_position=position))
