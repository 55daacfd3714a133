"""Ready means what a request needs answers; live means that what waits moves on."""

import asyncio

import pytest

from kernel.runtime.health import Health, Watchdog, watch_loop


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def dog() -> tuple[Watchdog, Ticks]:
    ticks = Ticks()
    return Watchdog(limit_s=60, now=ticks), ticks


def test_lag_without_progress_turns_red_and_progress_heals_it() -> None:
    watchdog, ticks = dog()
    for ticks.now in (0, 30, 59):
        watchdog.progress("projector", 17, 20)
    assert watchdog.stuck() == {}
    ticks.now = 60
    watchdog.progress("projector", 17, 21)
    assert watchdog.stuck() == {"projector": "no progress at 17 of 21"}
    watchdog.progress("projector", 18, 21)
    assert watchdog.stuck() == {}


def test_idleness_is_no_lag_and_new_work_starts_the_count() -> None:
    watchdog, ticks = dog()
    for ticks.now in range(0, 600, 30):
        watchdog.progress("projector", 20, 20)
    watchdog.progress("projector", 20, 21)
    assert watchdog.stuck() == {}
    ticks.now += 60
    watchdog.progress("projector", 20, 21)
    assert watchdog.stuck() == {"projector": "no progress at 20 of 21"}


def test_a_loop_that_went_silent_turns_red_even_without_lag() -> None:
    watchdog, ticks = dog()
    watchdog.progress("projector", 20, 20)
    ticks.now = 60
    assert watchdog.stuck() == {"projector": "silent"}
    watchdog.forget("projector")
    assert watchdog.stuck() == {}


async def fine() -> None: ...


async def broken() -> None:
    raise ConnectionError("db.internal refused")


async def hanging() -> None:
    await asyncio.Event().wait()


async def test_ready_when_every_check_answers() -> None:
    health = Health()
    health.add("database", fine)
    report = await health.readiness()
    assert (report.ok, report.checks) == (True, {"database": "ok"})


async def test_a_failing_and_a_hanging_check_are_named_without_their_secrets() -> None:
    health = Health(deadline_s=0.01)
    for name, check in (("database", broken), ("bus", hanging), ("disk", fine)):
        health.add(name, check)
    report = await health.readiness()
    assert not report.ok
    assert report.checks == {"database": "failed", "bus": "no answer in 0.01 s", "disk": "ok"}


async def test_probes_at_once_are_one_check_and_who_leaves_ends_it_for_nobody() -> None:
    health, runs = Health(), list[int]()
    begun, answered = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        runs.append(1)
        begun.set()
        await answered.wait()

    health.add("database", slow)
    probes = [asyncio.create_task(health.readiness()) for _ in range(100)]
    await begun.wait()
    probes[0].cancel()
    answered.set()
    assert [report.ok for report in await asyncio.gather(*probes[1:])] == [True] * 99
    assert (await health.readiness()).ok
    assert len(runs) == 2


async def test_a_check_added_while_a_probe_is_under_way_counts_from_the_next_one() -> None:
    health, began, go = Health(), asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        began.set()
        await go.wait()

    health.add("database", waits)
    first = asyncio.create_task(health.readiness())
    await began.wait()
    health.add("broker", broken)
    second = asyncio.create_task(health.readiness())
    await asyncio.sleep(0)
    go.set()
    assert (await first).checks == (await second).checks == {"database": "ok"}
    assert set((await health.readiness()).checks) == {"database", "broker"}


async def test_draining_is_not_ready_but_live() -> None:
    health = Health()
    health.draining = True
    assert not (await health.readiness()).ok
    assert health.liveness().ok


def test_liveness_follows_the_watchdog() -> None:
    watchdog, ticks = dog()
    health = Health(watchdog)
    watchdog.progress("relay", 1, 2)
    ticks.now = 61
    assert health.liveness().checks == {"relay": "silent"}


async def test_the_loop_probe_measures_until_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, seen = asyncio.Event(), []

    def gauge(name: str, value: float) -> None:
        seen.append((name, value >= 0))
        stop.set()

    monkeypatch.setattr("kernel.runtime.telemetry.gauge", gauge)
    await watch_loop(stop, interval_s=0.001)
    assert seen == [("event_loop_lag_seconds", True)]
