"""Group commit on SQLite: those that wait together share a COMMIT; what fails is undone alone; a failed COMMIT undoes all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.opening import database_at
from kernel.adapters.sqlite import group
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.adapters.sqlite.driver import OneHopConnection, connection_of
from kernel.core.faults import Unavailable
from tests.kit.until import until

METADATA = sa.MetaData()
THINGS = sa.Table("things", METADATA, sa.Column("number", sa.Integer, primary_key=True))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = database_at(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", METADATA)
    assert isinstance(database, SqliteDatabase)
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found, commit = list[str](), OneHopConnection.commit

    def counted(self: OneHopConnection) -> None:
        found.append("commit")
        commit(self)

    monkeypatch.setattr(OneHopConnection, "commit", counted)
    return found


async def numbers(database: SqliteDatabase) -> list[int]:
    return [row[0] for row in await database.rows("SELECT number FROM things ORDER BY number", ())]


async def add(database: SqliteDatabase, number: int, error: BaseException | None = None) -> None:
    async with database.grouped() as connection:
        await connection_of(connection).direct("INSERT INTO things VALUES (?)", (number,), is_short=True)
        if error is not None:
            raise error


async def together(database: SqliteDatabase, *works: Any) -> list[BaseException | None]:
    """What came of transactions that all wait while another one is under way, which writes 0."""
    async with database.grouped() as connection:
        tasks = [asyncio.ensure_future(work) for work in works]
        await connection_of(connection).direct("INSERT INTO things VALUES (0)")
        await asyncio.sleep(0)
    results: list[BaseException | None] = await asyncio.gather(*tasks, return_exceptions=True)
    return results


async def test_those_that_wait_together_share_a_commit(database: SqliteDatabase, commits: list[str]) -> None:
    commits.clear()
    assert await together(database, *[add(database, each) for each in range(1, 6)]) == [None] * 5
    assert commits == ["commit"]
    assert await numbers(database) == [0, 1, 2, 3, 4, 5]


async def test_nobody_is_told_before_the_commit(database: SqliteDatabase) -> None:
    told = list[int]()

    async def tell(number: int) -> None:
        await add(database, number)
        told.append(number)
        assert {0, 1, 2} <= set(await numbers(database))

    async def last() -> None:
        async with database.grouped() as connection:
            await connection_of(connection).direct("INSERT INTO things VALUES (2)")
            assert told == []
            assert await numbers(database) == []

    assert await together(database, tell(1), last()) == [None, None]
    assert told == [1]


async def test_one_that_fails_is_undone_alone(database: SqliteDatabase) -> None:
    works = [add(database, 1), add(database, 2, ZeroDivisionError()), add(database, 1), add(database, 3)]
    results = await together(database, *works)
    assert [type(result) for result in results] == [type(None), ZeroDivisionError, sa.exc.IntegrityError, type(None)]
    assert await numbers(database) == [0, 1, 3]


async def test_the_first_that_fails_leaves_the_others_their_turn(database: SqliteDatabase) -> None:
    async def fails() -> None:
        async with database.grouped() as connection:
            tasks.append(asyncio.create_task(add(database, 2)))
            await connection_of(connection).direct("INSERT INTO things VALUES (1)")
            raise ZeroDivisionError

    tasks = list[asyncio.Task[None]]()
    with pytest.raises(ZeroDivisionError):
        await fails()
    await tasks[0]
    assert await numbers(database) == [2]


async def test_one_that_is_cancelled_is_undone_alone(database: SqliteDatabase) -> None:
    async def hang() -> None:
        async with database.grouped() as connection:
            await connection_of(connection).direct("INSERT INTO things VALUES (7)", is_short=True)
            inside.set()
            await asyncio.Event().wait()

    inside, hanging = asyncio.Event(), asyncio.create_task(hang())
    await inside.wait()
    waiting, given_up = asyncio.create_task(add(database, 1)), asyncio.create_task(add(database, 2))
    await asyncio.sleep(0)
    given_up.cancel()
    hanging.cancel()
    assert isinstance((await asyncio.gather(hanging, return_exceptions=True))[0], asyncio.CancelledError)
    await waiting
    assert await numbers(database) == [1]


async def test_a_cancelled_one_in_the_middle_takes_no_other_with_it(database: SqliteDatabase) -> None:
    async def hang() -> None:
        async with database.grouped() as connection:
            await connection_of(connection).direct("INSERT INTO things VALUES (7)", is_short=True)
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.Event().wait()

    results = await together(database, add(database, 1), hang(), add(database, 2))
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert await numbers(database) == [0, 1, 2]


async def test_where_the_commit_fails_none_has_happened_and_the_next_go_alone(
    database: SqliteDatabase, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, left = OneHopConnection.commit, [1]

    def full(self: OneHopConnection) -> None:
        if left:
            left.pop()
            self.rollback()
            raise sa.exc.OperationalError("COMMIT", None, Exception("database or disk is full"))
        commit(self)

    monkeypatch.setattr(OneHopConnection, "commit", full)

    async def first() -> None:
        async with database.grouped() as connection:
            tasks.extend(asyncio.create_task(add(database, each)) for each in (1, 2))
            await connection_of(connection).direct("INSERT INTO things VALUES (0)")

    tasks = list[asyncio.Task[None]]()
    with pytest.raises(Unavailable):
        await first()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert await numbers(database) == []
    commits.clear()
    assert await together(database, add(database, 1), add(database, 2)) == [None, None]
    assert commits == ["commit"] * 3


async def test_a_transaction_that_the_store_itself_rolled_back_undoes_its_group(database: SqliteDatabase) -> None:
    async def lost() -> None:
        async with database.grouped() as connection:
            await connection_of(connection).direct("ROLLBACK")

    async def first() -> None:
        async with database.grouped() as connection:
            tasks.extend(asyncio.create_task(work) for work in (add(database, 1), lost(), add(database, 2)))
            await connection_of(connection).direct("INSERT INTO things VALUES (0)")

    tasks = list[asyncio.Task[None]]()
    with pytest.raises(Unavailable):
        await first()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable, type(None)]
    assert await numbers(database) == [2]


@pytest.mark.parametrize("is_grouped", [True, False])
async def test_a_transaction_that_the_store_rolled_back_writes_no_more_and_is_not_told_as_committed(
    database: SqliteDatabase, is_grouped: bool
) -> None:
    async def first() -> None:
        async with database.grouped() if is_grouped else database.transaction() as connection:
            tasks.append(asyncio.create_task(add(database, 1)))
            raw = connection_of(connection)
            await raw.direct("INSERT INTO things VALUES (0)")
            await raw.direct("ROLLBACK")
            with pytest.raises(sa.exc.OperationalError, match="rolled back"):
                await raw.direct("INSERT INTO things VALUES (7)")

    tasks = list[asyncio.Task[None]]()
    with pytest.raises(Unavailable):
        await first()
    await asyncio.gather(*tasks, return_exceptions=True)
    await add(database, 2)
    assert {0, 7}.isdisjoint(await numbers(database))


async def test_a_group_is_bounded(
    database: SqliteDatabase, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "GROUP_LIMIT", 3)
    commits.clear()
    assert await together(database, *[add(database, each) for each in range(1, 7)]) == [None] * 6
    assert commits == ["commit"] * 3


async def test_a_group_that_is_old_takes_no_other(
    database: SqliteDatabase, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "GROUP_S", -1.0)
    commits.clear()
    assert await together(database, add(database, 1), add(database, 2)) == [None] * 2
    assert commits == ["commit"] * 3


async def test_who_waits_too_long_is_told(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "WAIT_S", 0.05)
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), {"number": 0})
        with pytest.raises(Unavailable):
            await add(database, 1)
    monkeypatch.setattr(group, "WAIT_S", 30.0)
    await add(database, 2)
    assert await numbers(database) == [0, 2]


async def test_a_transaction_alone_and_a_group_take_turns(database: SqliteDatabase) -> None:
    assert await together(database, alone(database, 5), add(database, 1), alone(database, 6)) == [None] * 3
    assert await numbers(database) == [0, 1, 5, 6]


async def alone(database: SqliteDatabase, number: int) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.insert(THINGS), {"number": number})


async def test_nothing_is_left_behind(database: SqliteDatabase) -> None:
    await together(database, add(database, 1), add(database, 2, ZeroDivisionError()))

    async def is_idle() -> bool:
        return not [task for task in asyncio.all_tasks() if task.get_name() == "group commit"]

    await until(is_idle)
    async with database.transaction() as connection:
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
