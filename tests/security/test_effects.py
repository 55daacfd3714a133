"""Calls outside: what one tenant's intent meets there holds up no other tenant's, and is told where operators look."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.faults import Exhausted, Poison, Unavailable
from kernel.processors import reactor
from kernel.processors.processes import Effect, ProcessRunner
from kernel.processors.reactor import Reactor
from kernel.runtime.health import Health, Watchdog
from kernel.streams import parked, retries
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.marks import Marks
from kernel.streams.records import OWN_LOG
from tests.contract.conftest import Running
from tests.contract.test_signs_of_life import Ticks, metric
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.until import within

STUCK, SLOW, WELL = 7, 8, 1
"""Amounts that the port below answers to: never, only after the test says so, at once."""


class Port:
    """A system outside, by the amount of the intent."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.away = True
        self.raises: Exception = Unavailable("outside.away")

    async def perform(self, incoming: Delivered[Any]) -> None:
        self.calls[incoming.stream] += 1
        if incoming.event.amount == SLOW:
            await asyncio.Event().wait()
        if incoming.event.amount == STUCK and self.away:
            raise self.raises


def parked_are(made: Reactor | ProcessRunner, keys: set[str]) -> Callable[[], Awaitable[bool]]:
    """True once these keys are parked, and no others."""

    async def holds() -> bool:
        return await made.parking.keys() == keys

    return holds


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor, "PAUSE_S", 0.001)


async def added(running: Running, amount: int, tenant: str = "tenant-1", stream: str = "") -> str:
    stream = stream or counter.counter()
    await running.writer.execute(stream, Add(amount), counter.meta(tenant=tenant))
    return stream


async def started(running: Running, port: Port) -> Reactor:
    made = Reactor(Effect("calls", (counter.Added,), port.perform), running.store)
    await Checkpoints(running.store, "calls").load([(OWN_LOG, 0)])
    running.start(running.consumer("calls", made.handle, True, ()).run(running.stop))
    return made


async def due_now(running: Running) -> None:
    async with running.store.transaction() as connection:
        table = running.store.metadata.tables["parked"]
        past = {"retry_at": system_clock() - timedelta(hours=1)}
        await connection.execute(sa.update(table).where(table.c.retry_at.is_not(None)).values(**past))


async def test_a_stream_without_an_answer_holds_up_no_other_and_goes_on_by_itself(running: Running) -> None:
    port = Port()
    stuck, well = await added(running, STUCK), await added(running, WELL)
    made = await started(running, port)
    await added(running, WELL, stream=stuck)

    async def others_go_on() -> bool:
        return port.calls[well] == 1 and len(await made.parking.waiting(stuck)) == 2

    await running.until(others_go_on)
    assert port.calls[stuck] == reactor.TRIES_IN_PLACE, "a limit in place, and order within the stream"
    assert metric("effects_pending", effect="calls") == 2
    consumer = running.consumer("calls", made.handle, True, ())
    await due_now(running)
    await made.retry_due(consumer.redecode)
    assert port.calls[stuck] == reactor.TRIES_IN_PLACE + 1
    assert metric("effects_pending", effect="calls") == 2
    port.away = False
    await due_now(running)
    await made.retry_due(consumer.redecode)
    assert port.calls[stuck] == reactor.TRIES_IN_PLACE + 3
    assert await made.parking.keys() == set()
    assert metric("effects_pending", effect="calls") == 0


async def test_retries_have_a_limit_and_then_need_a_person(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "MAX_TRIES", 2)
    port = Port()
    stuck = await added(running, STUCK)
    made = await started(running, port)
    consumer = running.consumer("calls", made.handle, True, ())

    await running.until(parked_are(made, {stuck}))
    for _ in range(3):
        await due_now(running)
        await made.retry_due(consumer.redecode)
    assert port.calls[stuck] == reactor.TRIES_IN_PLACE + 2
    async with running.store.reading() as connection:
        table = running.store.metadata.tables["parked"]
        (row,) = (await connection.execute(sa.select(table))).all()
    assert row.retry_at is None
    assert "no answer after 2 tries" in row.reason
    port.away = False
    assert await made.retry(stuck, consumer.redecode) == 1, "the command to resume"
    assert await made.parking.keys() == set()


async def test_what_cannot_be_read_again_is_left_to_a_person_and_ends_no_retries(running: Running) -> None:
    stuck, made = await added(running, STUCK), await started(running, Port())

    async def unreadable(_source: str, _inbound: object) -> None:
        raise Poison("event.unknown")

    await running.until(parked_are(made, {stuck}))
    await due_now(running)
    assert await made.retry_due(unreadable)
    assert (await made.parking.keys(), await made.retry_due(unreadable)) == ({stuck}, False)


@pytest.mark.parametrize(
    "error",
    [Poison("outside.malformed"), RuntimeError("a library's own"), Exhausted("quota"), httpx.InvalidURL("no")],
    ids=["poison", "runtime", "decided", "url"],
)
async def test_whatever_a_port_raises_concerns_its_stream_alone(running: Running, error: Exception) -> None:
    if isinstance(error, Exhausted):
        error.decided = True
    port = Port()
    port.raises = error
    stuck, well = await added(running, STUCK), await added(running, WELL)
    made = await started(running, port)

    async def others_go_on() -> bool:
        return port.calls[well] == 1 and await made.parking.keys() == {stuck}

    await running.until(others_go_on)
    assert port.calls[stuck] == 1, "refused for good"


async def test_a_tenant_whose_calls_hang_does_not_take_all_of_them(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor, "CALL_LIMIT_S", 0.5)
    monkeypatch.setattr(reactor, "HOLD_S", 0.2)
    port = Port()
    for _ in range(reactor.CONCURRENT * 3):
        await added(running, SLOW, "hostile")
    well = await added(running, WELL, "other")
    made = await started(running, port)

    async def all_left() -> bool:
        return len(await made.parking.keys()) == reactor.CONCURRENT * 3

    await running.until(all_left)
    assert port.calls[well] == 1
    assert sum(port.calls.values()) - 1 == reactor.CONCURRENT_OF_A_TENANT, "the others of the batch were not begun"
    await due_now(running)
    assert len(await made._retries.due()) == retries.DUE_KEYS_OF_A_TENANT, "retries have a share, too"


async def test_a_call_that_hangs_holds_its_batch_no_longer_than_the_batch_may_last(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is begun shortly before the end: its stream is set aside, and a retry has the call's whole time."""
    monkeypatch.setattr(reactor, "CALL_LIMIT_S", 3_600)
    monkeypatch.setattr(reactor, "HOLD_S", 0.2)
    port = Port()
    slow, well = await added(running, SLOW), await added(running, WELL, "other")
    made = await started(running, port)
    await running.until(parked_are(made, {slow}))
    assert port.calls == {slow: 1, well: 1}
    assert await made._retries.count() == 1, "tried again by itself"


async def test_a_call_that_is_tried_again_and_hangs_ends_by_itself(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No batch waits for it, and the next that are due wait for their turn."""
    monkeypatch.setattr(reactor, "CALL_LIMIT_S", 0.1)
    port = Port()
    slow = await added(running, SLOW)
    made = await started(running, port)
    await running.until(parked_are(made, {slow}))
    before, consumer = port.calls[slow], running.consumer("calls", made.handle, True, ())
    await due_now(running)
    async with within(5):
        assert await made.retry_due(consumer.redecode)
    assert port.calls[slow] == before + 1
    assert await made._retries.count() == 1, "put off"


async def test_one_tenant_past_its_budget_of_keys_is_set_aside_alone(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "TENANT_KEYS", 2)
    port = Port()
    port.raises = Poison("outside.malformed")
    made = await started(running, port)
    hostile = [await added(running, STUCK, "hostile") for _ in range(2)]
    await running.until(parked_are(made, set(hostile)))
    within = await added(running, WELL, "hostile")

    async def is_within() -> bool:
        return port.calls[within] == 1

    await running.until(is_within)
    hostile += [await added(running, STUCK, "hostile") for _ in range(2)]
    await running.until(parked_are(made, set(hostile)))
    harmless, well = await added(running, WELL, "hostile"), await added(running, WELL, "other")

    async def goes_on() -> bool:
        return port.calls[well] == 1 and harmless in await made.parking.keys()

    await running.until(goes_on)
    assert port.calls[harmless] == 0, "in order behind what its tenant has parked"
    port.away = False
    consumer = running.consumer("calls", made.handle, True, ())
    for key in sorted(await made.parking.keys()):
        await made.retry(key, consumer.redecode)
    again = await added(running, WELL, "hostile")

    async def healed() -> bool:
        return port.calls[again] == 1

    await running.until(healed)


@pytest.mark.parametrize("own", [True, False], ids=["log", "topic"])
async def test_a_failing_consumer_keeps_its_mark(running: Running, monkeypatch: pytest.MonkeyPatch, own: bool) -> None:
    monkeypatch.setattr("kernel.streams.consumer.PAUSE_LIMIT_S", 0.01)
    ticks, tries = Ticks(), 0
    watchdog = Watchdog(limit_s=60, now=ticks)

    async def fails(_: object) -> None:
        nonlocal tries
        tries += 1
        raise (Unavailable if tries % 2 else Exhausted)("somebody.away")

    await added(running, WELL)
    consumer = running.consumer("sums", fails, own, () if own else counter.foreign_sums("counters").topics)
    consumer._marks = Marks(consumer.name, watchdog, running.store)
    running.start(consumer.run(running.stop))
    if not own:
        running.start(running.relay().run(running.stop))

    async def failed_both_ways() -> bool:
        return tries >= 3

    await running.until(failed_both_ways)
    ticks.now = 61
    report = Health(watchdog).liveness()
    assert not report.ok
    assert "no progress" in str(report.checks) or "silent" in str(report.checks)


async def test_a_process_parks_what_its_own_decider_turns_away(running: Running) -> None:
    """Exhausted is transient where the writer raises it, and final where a Decider does: else one stream would hold up all."""
    echo = counter.ECHO.decider.decide

    def full(cause: Any, state: Any, context: Any) -> Any:
        if cause.event.amount == STUCK:
            raise Exhausted("echo.limit", limit=1)
        return echo(cause, state, context)

    object.__setattr__(counter.ECHO.decider, "decide", full)
    try:
        made = ProcessRunner(counter.ECHO, running.store, running.writer)
        await Checkpoints(running.store, "echo").load([(OWN_LOG, 0)])
        running.start(running.consumer("echo", made.handle, True, ()).run(running.stop))
        stuck = counter.counter()
        await running.writer.execute(stuck, Add(STUCK, "echo me"), counter.meta())
        await running.writer.execute(counter.counter(), Add(WELL, "echo me"), counter.meta())
        await running.until_names(["counter.added@1"] * 2 + ["echo.requested@1"])

        await running.until(parked_are(made, {stuck}))
    finally:
        object.__setattr__(counter.ECHO.decider, "decide", echo)
