"""The SQLite driver: at most one hop for a statement, BEGIN travels with it; what fails or is cancelled leaves no transaction."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from threading import enumerate as enumerate_threads
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.sqlite.driver import AT_ONCE_ROWS, STREAMED_ROWS
from kernel.adapters.sqlite.line import Line
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.faults import Unavailable
from tests.kit.until import until
from tools.speed import patience

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


async def test_a_short_read_is_no_hop(database: Database, hops: list[str]) -> None:
    await numbers(database)
    hops.clear()
    assert await numbers(database) == []
    assert hops == []


async def test_a_long_read_is_given_up_by_the_loop_and_done_in_the_thread(database: Database, hops: list[str]) -> None:
    many = sa.text(
        "SELECT * FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT sum(i) FROM n)"
    )
    await numbers(database)
    hops.clear()
    async with database.reading() as connection:
        assert (await connection.execute(many)).scalar() == 100_000 * 100_001 // 2
    assert len(hops) == 1


async def test_a_transaction_is_a_hop_for_its_first_statement_and_one_for_commit(
    database: Database, hops: list[str]
) -> None:
    await add(database, 1)
    hops.clear()
    await add(database, 2, 3, 4)
    assert len(hops) == 2
    assert await numbers(database) == [1, 2, 3, 4]


async def test_many_inserted_rows_are_a_hop(database: Database, hops: list[str]) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), {"number": 0})
        hops.clear()
        await connection.execute(sa.insert(THINGS), [{"number": 1 + each} for each in range(AT_ONCE_ROWS + 1)])
        assert len(hops) == 1


async def test_a_statement_waits_for_what_a_cancelled_caller_left_under_way(tmp_path: Path) -> None:
    line, going = Line(str(tmp_path / "store.db")), threading.Event()
    await line.do(lambda connection: connection.execute("SELECT 1"))
    assert line.is_idle
    line.do(lambda _: going.wait(patience(10))).cancel()
    assert not line.is_idle
    going.set()
    await line.close()


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


async def test_an_error_of_any_kind_is_raised_where_the_work_was_asked_for(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no error of the database")

    line = Line(str(tmp_path / "store.db"))
    with pytest.raises(RuntimeError, match="no error of the database"):
        await asyncio.wait_for(line.do(fail), patience(5))
    assert await line.do(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    await line.close()


async def test_a_closed_connection_says_so(tmp_path: Path) -> None:
    line = Line(str(tmp_path / "store.db"))
    await line.close()
    with pytest.raises(sqlite3.ProgrammingError):
        await asyncio.wait_for(line.do(lambda _: None), patience(5))
    assert not line.is_in_transaction


async def test_a_connection_that_cannot_be_opened_keeps_no_thread(tmp_path: Path) -> None:
    before = threads()
    nowhere = tmp_path / "missing" / "store.db"
    database, bus = database_at(f"sqlite+aiosqlite:///{nowhere}", METADATA), SqliteBus(str(nowhere))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await bus.ensure_topics({"some.events.v1": 1})
        with pytest.raises(sa.exc.OperationalError):
            await numbers(database)
        await Line(str(nowhere)).close()

    async def are_gone() -> bool:
        return threads() <= before  # threads of a test before this one may still be ending

    await until(are_gone)
    await database.close()


async def test_a_transaction_that_could_not_begin_writes_nothing_outside_of_one(database: Database) -> None:
    other = database_at(database.url, METADATA)
    async with database.write.connect() as waiting:
        await waiting.exec_driver_sql("PRAGMA busy_timeout = 1")

    async def write() -> None:
        async with database.transaction() as connection:
            async with other.transaction() as holding:
                await holding.execute(SELECT)
                with pytest.raises(sa.exc.OperationalError):
                    await connection.execute(sa.insert(THINGS), {"number": 1})
            await connection.execute(sa.insert(THINGS), {"number": 2})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write()
    assert await numbers(database) == []
    await other.close()


def threads() -> set[threading.Thread]:
    return {thread for thread in enumerate_threads() if thread.name == "sqlite"}
