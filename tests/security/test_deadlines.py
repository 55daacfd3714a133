"""Deadlines: one that meets a bug holds up no other, however many there are."""

from collections import Counter
from datetime import timedelta

import pytest

from kernel.eventlog.commands import QueuedCommand
from kernel.processors import scheduler
from kernel.processors.processes import Deadline
from kernel.processors.scheduler import DeadlineScheduler
from tests.contract.conftest import Running
from tests.contract.test_signs_of_life import Ticks
from tests.kit import counter
from tests.kit.counter import Remind, Stumble


@pytest.mark.parametrize("where", ["decode", "decide"])
async def test_a_deadline_that_meets_a_bug_holds_up_no_other(running: Running, where: str) -> None:
    now = await running.log.now()
    sick, well = counter.counter("sick"), counter.counter("well")
    for stream in (sick, well):
        await running.writer.execute(stream, Remind(now), counter.meta())
    decoded = counter.CODEC.decode

    class Codec:
        calls = 0

        def decode(self, name: str, data: bytes) -> object:
            Codec.calls += 1
            if Codec.calls == 1 and where == "decide":
                return Stumble()
            if Codec.calls == 1:
                raise LookupError("a command that this version does not know")
            return decoded(name, data)

    clock = DeadlineScheduler(running.store, running.log, running.writer, Codec())  # type: ignore[arg-type]
    await clock.run_due()
    await clock.run_due()
    names = Counter(event.name for event in await running.log.read(0))
    assert names["counter.rang@1"] == 1
    assert Codec.calls == 2, "and is not tried at every turn"


async def test_no_number_of_broken_deadlines_holds_up_others(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """More are broken than are remembered, all of them due before the one that is well; each is tried again after the pause."""
    monkeypatch.setattr(scheduler, "DUE_LIMIT", 2)
    monkeypatch.setattr(scheduler, "BROKEN_LIMIT", 4)
    ticks = Ticks()
    monkeypatch.setattr(scheduler, "monotonic", lambda: ticks.now)
    now, well = await running.log.now(), counter.counter("well")
    sick = [counter.counter(f"sick{number:02}") for number in range(11)]
    for number, stream in enumerate(sick):
        await running.writer.execute(stream, Remind(now + timedelta(microseconds=number)), counter.meta())
    await running.writer.execute(well, Remind(now + timedelta(seconds=0.001)), counter.meta())
    tried: Counter[str] = Counter()

    class Clock(DeadlineScheduler):
        def _item(self, row: Deadline) -> QueuedCommand:
            tried[row.stream] += 1
            if row.stream in sick:
                raise LookupError("a command that this version does not know")
            return super()._item(row)

    clock = Clock(running.store, running.log, running.writer, counter.CODEC)
    for _ in range(len(sick)):
        await clock.run_due()
        assert len(clock._broken) <= scheduler.BROKEN_LIMIT + scheduler.DUE_LIMIT
    assert [event.name for event in await running.log.read(0)].count("counter.rang@1") == 1
    assert tried == dict.fromkeys([*sick, well], 1), "each once before the pause"
    ticks.now += scheduler.BROKEN_PAUSE_S
    for _ in range(len(sick)):
        await clock.run_due()
    assert tried == {**dict.fromkeys(sick, 2), well: 1}
