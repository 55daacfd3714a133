"""Live windows and bursts: the same on the embedded bus and by Faust on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from dandelion.metrics.v1 import events_pb2 as events

from kernel.core.ids import new_id
from kernel.runtime.roles import Role
from services.metrics import stream
from services.metrics.domain.anomaly.window import Rule, Windows
from services.metrics.watch import Watch
from tests.integration.metrics.client import Metrics, running
from tests.integration.metrics.test_engagement import row
from tests.kit.until import until
from tools.servers import KafkaServer
from tools.speed import patience

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = Rule(size_s=60, kept=5, least=50, factor=3)
QUIET = [10, 10, 10, 10]


@asynccontextmanager
async def watched(metrics: Metrics) -> AsyncIterator[Watch]:
    """The stream role, with small windows."""
    watch, stop = Watch(metrics.app.bus, metrics.app.database, Windows(RULE)), asyncio.Event()
    role: Role = stream.make_windows(metrics.app, watch)
    task = asyncio.create_task(serve(role, stop))
    try:
        yield watch
    finally:
        stop.set()
        await asyncio.wait_for(task, patience(30))


async def serve(role: Role, stop: asyncio.Event) -> None:
    await role.serve(stop)


async def a_burst_is_raised_once(metrics: Metrics) -> None:
    content, other = new_id(), new_id()
    async with watched(metrics) as watch:
        for minute, likes in enumerate([*QUIET, 200]):
            rows = [row(content, likes, minute * 60), row(other, 12, minute * 60)]
            key = new_id()
            for _ in range(2):
                await metrics.done("POST", "/engagement", {"rows": rows}, key=key)

        async def all_counted() -> bool:
            return watch.live(content) == {"likes": 240} and watch.live(other) == {"likes": 60}

        await until(all_counted)
        await metrics.done("POST", "/engagement", {"rows": [row(content, 50, 4 * 60 + 30)]})

        async def raised() -> bool:
            return bool(await anomalies(metrics))

        await until(raised)
    (found,) = await anomalies(metrics)
    assert (found.kind, found.content_id, found.metric, found.formula) == (
        "burst",
        content,
        events.METRIC_LIKES,
        "burst@1",
    )
    assert (found.observed, found.expected_max) == (200, 30)
    assert found.window_from.ToDatetime(UTC) == START + timedelta(minutes=4)
    assert found.window_until.ToDatetime(UTC) == START + timedelta(minutes=5)


async def anomalies(metrics: Metrics) -> list[events.AnomalyDetected]:
    """Every anomaly on the public topic."""
    name = "metrics.events.v1"
    ends = {where: end for where, end in (await metrics.app.bus.end_offsets([name])).items() if end}
    if not ends:
        return []
    reader = await metrics.app.bus.reader(dict.fromkeys(ends, 0), f"test-{uuid4()}")
    found = []
    try:
        while any(ends.values()):
            for where, records in (await reader.read(1_000, 1)).items():
                ends[where] = max(0, ends[where] - len(records))
                found += [each for each in records if each.header("ce_type").endswith("AnomalyDetected")]
    finally:
        await reader.close()
    return [events.AnomalyDetected.FromString(each.value) for each in found]


ROLES = ("relay", "project", "process")


async def test_a_burst_is_raised_once_embedded(tmp_path: Path) -> None:
    async with running(tmp_path, ROLES) as metrics:
        await a_burst_is_raised_once(metrics)


@pytest.mark.filterwarnings("default")
async def test_a_burst_is_raised_once_by_faust(tmp_path: Path, fresh_kafka: KafkaServer) -> None:
    """A broker of its own, because the topics' names are fixed."""
    address = f"kafka://{fresh_kafka.bootstrap}"
    async with running(tmp_path, ROLES, bus_url=address, stream_group=f"windows-{uuid4()}") as metrics:
        await a_burst_is_raised_once(metrics)
