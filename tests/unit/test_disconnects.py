"""What libraries let out when the other side goes away under their hands counts as gone, not as a bug."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvloop
from dandelion_contracts.errors import Unreachable
from dandelion_contracts.kafka import KafkaSource
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.adapters.disconnects import is_closed_handle, is_lost
from kernel.adapters.kafka import KafkaReader
from kernel.core.faults import Unavailable


async def write_to_a_closed_connection() -> None:
    """As aiokafka does when its broker was killed a moment ago."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1")
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.transport.abort()
    await asyncio.sleep(0)
    server.close()
    writer.write(b"fetch")


class Consumer:
    """A client whose connection was closed meanwhile."""

    _coordinator = _fetcher = _client = None

    def __init__(self, **_: Any) -> None: ...
    def assignment(self) -> set[Any]:
        return set()

    async def start(self) -> None:
        await write_to_a_closed_connection()

    async def end_offsets(self, _: list[Any]) -> dict[Any, int]:
        await write_to_a_closed_connection()
        return {}

    async def stop(self) -> None:
        await write_to_a_closed_connection()


def test_uvloop_says_so_by_a_runtime_error() -> None:
    with pytest.raises(RuntimeError) as raised:
        uvloop.run(write_to_a_closed_connection())
    assert is_closed_handle(raised.value)
    assert is_lost(raised.value)
    assert not is_closed_handle(RuntimeError("dictionary changed size during iteration"))


async def test_a_pool_whose_connections_are_all_waited_for_is_a_busy_database(tmp_path: Path) -> None:
    """As when the database is away and every request waits for a connection."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path}/one.sqlite", pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    async with engine.connect():
        with pytest.raises(sa.exc.TimeoutError) as raised:
            await engine.connect().start()
    await engine.dispose()
    assert is_lost(raised.value)


def test_a_reader_calls_it_an_unavailable_bus_and_closes_all_the_same() -> None:
    with pytest.raises(Unavailable):
        uvloop.run(KafkaReader(Consumer()).end_offsets())
    uvloop.run(KafkaReader(Consumer()).close())


def test_a_subscriber_calls_it_unreachable() -> None:
    with pytest.raises(Unreachable):
        uvloop.run(KafkaSource("a:1", connect_within_s=0, consumer=Consumer).open("ledger.events.v1"))


class CancelsItself(Consumer):
    """Its calls await a future of its own that it has cancelled."""

    async def start(self) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future


async def test_a_cancellation_of_the_clients_own_is_unreachable_and_a_real_one_passes() -> None:
    with pytest.raises(Unreachable):
        await KafkaSource("a:1", connect_within_s=0, consumer=CancelsItself).open("ledger.events.v1")
    opening = asyncio.create_task(KafkaSource("a:1", consumer=CancelsItself).open("ledger.events.v1"))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
