"""What relay and consumers tell while they work: counts, and marks that turn liveness red when work stands still."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bus import Message
from kernel.host.gauges import DatabaseMetrics
from kernel.processors.projector import Projector
from kernel.runtime.health import SHOWN_S, Health, Watchdog
from kernel.runtime.telemetry import exposition
from kernel.streams.marks import Marks
from kernel.streams.relay import Relay
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.generations import prepare

LOCAL = pytest.mark.parametrize("bus", ["local"], indirect=True)
SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def metric(name: str, **labels: str) -> float:
    """The sum of a metric's series that carry these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    rows = [row for row in exposition().decode().splitlines() if row.startswith((name + "{", name + " "))]
    return sum(float(row.split()[-1]) for row in rows if all(part in row for part in wanted))


async def start(running: Running, watchdog: Watchdog) -> Mapping[str, str]:
    """Projects the service's public events, telling the watchdog; returns the labels of its metrics."""
    projection = counter.foreign_sums(running.service)
    await prepare(running.store, projection)
    projector = Projector(projection, 1, running.store)
    consumer = running.consumer(projector.consumer, projector.handle, False, projection.topics)
    consumer._marks = Marks(consumer.name, watchdog, running.store)
    running.start(consumer.run(running.stop))
    return {"projection": projector.consumer, "source": projection.topics[0].name}


@LOCAL
@SQLITE
async def test_what_is_done_is_counted(running: Running) -> None:
    labels = await start(running, Watchdog())
    stream, topic = counter.counter(), f"{running.service}.events.v1"
    before = {name: metric(name) for name in ("events_appended_total", "append_seconds_count")}
    for _ in range(3):
        await running.writer.execute(stream, Add(1), counter.meta("same"))
        await running.writer.execute(stream, Add(1), counter.meta())
    relay = running.relay()
    made = relay.build_round(await running.log.read(0), await relay.checkpoint())
    producer = await running.bus.producer()
    await producer.send(made.batches, 10)
    await relay.round()

    async def told() -> bool:
        return metric("records_repeated_total", **labels) == 4

    await running.until(told)
    assert metric("records_projected_total", **labels) == 4
    assert metric("messages_relayed_total", topic=topic) == 4
    assert metric("events_appended_total") == before["events_appended_total"] + 4
    assert metric("append_seconds_count") == before["append_seconds_count"] + 6
    assert metric("commands_total", command="Add", outcome="repeated") >= 2


@LOCAL
@SQLITE
async def test_a_hole_turns_liveness_red_and_the_repeat_heals_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.streams.consumer.LOOK_AT_ENDS_S", 0.0)
    monkeypatch.setattr("kernel.streams.consumer.IDLE_S", 0.01)
    ticks = Ticks()
    watchdog = Watchdog(limit_s=60, now=ticks)
    health, labels = Health(watchdog), await start(running, watchdog)
    stream = counter.counter()
    for _ in range(3):
        await running.writer.execute(stream, Add(1), counter.meta())
    made = running.relay().build_round(await running.log.read(0), await running.relay().checkpoint())
    (where, messages), producer = next(iter(made.batches.items())), await running.bus.producer()

    async def send(*what: Message) -> None:
        await producer.send({where: list(what)}, 10)

    async def held() -> bool:
        return metric("guard_holes", projection=labels["projection"]) == 1 and "no progress" in str(red())

    def red() -> Mapping[str, str]:
        ticks.now += 1
        return health.liveness().checks

    await send(messages[0], messages[2])
    await running.until(held)
    assert await running.sums() == {stream: (1, 1)}
    await send(*messages)
    await running.until_sums({stream: (3, 3)})
    assert metric("guard_holes", projection=labels["projection"]) == 0

    async def healed() -> bool:
        return health.liveness().ok

    await running.until(healed)


@LOCAL
@SQLITE
async def test_a_relay_that_hangs_is_noticed(running: Running) -> None:
    ticks = Ticks()
    watchdog = Watchdog(limit_s=60, now=ticks)
    relay = Relay(
        running.service, running.log, running.bus, counter.CODEC, counter.publish, counter.PARTITIONS, watchdog
    )
    await relay.round()
    assert Health(watchdog).liveness().ok
    await running.writer.execute(counter.counter(), Add(1), counter.meta())
    await relay.round()
    ticks.now = 61
    assert Health(watchdog).liveness().checks == {"relay": "silent"}
    await relay.round()
    assert Health(watchdog).liveness().ok


LIMIT_KEYS = 2


@LOCAL
async def test_a_reader_past_its_parking_budget_is_named_and_not_restarted(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not ready, with the reason and a tenant; live, as no restart would move it."""
    monkeypatch.setattr("kernel.streams.parked.BUDGET_KEYS", LIMIT_KEYS)
    ticks = Ticks()
    watchdog = Watchdog(limit_s=60, now=ticks)
    gauges = DatabaseMetrics(running.service, running.store, running.log, [], clock=False)
    health, reader = Health(watchdog), (await start(running, watchdog))["projection"]
    for tenant in range(LIMIT_KEYS + 1):
        await running.writer.execute(counter.counter(), Add(counter.UNLUCKY), counter.meta(tenant=f"t{tenant}"))
    running.start(running.relay().run(running.stop))

    async def is_told() -> bool:
        await gauges.update()
        return metric("reader_stopped", projection=reader) == 1

    await running.until(is_told)
    ready = await health.readiness()
    assert not ready.ok
    assert re.fullmatch(r"stopped: parked\.budget_spent \(tenant t\d\)", ready.checks[f"reader {reader}"])
    ticks.now += 600
    assert health.liveness().ok
    monkeypatch.setattr(counter, "UNLUCKY", 0)

    async def goes_on() -> bool:
        return (13, 1) in (await running.sums()).values()

    now = running.store.time

    async def later(connection: AsyncConnection) -> datetime:
        return await now(connection) + timedelta(seconds=SHOWN_S)

    await running.until(goes_on)
    monkeypatch.setattr(running.store, "time", later)
    await gauges.update()
    assert metric("reader_stopped", projection=reader) == 0
    ticks.now += SHOWN_S
    assert (await health.readiness()).checks == {}


@LOCAL
@SQLITE
async def test_a_relay_that_stands_still_is_named_and_not_restarted(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.streams.relay.MAX_MESSAGE_BYTES", 100)
    ticks = Ticks()
    watchdog = Watchdog(limit_s=60, now=ticks)
    await running.writer.execute(counter.counter(), Add(1), counter.meta())
    relay = Relay(
        running.service, running.log, running.bus, counter.CODEC, counter.publish, counter.PARTITIONS, watchdog
    )
    running.start(relay.run(running.stop))

    async def is_named() -> bool:
        return (await Health(watchdog).readiness()).checks == {"relay": "stopped: message.too_large"}

    await running.until(is_named)
    ticks.now += 600
    assert Health(watchdog).liveness().ok
