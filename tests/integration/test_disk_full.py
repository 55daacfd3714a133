"""A full disk under the store or the broker: commands are refused with a fault they can wait for, and it heals when freed."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.disk import Disk, small_disk
from tests.kit.toy import Toy
from tests.kit.toys import Load, Toys, holds, make_toys
from tools.servers import KafkaServer, PostgresServer, kafka, postgres

RELAY_LAG_LIMIT_S = 2
SQLITE_MB, POSTGRES_MB, KAFKA_MB = 24, 160, 64


@pytest.fixture
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Servers that are brought make their folders on it."""
    with small_disk(request.param) as made:
        monkeypatch.setattr(tempfile, "tempdir", str(made.path))
        yield made


def silent(_: str) -> None:
    """Nobody is told that a server starts."""


async def refuse_while_full(toys: Toys, process: Toy, disk: Disk, refusals: int = 30) -> None:
    """Every answer on the full disk is 503 with a time to come again (Clients.ask insists on it)."""
    await toys.acknowledge(60)
    await asyncio.to_thread(disk.fill)
    wanted = toys.clients.refused.total() + refusals
    await holds(lambda: process.poll() is not None or toys.clients.refused.total() >= wanted)
    assert process.poll() is None, "the process ended on a full disk"


@pytest.mark.parametrize("disk", [SQLITE_MB], indirect=True)
async def test_sqlite_on_a_full_disk_refuses_and_goes_on_when_it_is_freed(disk: Disk, tmp_path: Path) -> None:
    store, bus = f"sqlite+aiosqlite:///{disk.path / 'toys.db'}", f"local:///{disk.path / 'bus.db'}"
    await full_and_freed(await make_toys(tmp_path, store, bus, TOY_LOST_S=1), disk)


@pytest.mark.parametrize("disk", [POSTGRES_MB], indirect=True)
async def test_postgres_on_a_full_disk_refuses_and_goes_on_when_it_is_freed(
    disk: Disk, tmp_path: Path, kafka_server: KafkaServer
) -> None:
    with postgres.own(silent) as server:
        url = server.url(await server.create_database())
        await full_and_freed(await make_toys(tmp_path, url, kafka_server.url, TOY_LOST_S=1), disk, server)


@pytest.mark.parametrize("disk", [KAFKA_MB], indirect=True)
async def test_kafka_on_a_full_disk_holds_commands_back_and_gets_all_when_it_is_freed(
    disk: Disk, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    with kafka.own(silent) as server:
        url = postgres_server.url(await postgres_server.create_database())
        toys = await make_toys(tmp_path, url, server.url, relay_lag_limit_s=RELAY_LAG_LIMIT_S)
        await full_and_freed(toys, disk, server)
        assert toys.clients.refused["relay.behind"]


async def full_and_freed(toys: Toys, disk: Disk, server: KafkaServer | PostgresServer | None = None) -> None:
    """A server that ended on the full disk is started again, as its operator would."""
    try:
        process = toys.start()
        async with Load(toys.clients):
            await refuse_while_full(toys, process, disk)
            await asyncio.to_thread(disk.free)
            if server and not server.runner.alive():
                await asyncio.to_thread(server.start)
            await toys.acknowledge(60)
        assert not toys.clients.unasked
        await toys.drain(process)
        await toys.settle()
    finally:
        await toys.close()
