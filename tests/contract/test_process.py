"""Processes, commands, deadlines and effects over both stores: every cause once, whatever is killed, repeated or broken."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from kernel.adapters.bus import Message
from kernel.core.events import Delivered
from kernel.core.faults import Unavailable
from kernel.core.guard import Guard
from kernel.core.ids import new_id
from kernel.eventlog.commands import Fenced
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.processors.command_consumer import CommandConsumer
from kernel.processors.processes import Effect, ProcessRunner
from kernel.processors.reactor import Reactor
from kernel.processors.scheduler import CLOCK_POLL_S, DeadlineScheduler
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.records import OWN_LOG, PartitionBatch, Topic, of_log
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add, Remind

LOCAL = pytest.mark.parametrize("bus", ["local"], indirect=True)
ECHOED = "echo me"


@pytest.fixture
async def echo(running: Running) -> ProcessRunner:
    await Checkpoints(running.store, "echo").load([(OWN_LOG, 0)])
    return ProcessRunner(counter.ECHO, running.store, running.writer)


async def causes(running: Running, after: int = 0) -> PartitionBatch:
    """The log after a position as one batch on the guard that stands there."""
    guard = Guard(after + 1 if after else 0, after)
    return of_log(running.service, counter.CODEC, guard, await running.log.read(after))


async def names(running: Running) -> Counter[str]:
    return Counter(event.name for event in await running.log.read(0))


async def adds(running: Running, *amounts: int, stream: str | None = None) -> str:
    stream = stream or counter.counter()
    for amount in amounts:
        await running.writer.execute(stream, Add(amount, ECHOED), counter.meta())
    return stream


@LOCAL
async def test_a_cause_and_its_guard_move_together(running: Running, echo: ProcessRunner) -> None:
    """A second replica (or the same after a crash) that holds the same batch is fenced and decides nothing."""
    await adds(running, 1, 2)
    batch = await causes(running)
    await echo.handle([batch])
    with pytest.raises(Fenced):
        await ProcessRunner(counter.ECHO, running.store, running.new_writer()).handle([batch])
    assert (await names(running))["echo.requested@1"] == 2


@LOCAL
async def test_a_kill_before_the_guard_moves_loses_and_doubles_nothing(
    running: Running, echo: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careful way decides cause by cause and moves the guard afterwards; it ends in between, and begins again."""
    await adds(running, 1, 13, 2)
    await adds(running, 5)
    batch = await causes(running)

    async def killed(*_: object) -> None:
        raise Unavailable("test.killed")

    with monkeypatch.context() as patch:
        patch.setattr("kernel.processors.processes.commit", killed)
        with pytest.raises(Unavailable):
            await echo.handle([batch])
    assert (await names(running))["echo.requested@1"] == 2
    await echo.handle([batch])
    assert (await names(running))["echo.requested@1"] == 2
    assert (await echo._guards.load([(OWN_LOG, 0)]))[OWN_LOG, 0].last_position == 4


@LOCAL
async def test_a_poisonous_cause_stops_only_its_key_and_retry_heals_it(
    running: Running, echo: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = running.consumer("echo", echo.handle, True, ())
    running.start(consumer.run(running.stop))
    sick = await adds(running, 1, 13, 2)
    await adds(running, 5)
    await running.until_names(["counter.added@1"] * 4 + ["echo.requested@1"] * 2)
    await adds(running, 3, stream=sick)

    async def parked() -> bool:
        return len(await echo.parking.waiting(sick)) == 3

    await running.until(parked)
    with pytest.raises(ValueError, match="thirteen"):
        await echo.retry(sick, consumer.redecode)
    monkeypatch.setattr(counter, "UNLUCKY", 0)
    assert await echo.retry(sick, consumer.redecode) == 3
    assert await echo.parking.keys() == set()
    requested = [counter.CODEC.decode(e.name, e.data) for e in await running.log.read(0) if "requested" in e.name]
    assert sorted(event.amount for event in requested) == [1, 2, 3, 5, 13]


@LOCAL
async def test_a_cause_that_comes_again_is_not_decided_again(running: Running, echo: ProcessRunner) -> None:
    await adds(running, 1, 2)
    await echo.handle([await causes(running)])
    async with running.store.transaction() as connection:
        table = running.store.metadata.tables["guards"]
        await connection.execute(sa.update(table).values(next_offset=0, last_position=0))
    await echo.handle([await causes(running)])
    assert (await names(running))["echo.requested@1"] == 2


async def send(running: Running, *commands: tuple[str, bytes, str]) -> None:
    """`(id, value, requester)` each, all on one partition of the command topic."""
    messages = []
    for identity, value, requester in commands:
        headers = {
            "ce_id": identity,
            "ce_type": "Add",
            "ce_source": "tests",
            "ce_tenant": "t",
            "ce_requester": requester,
        }
        headers |= {"ce_time": "2026-01-01T00:00:00+00:00"}
        messages.append(Message(b"k", value, [(name, text.encode()) for name, text in headers.items()]))
    producer = await running.bus.producer()
    await producer.send({(f"{running.service}.commands.v1", 0): messages}, 10)
    await producer.close()


async def test_commands_run_once_refusals_are_told_once_and_garbage_is_parked(running: Running) -> None:
    executor = CommandConsumer("commands", running.store, running.writer)
    topic = Topic(f"{running.service}.commands.v1", chained=False)
    consumer = running.consumer("commands", executor.handle, False, [topic], counter.decode_command)
    running.start(consumer.run(running.stop))
    good, bad, requester = counter.counter(), counter.counter(), f"echo-{new_id()}"
    ids = [new_id() for _ in range(3)]
    batch = [
        (ids[0], orjson.dumps([good, 5]), requester),
        (ids[1], orjson.dumps([bad, -5]), requester),
        (ids[2], b"\x80garbage", requester),
    ]
    await send(running, *batch, *batch[:2])
    await send(running, *batch[:2], (new_id(), orjson.dumps([good, 1]), requester))
    await running.until_names(["counter.added@1"] * 2 + ["command.refused@1"])
    refused = next(event for event in await running.log.read(0) if event.name == "command.refused@1")
    event = counter.CODEC.decode(refused.name, refused.data)
    assert (event.command_id, event.requester, event.code) == (ids[1], requester, "counter.amount_negative")

    async def parked() -> bool:
        return len(await executor.parking.waiting("k")) == 1

    await running.until(parked)


class Outside:
    """A port: counts calls by id, and is away for the first `away` of them."""

    def __init__(self, away: int = 0) -> None:
        self.calls: Counter[str] = Counter()
        self.away = away

    async def perform(self, incoming: Delivered[Any]) -> None:
        self.calls[incoming.id] += 1
        if self.away:
            self.away -= 1
            raise Unavailable("provider.away")
        if incoming.event.amount == counter.UNLUCKY:
            raise ValueError("the provider's answer makes no sense")


@pytest.fixture
async def outside() -> Outside:
    return Outside()


async def effect_of(running: Running, outside: Outside) -> Reactor:
    await Checkpoints(running.store, "calls").load([(OWN_LOG, 0)])
    return Reactor(Effect("calls", (counter.Added,), outside.perform), running.store)


@LOCAL
async def test_an_effect_waits_while_the_outside_is_away(running: Running, outside: Outside) -> None:
    outside.away = 2
    runner = await effect_of(running, outside)
    running.start(running.consumer("calls", runner.handle, True, ()).run(running.stop))
    stream = await adds(running, 1)

    async def called() -> bool:
        return outside.calls[f"{stream}@1"] == 3

    await running.until(called)
    assert await runner.parking.keys() == set()


@LOCAL
async def test_an_effect_is_called_again_when_the_guard_did_not_move(
    running: Running, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = await effect_of(running, outside)
    stream = await adds(running, 1)
    batch = await causes(running)

    async def killed(*_: object) -> None:
        raise Unavailable("test.killed")

    with monkeypatch.context() as patch:
        patch.setattr("kernel.processors.reactor.commit", killed)
        with pytest.raises(Unavailable):
            await runner.handle([batch])
    await runner.handle([batch])
    assert outside.calls == {f"{stream}@1": 2}


@LOCAL
async def test_an_effect_that_fails_for_good_parks_its_stream_and_others_go_on(
    running: Running, outside: Outside
) -> None:
    runner = await effect_of(running, outside)
    sick, well = await adds(running, 13, 1), await adds(running, 2, 3)
    await runner.handle([await causes(running)])
    assert await runner.parking.keys() == {sick}
    assert outside.calls == {f"{sick}@1": 1, f"{well}@1": 1, f"{well}@2": 1}


def clock_of(running: Running, writer: Writer | None = None) -> DeadlineScheduler:
    return DeadlineScheduler(running.store, running.log, writer or running.writer, counter.CODEC)


async def rows(running: Running) -> Sequence[Any]:
    async with running.store.reading() as connection:
        return (await connection.execute(sa.select(running.store.metadata.tables["deadlines"]))).all()


@LOCAL
async def test_a_moved_deadline_rings_when_it_says_last(running: Running) -> None:
    stream, now = counter.counter(), await running.log.now()
    await running.writer.execute(stream, Remind(now - timedelta(hours=1)), counter.meta())
    await running.writer.execute(stream, Remind(now + timedelta(hours=1)), counter.meta())
    assert await clock_of(running).run_due() == CLOCK_POLL_S
    await running.writer.execute(stream, Remind(now), counter.meta())
    await clock_of(running).run_due()
    assert await names(running) == {"counter.reminded@1": 3, "counter.rang@1": 1}
    assert await rows(running) == []


@LOCAL
async def test_a_refused_deadline_is_cleared(running: Running) -> None:
    stream = counter.counter()
    await running.writer.execute(stream, Add(13), counter.meta())
    await running.writer.execute(stream, Remind(await running.log.now()), counter.meta())
    await clock_of(running).run_due()
    assert await names(running) == {"counter.added@1": 1, "counter.reminded@1": 1}
    assert await rows(running) == []


@LOCAL
async def test_a_deadline_waits_for_a_writer_that_takes_nothing(running: Running) -> None:
    turned_away: list[Unavailable] = [Unavailable("relay.behind")]

    def admit() -> None:
        if turned_away:
            raise turned_away[0]

    writer = Writer(running.service, open_log(running.store), counter.deciders(), admit)
    running.start(writer.run(running.stop))
    await running.writer.execute(counter.counter(), Remind(await running.log.now()), counter.meta())
    assert await clock_of(running, writer).run_due() == CLOCK_POLL_S
    assert len(await rows(running)) == 1
    turned_away.clear()
    assert await clock_of(running, writer).run_due() == 0
    assert (await names(running))["counter.rang@1"] == 1


@LOCAL
async def test_two_clocks_ring_once(running: Running) -> None:
    now = await running.log.now()
    for _ in range(20):
        await running.writer.execute(counter.counter(), Remind(now), counter.meta())
    clocks = [clock_of(running), clock_of(running, running.new_writer())]
    await asyncio.gather(*[clock.run_due() for clock in clocks])
    assert (await names(running))["counter.rang@1"] == 20
    assert await rows(running) == []
