"""Live windows and bursts over the engagement topic: Faust on Kafka, the kernel's consumer on the embedded bus.

The only file that imports faust, and only where there is a Kafka: it takes half a second. Its at-least-once mode may drop or
repeat at a rebalance or kill, so nothing here is audited: windows are kept in memory by event time, envelopes are
deduplicated by our own memory of ids, one task counts, and a burst is reported under an id derived from what was found, so
it is raised once. A new `stream_group` reads the topic from its start and computes the same windows again.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kernel.adapters.bus import PARTITIONS
from kernel.adapters.kafka_url import MECHANISM, Brokers
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.faults import Invalid
from kernel.host.app import App
from kernel.processors.processes import commit
from kernel.runtime.roles import Role
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.records import PartitionBatch
from services.metrics.domain.engagement import Envelope
from services.metrics.passes.grids import Measuring
from services.metrics.passes.refunds import Waves
from services.metrics.settings import MetricsSettings
from services.metrics.subscribe import ENGAGEMENT, ENVELOPE, decode
from services.metrics.watch import Watch

if TYPE_CHECKING:
    import faust

    from kernel.adapters.kafka import KafkaBus

REFUNDS_EVERY_S = 300
SESSION_S = 15.0
"""A worker that was killed keeps its partitions for so long, and a new one waits for them; Faust's own is a minute."""
START_LIMIT_S = 90.0
"""Joining waits for the sessions of all that were killed shortly before."""


def make_stream(app: App) -> Role:
    """Role `stream`: anomalies are found as they come, refunds are looked at, grids are measured anew at each interval."""
    assert isinstance(app.settings, MetricsSettings)
    windows, measuring = make_windows(app), Measuring(app, app.settings.grid_interval_s)
    passes = (measuring, Waves(app, REFUNDS_EVERY_S))

    async def serve(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            for one in passes:
                tasks.create_task(one.run(stop))
            await windows.serve(stop)

    return replace(windows, serve=serve)


def make_windows(app: App, watch: Watch | None = None) -> Role:
    """One task counts, by Faust where there is a Kafka."""
    made = watch or Watch(app.bus, app.database)

    async def serve(stop: asyncio.Event) -> None:
        try:
            if isinstance(app.bus, SqliteBus):
                await serve_embedded(app, made, stop)
            else:
                await serve_faust(app, cast("KafkaBus", app.bus), made, stop)
        finally:
            await made.close()

    return Role("stream", serve, deadline_s=10)


async def serve_embedded(app: App, watch: Watch, stop: asyncio.Event) -> None:
    """The same windows under the kernel's consumer; they begin anew with the process."""
    guards = Checkpoints(app.database, "windows")

    async def handle(parts: Sequence[PartitionBatch]) -> None:
        found = [inbound.incoming for part in parts for inbound in part.admitted.fresh if inbound.incoming]
        if found:
            await watch.add([incoming.event for incoming in found], found[-1].at)
        await commit(app.database, lambda connection: guards.move(connection, parts))

    await app.consumer("windows", handle, False, [ENGAGEMENT], batch=100).run(stop)


async def serve_faust(app: App, bus: "KafkaBus", watch: Watch, stop: asyncio.Event) -> None:
    """A Faust worker inside this process, until `stop`."""
    made = faust_app(bus.brokers, cast("MetricsSettings", app.settings).stream_group)
    topic = made.topic(ENGAGEMENT.name, key_serializer="raw", value_serializer="raw", value_type=bytes)

    async def count(stream: Any) -> None:
        async for event in stream.events():
            found = envelope_of(event.message.headers, event.value)
            if found is not None:
                await watch.add([found[0]], found[1])

    made.agent(topic, concurrency=1, name="windows")(count)
    async with asyncio.timeout(START_LIMIT_S):
        await made.start()
    try:
        await stop.wait()
    finally:
        await made.stop()


def faust_app(brokers: Brokers, group: str) -> "faust.App":
    """Faust with what it needs and nothing else: no tables, no web server, no leader topic, no output redirected."""
    import faust

    return faust.App(
        group,
        broker=[f"kafka://{each}" for each in brokers.bootstrap.split(",")],
        broker_credentials=_credentials(brokers),
        store="memory://",
        datadir=Path(tempfile.gettempdir()) / "faust",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        worker_redirect_stdouts=False,
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=PARTITIONS,
        broker_session_timeout=SESSION_S,
        broker_rebalance_timeout=SESSION_S,
    )


def _credentials(brokers: Brokers) -> Any:
    """Faust's words for what the URL says; read once, at the start."""
    import faust

    if brokers.user:
        return faust.SASLCredentials(
            username=brokers.user, password=brokers.password(), mechanism=MECHANISM, ssl_context=brokers.tls()
        )
    return faust.SSLCredentials(brokers.tls()) if brokers.ca_file else None


def envelope_of(headers: Any, value: bytes) -> tuple[Envelope, datetime] | None:
    """With the time it was received (UTC); None for what is no envelope: the projector parks it, here it does not count."""
    named = dict(headers.items() if isinstance(headers, dict) else headers or ())
    if named.get("ce_type", b"").decode("utf-8", "replace") != ENVELOPE:
        return None
    try:
        found, received_at = decode(ENVELOPE, value), datetime.fromisoformat(named.get("ce_time", b"").decode())
    except (Invalid, ValueError):
        return None
    return (found, received_at.astimezone(UTC)) if isinstance(found, Envelope) else None
