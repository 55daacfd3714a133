"""The SQLite driver: a statement is one hop, BEGIN travels with it, and what fails or is cancelled leaves no transaction."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.sqlite.driver import STREAMED_ROWS, Line
from kernel.core.faults import Unavailable

METADATA = sa.MetaData()
THINGS = sa.Table("things", METADATA, sa.Column("number", sa.Integer, primary_key=True))
SELECT = sa.select(THINGS.c.number).order_by(THINGS.c.number)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = database_at(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", METADATA)
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found, do = [], Line.do

    def counted(self: Line, work: Any) -> Any:
        found.append(getattr(work, "__name__", ""))
        return do(self, work)

    monkeypatch.setattr(Line, "do", counted)
    return found


async def numbers(database: Database) -> list[int]:
    async with database.reading() as connection:
        return list((await connection.execute(SELECT)).scalars())


async def add(database: Database, *many: int) -> None:
    async with database.transaction() as connection:
        for number in many:
            await connection.execute(sa.insert(THINGS), {"number": number})


async def test_a_read_is_one_hop(database: Database, hops: list[str]) -> None:
    await numbers(database)
    hops.clear()
    assert await numbers(database) == []
    assert len(hops) == 1


async def test_a_transaction_is_a_hop_for_each_statement_and_one_for_commit(
    database: Database, hops: list[str]
) -> None:
    await add(database, 1)
    hops.clear()
    await add(database, 2, 3)
    assert len(hops) == 3
    assert await numbers(database) == [1, 2, 3]


async def test_a_transaction_without_a_statement_is_none(database: Database, hops: list[str]) -> None:
    await add(database, 1)
    hops.clear()
    async with database.transaction():
        pass
    assert hops == []


async def test_a_snapshot_sees_the_same_rows_twice(database: Database) -> None:
    async with database.snapshot() as connection:
        before = list((await connection.execute(SELECT)).scalars())
        await add(database, 1)
        assert list((await connection.execute(SELECT)).scalars()) == before == []


async def test_what_failed_is_rolled_back(database: Database) -> None:
    await add(database, 1)
    with pytest.raises(sa.exc.IntegrityError):
        await add(database, 2, 1)
    assert await numbers(database) == [1]
    await add(database, 2)


async def test_another_writer_holds_the_lock_from_the_first_statement(database: Database) -> None:
    other = database_at(database.url, METADATA)
    async with database.write.connect() as waiting:
        await waiting.exec_driver_sql("PRAGMA busy_timeout = 1")
    async with other.transaction() as connection:
        await connection.execute(SELECT)
        with pytest.raises(Unavailable):
            await add(database, 1)
    await add(database, 1)
    assert await numbers(database) == [1]
    await other.close()


async def test_a_cancelled_transaction_leaves_nothing_and_hinders_nobody(database: Database) -> None:
    async def hang() -> None:
        async with database.transaction() as connection:
            await connection.execute(sa.insert(THINGS), {"number": 7})
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(database, 1)
    assert await numbers(database) == [1]


async def test_a_long_result_is_streamed(database: Database, hops: list[str]) -> None:
    many = 2 * STREAMED_ROWS + 1
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), [{"number": number} for number in range(many)])
    assert len(await numbers(database)) == many
    hops.clear()
    async with database.snapshot() as connection:
        assert [row.number async for row in await connection.stream(SELECT)] == list(range(many))
    assert 4 <= len(hops) <= 7
