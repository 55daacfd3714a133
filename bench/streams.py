"""Faust on envelopes against Faust per event: the same windows of the same observations, each in a worker of its own."""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dandelion.metrics.v1 import events_pb2 as pb

from bench import engagement
from bench.measure import Row, interleaved, ratio, say
from bench.place import Place
from kernel.adapters.kafka import KafkaBus
from kernel.core.ids import new_id
from kernel.host.app import open_app
from kernel.runtime.loops import loop_factory
from services.metrics.domain.anomaly.window import Rule
from services.metrics.domain.engagement import Envelope
from services.metrics.settings import MetricsSettings
from services.metrics.stream import faust_app, make_windows
from services.metrics.watch import Watch
from services.metrics.wiring import SERVICE
from tests.kit.running import settings_in

EVENTS, SINGLES = 600_000, 30_000
CHILD_S = 180.0
Count = Callable[[int], None]


async def bench(place: Place) -> list[Row]:
    """One row: events/s from a worker's first event to its last, workers in child processes."""
    say(f"streams: {EVENTS:,} events in envelopes, {SINGLES:,} single ones")
    await engagement.publish(KafkaBus(place.kafka.url), EVENTS, SINGLES)

    async def ours() -> float:
        return await measured("envelopes", place.kafka.url, EVENTS)

    async def theirs() -> float:
        return await measured("events", place.kafka.url, SINGLES)

    mine, others = await interleaved(ours, theirs, 3)
    return [
        Row("Faust on envelopes", f"{statistics.median(mine):,.0f}/s",
            f"Faust per event: {statistics.median(others):,.0f}/s", ratio(mine, others), 25, 100)
    ]  # fmt: skip


async def measured(kind: str, url: str, events: int) -> float:
    """Events/s that a worker in a child process says it counted."""
    command = [sys.executable, "-m", "bench.streams", kind, url, str(events)]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await asyncio.wait_for(child.communicate(), CHILD_S)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise RuntimeError(f"the worker on {kind} left with {child.returncode}")
    return events / float(json.loads(out)["seconds"])


class Stretch:
    """The time from the first event counted to the last of `events`."""

    def __init__(self, events: int) -> None:
        self.left, self.began, self.seconds, self.done = events, 0.0, 0.0, asyncio.Event()

    def begin(self) -> None:
        self.began = self.began or time.perf_counter()

    def count(self, events: int) -> None:
        self.left -= events
        if self.left == 0:
            self.seconds = time.perf_counter() - self.began
            self.done.set()


@dataclass(slots=True)
class Timed(Watch):
    """The service's own Watch, timed."""

    stretch: Stretch | None = None

    async def add(self, envelopes: Sequence[Envelope], at: datetime) -> None:
        assert self.stretch is not None
        self.stretch.begin()
        await Watch.add(self, envelopes, at)
        self.stretch.count(sum(len(envelope.rows) for envelope in envelopes))


async def on_envelopes(url: str, stretch: Stretch) -> None:
    """The service's `stream` role."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder), MetricsSettings, bus_url=url, stream_group=f"bench-{new_id()}")
        (Path(folder) / "jwks.json").write_text('{"keys": []}')
        app = open_app(SERVICE, settings)
        watch = Timed(app.bus, app.database, stretch=stretch)
        stop = asyncio.Event()
        async with asyncio.timeout(CHILD_S), asyncio.TaskGroup() as group:
            group.create_task(_ended(stretch, stop))
            await make_windows(app, watch).serve(stop)
        await app.close()


async def per_event(url: str, stretch: Stretch) -> None:
    """An agent as Faust's documentation writes it: one event at a time into the same tumbling windows."""
    bus = KafkaBus(url)
    made = faust_app(bus.brokers, f"bench-{new_id()}")
    topic = made.topic(engagement.SINGLES, key_serializer="raw", value_serializer="raw", value_type=bytes)
    counts: dict[tuple[str, int, int], int] = {}
    size_ms = Rule().size_ms

    async def count(stream: Any) -> None:
        async for value in stream:
            stretch.begin()
            event = pb.EngagementRecorded.FromString(value)
            key = (event.content_id, event.metric, event.observed_at.ToMilliseconds() // size_ms * size_ms)
            counts[key] = counts.get(key, 0) + event.value
            stretch.count(1)

    made.agent(topic, concurrency=1, name="windows")(count)
    await made.start()
    await stretch.done.wait()
    await made.stop()


async def _ended(stretch: Stretch, stop: asyncio.Event) -> None:
    await stretch.done.wait()
    stop.set()


KINDS: dict[str, Callable[[str, Stretch], Awaitable[None]]] = {"envelopes": on_envelopes, "events": per_event}


async def child(kind: str, url: str, events: int) -> float:
    """Seconds from the first event to the last."""
    stretch = Stretch(events)
    await KINDS[kind](url, stretch)
    return stretch.seconds


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        seconds = runner.run(child(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what Faust leaves running must not hold the bench
