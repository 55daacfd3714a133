"""Cancelled reads: each connection comes back to its pool, none keeps a transaction that pins the write-ahead log."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.adapters.database import POOL_SIZE
from kernel.adapters.sqlite import database as sqlite
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.runtime.telemetry import exposition
from tests.kit.until import until, within

METADATA = sa.MetaData()
THINGS = sa.Table("things", METADATA, sa.Column("number", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT count(*) FROM n, things"
Read = Callable[[SqliteDatabase], Awaitable[object]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", METADATA)
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(sa.insert(THINGS), {"number": 1, "text": ""})
    yield database
    await database.close()


async def directly(database: SqliteDatabase) -> object:
    return await database.rows(SLOW, {})


async def alone(database: SqliteDatabase) -> object:
    async with database.reading() as connection:
        return (await connection.execute(sa.text(SLOW))).all()


async def in_a_transaction(database: SqliteDatabase) -> object:
    async with database.snapshot() as connection:
        await connection.execute(sa.select(THINGS))
        return (await connection.execute(sa.text(SLOW))).all()


READS: dict[str, Read] = {"directly": directly, "alone": alone, "in_a_transaction": in_a_transaction}


@pytest.mark.parametrize("name", READS)
async def test_however_reads_are_cancelled_the_pool_is_whole(database: SqliteDatabase, name: str) -> None:
    """Also while a connection is opened and closed, and twice: a deadline and a client that leaves come together."""
    seed = random.Random(name)
    for _ in range(60):
        reading = [asyncio.ensure_future(READS[name](database)) for _ in range(12)]
        for _ in range(seed.randrange(40)):
            await asyncio.sleep(0)
        for _ in range(2):
            for one in reading:
                one.cancel()
            for _ in range(seed.randrange(3)):
                await asyncio.sleep(0)
        await asyncio.gather(*reading, return_exceptions=True)
    await until(lambda: is_whole(database))
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), {"number": 2, "text": ""})
    assert await is_cut(database)


async def is_whole(database: SqliteDatabase) -> bool:
    """Whether no connection is out but those that are kept for single reads, and all places can be had at once."""
    pool = database.read.pool
    assert isinstance(pool, sa.AsyncAdaptedQueuePool)
    kept = len(database._direct._kept)
    if pool.checkedout() != kept:
        return False
    async with within(30):
        taken = [await database.read.connect() for _ in range(POOL_SIZE - kept)]
    for one in taken:
        await one.close()
    return True


async def is_cut(database: SqliteDatabase) -> bool:
    async with database.reading() as connection:
        held, _, _ = (await connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
    return not held


async def test_the_write_ahead_log_is_a_gauge_and_has_a_bound(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAL_LIMIT_BYTES", 100_000)
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), {"number": 7, "text": "x" * 500_000})
    await database.bound_log()
    size = next(line for line in exposition().decode().splitlines() if line.startswith("sqlite_wal_bytes"))
    assert float(size.split()[1]) > 500_000
    await database.bound_log()
    assert "sqlite_wal_bytes 0.0" in exposition().decode()


async def test_a_reader_that_does_not_end_keeps_the_log_and_no_writer_waits_for_it(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAL_LIMIT_BYTES", 100_000)
    async with database.snapshot() as reading, asyncio.TaskGroup() as cuts:
        await reading.execute(sa.select(THINGS))
        for number in range(2, 14):
            async with within(5), database.transaction() as connection:
                await connection.execute(sa.insert(THINGS), {"number": number, "text": "x" * 50_000})
            if number == 5:
                cuts.create_task(database.bound_log())
    await database.bound_log()
    await database.bound_log()
    assert "sqlite_wal_bytes 0.0" in exposition().decode()
