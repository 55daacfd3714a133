"""What the database knows shows as gauges, and goes back when it is well again."""

from datetime import timedelta

import sqlalchemy as sa

from kernel.core.clock import system_clock
from kernel.eventlog.log import StoredLog
from kernel.host.gauges import DatabaseMetrics
from kernel.processors.generations import Rebuild
from kernel.runtime.telemetry import REGISTRY, forget
from kernel.streams.relay import Relay
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add, meta


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_relay_and_projection_lag_count_what_is_not_done(running: Running, log: StoredLog) -> None:
    gauges = DatabaseMetrics("counters", log.database, log, ["sums_own_g1"], clock=False)
    for _ in range(3):
        await running.writer.execute("counter-1", Add(1), meta())
    await gauges.update()
    assert value("relay_lag_events") == 3
    assert value("relay_lag_seconds") is not None
    await running.project(counter.OWN_SUMS)
    await running.until_sums({"counter-1": (3, 3)})
    relay: Relay = running.relay()
    await running.bus.ensure_topics(counter.topics(running.service))
    while await relay.round():
        pass
    await gauges.update()
    assert value("relay_lag_events") == 0
    assert value("relay_lag_seconds") == 0
    assert value("projection_lag_events", projection="sums_own_g1", source="log", partition="0") == 0


async def test_a_rebuilt_read_model_takes_the_place_of_the_old_one(running: Running, log: StoredLog) -> None:
    gauges, projection = DatabaseMetrics("counters", log.database, log, [], clock=False), counter.OWN_SUMS
    await running.writer.execute("counter-1", Add(1), meta())
    await running.project(projection)
    await running.until_sums({"counter-1": (1, 1)})
    forget("projection_lag_events", projection="sums_own_g2", source="log", partition="0")  # of another test
    await gauges.update()
    assert lags("sums_own_g1", "sums_own_g2") == [0, None]
    assert value("parked_keys", projection="sums_own_g1") == 0
    rebuild = Rebuild(
        projection, running.store, running.log, counter.CODEC, running.service, running.bus, counter.decode_event,
        partitions=counter.PARTITIONS,
    )  # fmt: skip
    assert await rebuild.run() == 2
    await gauges.update()
    assert lags("sums_own_g1", "sums_own_g2") == [None, 0]
    assert [value(name, projection="sums_own_g1") for name in ("parked_keys", "reader_stopped")] == [None, None]


def lags(*projections: str) -> list[float | None]:
    labels = {"source": "log", "partition": "0"}
    return [value("projection_lag_events", projection=one, **labels) for one in projections]


async def test_parked_keys_count_keys_and_fall_back_to_zero(log: StoredLog) -> None:
    gauges = DatabaseMetrics("counters", log.database, log, ["sums_g1"], clock=False)
    parked = log.database.metadata.tables["parked"]
    fixed = {"consumer": "sums_g1", "source": "log", "partition": 0, "position": 1, "type": "t", "value": b"",
             "headers": b"[]", "reason": "r", "parked_at": system_clock()}  # fmt: skip
    async with log.database.transaction() as connection:
        rows = [{**fixed, "offset": number, "key": key} for number, key in enumerate(["a", "a", "b"])]
        await connection.execute(sa.insert(parked), rows)
    await gauges.update()
    assert value("parked_keys", projection="sums_g1") == 2
    async with log.database.transaction() as connection:
        await connection.execute(sa.delete(parked))
    await gauges.update()
    assert value("parked_keys", projection="sums_g1") == 0


async def test_only_late_deadlines_count(log: StoredLog) -> None:
    gauges = DatabaseMetrics("counters", log.database, log, [], clock=True)
    deadlines, now = log.database.metadata.tables["deadlines"], await log.now()
    async with log.database.transaction() as connection:
        for name, due_at in (("late", now - timedelta(minutes=1)), ("soon", now), ("later", now + timedelta(days=1))):
            row = {"stream": "s", "name": name, "due_at": due_at, "command": "c", "data": "{}"}
            await connection.execute(sa.insert(deadlines), [row])
    await gauges.update()
    assert value("deadlines_due", process="counters") == 1
