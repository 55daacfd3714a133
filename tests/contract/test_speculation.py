"""Speculation and the contended turn, over SQLite and PostgreSQL: a batch that was decided ahead counts only on the very batch
it was decided on, and a batch behind others is decided under the lock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from kernel.core.faults import Unavailable
from kernel.eventlog.commands import DeciderRegistry, Fenced, QueuedCommand
from kernel.eventlog.log import Log
from kernel.eventlog.writer import Writer
from tests.contract.conftest import Replicas, outcome
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.until import until, within


class Held:
    """A writer whose first append waits until `let_go` is called."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.sizes = writer, list[int]()
        self._append, self._begun, self._goes_on = writer.log.append, asyncio.Event(), asyncio.Event()
        setattr(writer.log, "append", self.append)  # noqa: B010 - its type says more than is needed here
        self.tasks: list[asyncio.Task[Any]] = []

    async def append(self, connection: Any, rows: Sequence[Any], *given: Any) -> Any:
        self.sizes.append(len(rows))
        self._begun.set()
        await self._goes_on.wait()
        return await self._append(connection, rows, *given)

    async def first(self, *given: Any, **named: Any) -> None:
        """Executed, and held while it is appended."""
        self.tasks.append(asyncio.create_task(self.writer.execute(*given, **named)))
        await self._begun.wait()

    async def second(self, *given: Any, **named: Any) -> None:
        """Executed, and decided on top of the first."""
        self.tasks.append(asyncio.create_task(self.writer.execute(*given, **named)))

        async def decided() -> bool:
            return not len(self.writer._queue)

        await until(decided, 10)

    async def let_go(self) -> list[Any]:
        self._goes_on.set()
        return await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_the_next_is_decided_on_what_is_being_appended(replicas: Replicas, log: Log) -> None:
    held, stream = Held(replicas.one()), counter.counter()
    await held.first(stream, Add(1, only_from=0), counter.meta())
    await held.second(stream, Add(1, only_from=1), counter.meta())
    assert [receipt.version for receipt in await held.let_go()] == [1, 2]
    assert [event.version for event in await log.read(0)] == [1, 2]


async def test_a_row_that_nobody_announced_is_loaded_once_and_found_in_the_cache_from_then_on(
    replicas: Replicas, log: Log
) -> None:
    """Ahead too: the row that the batch being appended changes hides the cached one. Another replica's event drops both."""
    decided: list[Any] = []

    def noted(command: Any, state: Any, context: Any) -> Any:
        decided.append(command)
        return counter.decide(command, state, context)

    silent = replace(counter.COUNTER, decide=noted, reads=lambda *_: ())
    registry = DeciderRegistry(counter.CODEC, [silent], [counter.TOTALS, counter.DEADLINES], counter.PARTITIONS)
    held, other, stream = Held(replicas.one(deciders=registry)), replicas.one(), counter.counter()
    held._goes_on.set()
    await held.first(stream, Add(counter.LIMIT - 4), counter.meta())
    await held.let_go()
    assert len(decided) == 2  # the row was not known before
    held._goes_on.clear()
    held._begun.clear()
    await held.first(stream, Add(1), counter.meta())
    await held.second(stream, Add(4), counter.meta())
    assert [getattr(each, "code", "") for each in (await held.let_go())[1:]] == ["", "counter.over_limit"]
    assert len(decided) == 4
    await other.execute(stream, Add(2), counter.meta())
    assert await outcome(held.writer, stream, Add(2)) == "counter.over_limit"


async def test_a_batch_on_top_of_one_that_was_behind_is_decided_anew(replicas: Replicas, log: Log) -> None:
    """The other replica's event makes both refused, and leaves the head where the second expected it."""
    held, other, stream = Held(replicas.one()), replicas.one(), counter.counter()
    await held.first(stream, Add(1, only_from=0), counter.meta())
    await held.second(stream, Add(1, only_from=1), counter.meta())
    await other.execute(stream, Add(5), counter.meta())
    assert [getattr(fault, "code", fault) for fault in await held.let_go()] == ["counter.moved_on"] * 2
    assert [event.version for event in await log.read(0)] == [1]


async def test_the_same_id_after_itself_gets_its_receipt(replicas: Replicas, log: Log) -> None:
    held, stream, key = Held(replicas.one()), counter.counter(), counter.meta().command_id
    await held.first(stream, Add(1), counter.meta(key))
    await held.second(stream, Add(1), counter.meta(key))
    first, second = await held.let_go()
    assert first == second
    assert len(await log.read(0)) == 1


async def test_a_request_come_again_meanwhile_is_not_refused(replicas: Replicas, log: Log) -> None:
    """Its refusal would be an event in public; it waits until what is being appended can be looked up."""
    held, stream, key = Held(replicas.one()), counter.counter(), counter.meta().command_id
    await held.first(stream, Add(1, only_from=0), counter.meta(key), requester="echo-1")
    again = held.writer.execute(stream, Add(1, only_from=0), counter.meta(key), requester="echo-1")
    held.tasks.append(asyncio.create_task(again))
    await asyncio.sleep(0)
    first, second = await held.let_go()
    assert first == second
    assert [event.name for event in await log.read(0)] == ["counter.added@1"]


async def test_a_group_that_lost_its_guard_takes_nobody_along(replicas: Replicas, log: Log) -> None:
    held, stream = Held(replicas.one()), counter.counter()

    async def lost(_: object) -> bool:
        return False

    await held.first(stream, Add(1), counter.meta())
    group = held.writer.execute_group([QueuedCommand(stream, Add(2), counter.meta())], lost)
    held.tasks.append(asyncio.create_task(group))
    await asyncio.sleep(0)
    held.tasks.append(asyncio.create_task(held.writer.execute(stream, Add(4), counter.meta())))
    await asyncio.sleep(0)
    first, fenced, last = await held.let_go()
    assert (first.version, type(fenced), last.version) == (1, Fenced, 2)
    assert len(await log.read(0)) == 2


async def test_what_was_decided_is_finished_at_the_end(replicas: Replicas, log: Log) -> None:
    held = Held(replicas.one())
    await held.first(counter.counter(), Add(1), counter.meta())
    await held.second(counter.counter(), Add(2), counter.meta())
    replicas.stop.set()
    assert [receipt.position for receipt in await held.let_go()] == [1, 2]
    await asyncio.gather(*replicas.tasks)
    with pytest.raises(Unavailable, match=r"writer\.stopping"):
        await held.writer.execute(counter.counter(), Add(1), counter.meta())
    assert len(await log.read(0)) == 2


async def test_many_at_once_take_turns_in_halves(replicas: Replicas, log: Log) -> None:
    """While one half is appended the other is decided."""
    held = Held(replicas.one())
    held._goes_on.set()
    stream = counter.counter()
    told = await asyncio.gather(*[outcome(held.writer, stream, Add(1)) for _ in range(100)])
    assert set(told) == {"appended"}
    assert held.sizes == [50, 50]
    assert [event.version for event in await log.read(0)] == list(range(1, 101))


async def test_a_writer_without_speculation_keeps_its_promises(replicas: Replicas, log: Log) -> None:
    """Nothing is decided while a batch is appended; order, receipts and refusals are as ever, beside another replica too."""
    held, other, stream = Held(replicas.one(speculates=False)), replicas.one(), counter.counter()
    await held.first(stream, Add(1, only_from=0), counter.meta())
    jobs = [outcome(held.writer, stream, Add(1, only_from=number)) for number in (1, 1, *range(2, 60))]
    held.tasks += [asyncio.create_task(job) for job in jobs]
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(held.writer._queue) == 60
    first, *told = await held.let_go()
    assert (first.version, told) == (1, ["appended", "counter.moved_on", *["appended"] * 58])
    assert held.sizes == [1, 59]
    assert await outcome(other, stream, Add(1, only_from=60)) == "appended"
    assert await outcome(held.writer, stream, Add(1, only_from=60)) == "counter.moved_on"
    assert [event.version for event in await log.read(0)] == list(range(1, 62))


async def contending(replicas: Replicas) -> tuple[Writer, Writer]:
    """Two writers that have met each other's events: both take contended turns from now on."""
    one, other = replicas.one(), replicas.one()
    for _ in range(2):
        for writer in (one, other):
            await writer.execute(counter.counter(), Add(1, counter.counter()), counter.meta())
    return one, other


async def test_a_contended_turn_appends_behind_what_others_appended(replicas: Replicas, log: Log) -> None:
    one, other = await contending(replicas)
    stream = counter.counter()
    await other.execute(counter.counter(), Add(1, counter.counter()), counter.meta())
    receipts = [await one.execute(stream, Add(1, stream), counter.meta()) for _ in range(2)]
    assert [(receipt.position, receipt.version) for receipt in receipts] == [(6, 1), (7, 2)]
    assert [event.version for event in await log.read(0) if event.stream == stream] == [1, 2]


async def test_a_contended_turn_decides_on_the_stream_as_others_left_it(replicas: Replicas) -> None:
    one, other = await contending(replicas)
    stream = counter.counter()
    await one.execute(stream, Add(1, stream), counter.meta())
    await other.execute(stream, Add(1, stream), counter.meta())
    assert await outcome(one, stream, Add(1, stream, only_from=1)) == "counter.moved_on"
    assert await outcome(one, stream, Add(1, stream, only_from=2)) == "appended"


async def test_a_contended_turn_decides_on_the_inline_rows_as_others_left_them(replicas: Replicas) -> None:
    one, other = await contending(replicas)
    await one.execute(counter.counter(), Add(1, "shared"), counter.meta())
    await other.execute(counter.counter(), Add(counter.LIMIT - 1, "shared"), counter.meta())
    assert await outcome(one, counter.counter(), Add(1, "shared")) == "counter.over_limit"


def at_last(writer: Writer, act: Callable[[], Awaitable[Any]]) -> None:
    """`act` comes between what the writer decides before it has the head's lock, and the lock."""
    locked = writer.log.locked

    @asynccontextmanager
    async def late() -> AsyncIterator[Any]:
        await act()
        async with locked() as connection:
            yield connection

    setattr(writer.log, "locked", late)  # noqa: B010 - its type says more than is needed here


async def test_a_contended_turn_reads_inline_rows_under_the_lock(replicas: Replicas) -> None:
    one, other = await contending(replicas)
    await one.execute(counter.counter(), Add(1, "shared"), counter.meta())
    at_last(one, lambda: other.execute(counter.counter(), Add(counter.LIMIT - 1, "shared"), counter.meta()))
    assert await outcome(one, counter.counter(), Add(1, "shared")) == "counter.over_limit"


async def test_a_contended_turn_decides_on_the_stream_at_the_last_moment(replicas: Replicas) -> None:
    one, other = await contending(replicas)
    stream = counter.counter()
    await one.execute(stream, Add(1, "own"), counter.meta())
    at_last(one, lambda: other.execute(stream, Add(1, "other"), counter.meta()))
    assert await outcome(one, stream, Add(1, "own", only_from=1)) == "counter.moved_on"


async def test_a_contended_turn_names_the_places_it_appends_at(replicas: Replicas, log: Log) -> None:
    one, other = await contending(replicas)
    at_last(one, lambda: other.execute(counter.counter(), Add(1, "other"), counter.meta()))
    receipt = await one.execute(stream := counter.counter(), Add(1, "own"), counter.meta())
    assert [event.position for event in await log.read(0) if event.stream == stream] == [receipt.position]


async def test_a_repeat_in_a_contended_turn_gets_the_first_receipt(replicas: Replicas, log: Log) -> None:
    one, other = await contending(replicas)
    stream = counter.counter()
    first = await other.execute(stream, Add(1, stream), counter.meta("the same"))
    assert await one.execute(stream, Add(1, stream), counter.meta("the same")) == first
    assert len([event for event in await log.read(0) if event.stream == stream]) == 1


async def test_halves_of_a_broken_batch_lose_nobody(replicas: Replicas, log: Log) -> None:
    """Each half is appended for itself, and so commands that arrive meanwhile are decided ahead of both."""
    writer = replicas.one()
    append, arriving = writer.log.append, list[asyncio.Task[str]]()

    async def slowly(connection: Any, rows: Sequence[Any], *given: Any) -> Any:
        if len(arriving) < 8:
            arriving.extend(asyncio.create_task(outcome(writer, counter.counter(), Add(1))) for _ in range(2))
            for _ in range(20):
                await asyncio.sleep(0)
        return await append(connection, rows, *given)

    setattr(writer.log, "append", slowly)  # noqa: B010 - its type says more than is needed here
    jobs = [outcome(writer, counter.counter(), Add(1)) for _ in range(6)]
    bad = outcome(writer, counter.counter(), counter.Overrun())
    async with within(20):
        told = await asyncio.gather(*jobs[:3], bad, *jobs[3:])
        assert sorted(told) == ["appended"] * 6 + ["command.breaks_constraint"]
        assert await asyncio.gather(*arriving) == ["appended"] * len(arriving)
