"""A transaction by the driver: all of it or nothing, and its connection serves the next one."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from kernel.adapters.database import POOL_SIZE
from kernel.adapters.disconnects import is_lost
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.adapters.postgres.driver import array_literal, literal
from kernel.core.faults import Unavailable
from tests.kit.until import within

INSERT = "INSERT INTO leases (name, owner, until) VALUES (:name, 'me', now())"
pytestmark = pytest.mark.parametrize("store_url", ["postgres"], indirect=True)


async def kept(store: PostgresDatabase) -> list[str]:
    async with store.reading() as connection:
        return sorted((await connection.execute(sa.text("SELECT name FROM leases"))).scalars())


async def test_the_opening_and_what_follows_are_one_transaction(store: PostgresDatabase) -> None:
    async with store.begun("INSERT INTO leases VALUES ('first', 'me', now())") as begun:
        assert begun.tag == "INSERT 0 1"
        await begun.fetch(INSERT, {"name": "second"})
        await begun.connection.execute(sa.text(INSERT), {"name": "third"})
        assert await kept(store) == []
    assert await kept(store) == ["first", "second", "third"]


async def twice(store: PostgresDatabase, name: str) -> None:
    async with store.begun("SELECT 1") as begun:
        await begun.fetch(INSERT, {"name": name})
        await begun.fetch(INSERT, {"name": name})


async def interrupted(store: PostgresDatabase) -> None:
    async with store.begun("SELECT 1") as begun:
        await begun.fetch(INSERT, {"name": "interrupted"})
        raise KeyError


async def swallowing(store: PostgresDatabase) -> None:
    async with store.begun("SELECT 1") as begun:
        await begun.fetch(INSERT, {"name": "first"})
        with pytest.raises(DBAPIError):
            await begun.fetch("SELECT 1 / 0", {})


async def cut(store: PostgresDatabase) -> None:
    async with store.begun("SELECT 1") as begun:
        other = await asyncpg.connect(store.url.replace("+asyncpg", ""))
        await other.execute("SELECT pg_terminate_backend($1)", begun.driver.get_server_pid())
        await other.close()
        await begun.fetch(INSERT, {"name": "lost"})


async def too_large(store: PostgresDatabase) -> None:
    async with store.begun("SELECT 1") as begun:
        await begun.fetch("SELECT CAST(:number AS bigint)", {"number": 2**70})


async def test_what_is_raised_takes_all_of_it_back(store: PostgresDatabase) -> None:
    with pytest.raises(IntegrityError):
        await twice(store, "same")
    with pytest.raises(KeyError):
        await interrupted(store)
    async with store.begun("SELECT 1") as begun:
        await begun.fetch(INSERT, {"name": "later"})
    assert await kept(store) == ["later"]


async def test_a_failure_that_was_swallowed_is_told_at_the_end(store: PostgresDatabase) -> None:
    with pytest.raises(DBAPIError):
        await swallowing(store)
    assert await kept(store) == []


async def test_a_cancelled_transaction_holds_nothing(store: PostgresDatabase) -> None:
    """Its lock is free for the next one at once, and nothing of it stays."""
    locked = asyncio.Event()

    async def hold() -> None:
        async with store.begun("SELECT pg_advisory_xact_lock(7)") as begun:
            await begun.fetch(INSERT, {"name": "cancelled"})
            locked.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    holding.cancel()
    await asyncio.wait([holding])
    async with store.begun("SELECT pg_advisory_xact_lock(7)"):
        assert await kept(store) == []


async def test_one_cancelled_while_it_rolls_back_is_not_used_again(
    store: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(_: object) -> bool:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("kernel.adapters.postgres.driver._rolled_back", cancelled)
        with pytest.raises(asyncio.CancelledError):
            await interrupted(store)
    for _ in range(20):
        async with store.begun("SELECT 1") as begun:
            await begun.fetch("SELECT 1", {})
    assert await kept(store) == []


async def test_many_at_once_are_each_their_own(store: PostgresDatabase) -> None:
    """More than connections are kept for."""

    async def one(number: int) -> None:
        async with store.begun("SELECT 1") as begun:
            await begun.fetch(INSERT, {"name": f"name-{number:02}"})
            await begun.connection.execute(sa.text("SELECT 1"))
            if number % 3 == 0:
                raise KeyError

    told = await asyncio.gather(*[one(number) for number in range(24)], return_exceptions=True)
    assert [type(error) for error in told if error is not None] == [KeyError] * 8
    assert await kept(store) == [f"name-{number:02}" for number in range(24) if number % 3]


async def test_a_cut_connection_is_unavailable(store: PostgresDatabase) -> None:
    with pytest.raises(Unavailable, match=r"database\.unavailable"):
        await cut(store)
    assert await kept(store) == []


async def test_a_value_that_does_not_fit_is_no_lost_connection(store: PostgresDatabase) -> None:
    """Else the reader that meets it would wait for its database for ever."""
    with pytest.raises(DBAPIError) as told:
        await too_large(store)
    assert not is_lost(told.value)


@pytest.mark.parametrize("text", ["plain", "it's", 'a "quoted" one', "back\\slash", "{a,b}", "NULL", "ünï", ""])
async def test_literals_are_the_texts_they_were(store: PostgresDatabase, text: str) -> None:
    async with store.begun(f"INSERT INTO leases VALUES ({literal(text)}, 'me', now())") as begun:
        found = await begun.fetch(f"SELECT CAST({array_literal([text, text])} AS text[])", {})
    assert await kept(store) == [text]
    assert found[0][0] == [text, text]


async def test_many_statements_at_once_leave_connections_for_transactions(store: PostgresDatabase) -> None:
    """Requests that each ask for the time at once must not keep the whole pool for single statements."""
    await asyncio.gather(*[store.rows("SELECT pg_sleep(0.1)", {}) for _ in range(4 * POOL_SIZE)])
    async with within(5):
        async with store.transaction() as one, store.transaction() as other:
            await one.execute(sa.text("SELECT 1"))
            await other.execute(sa.text("SELECT 1"))
        assert await store.rows("SELECT 1", {})
