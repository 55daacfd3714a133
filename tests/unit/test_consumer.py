"""A consumer's loop goes on whatever a library does to it, as long as nobody asked it to end."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kernel.adapters.bus import TopicPartition
from kernel.adapters.database import Database
from kernel.adapters.sqlite_bus import SqliteBus, SqliteReader
from kernel.core.faults import Unavailable
from kernel.streams.consumer import Consumer
from kernel.streams.records import Topic
from tests.contract.conftest import migrated
from tests.kit import counter
from tests.kit.until import until


class CancelledOnce(SqliteBus):
    """Its first reader comes out of a future that the client cancelled itself."""

    asked = 0

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> SqliteReader:
        self.asked += 1
        if self.asked == 1:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.cancel()
            await future
        return await super().reader(positions, group)


async def test_a_loop_that_was_cancelled_by_nobody_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.streams.consumer.PAUSE_LIMIT_S", 0.01)
    database: Database = await migrated(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    bus = CancelledOnce(str(tmp_path / "bus.db"))
    await bus.ensure_topics({"others.events.v1": 1})

    async def handle(_: Any) -> None: ...

    consumer = Consumer(
        "sums", database, handle, service="toys", bus=bus, topics=[Topic("others.events.v1")],
        decode=counter.decode_event, partitions=1,
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))

    async def asked_again() -> bool:
        if running.done():
            running.result()
            raise AssertionError("the loop is gone")
        return bus.asked == 2

    await until(asked_again)
    stop.set()
    await running
    await bus.close()
    await database.close()


async def test_the_pause_is_short_again_after_a_time_without_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, stop, clock = list[float](), asyncio.Event(), [0.0]

    async def pausing(_: asyncio.Event, pause_s: float) -> bool:
        pauses.append(pause_s)
        return False

    async def follow(_: asyncio.Event) -> None:
        if len(pauses) == 3:
            clock[0] += 0.5  # longer than the longest pause
        if len(pauses) == 4:
            stop.set()
            return
        raise Unavailable("database.unavailable")

    monkeypatch.setattr("kernel.streams.consumer.PAUSE_LIMIT_S", 0.4)
    monkeypatch.setattr("kernel.streams.consumer.monotonic", lambda: clock[0])
    monkeypatch.setattr("kernel.streams.consumer.wait", pausing)
    monkeypatch.setattr("kernel.streams.consumer.random.random", lambda: 0.5)
    database: Database = await migrated(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")

    async def handle(_: Any) -> None: ...

    await Consumer("sums", database, handle)._forever(follow, stop)
    assert pauses == [0.1, 0.2, 0.4, 0.1]
    await database.close()
