"""Keyset pages: whatever the order, pages put together are the list; what changes elsewhere moves nothing."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from kernel.adapters.schema import UtcTime
from kernel.core.faults import Invalid
from kernel.processors.keyset import Keyset, chosen

ROWS = sa.Table(
    "rows",
    sa.MetaData(),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("id", sa.Text, primary_key=True),
)
NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LIST: list[dict[str, Any]] = [
    {"at": NOW + timedelta(microseconds=at), "amount": amount, "id": f"{number:02}"}
    for number, (at, amount) in enumerate(itertools.product(range(3), (1, 1, 2, 7)))
]


@pytest.fixture
async def connection() -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as opened:
        await opened.run_sync(ROWS.metadata.create_all)
        await opened.execute(ROWS.insert(), LIST)
        yield opened
    await engine.dispose()


async def walked(connection: AsyncConnection, order: Keyset, size: int) -> list[dict[str, Any]]:
    found, cursor = list[dict[str, Any]](), None
    while True:
        page = await order.read(connection, sa.select(ROWS), cursor, size)
        assert len(page.rows) <= size
        found += page.rows
        if page.next is None:
            return found
        assert all(isinstance(value, str | int) for value in page.next), "a cursor travels as JSON"
        cursor = page.next


@pytest.mark.parametrize("falling", list(itertools.product((False, True), repeat=3)))
@pytest.mark.parametrize("size", [1, 5, len(LIST), len(LIST) + 1])
async def test_pages_are_the_list(connection: AsyncConnection, falling: tuple[bool, ...], size: int) -> None:
    names = ("at", "amount", "id")
    expected = list(LIST)
    for name, falls in reversed(list(zip(names, falling, strict=True))):
        expected.sort(key=itemgetter(name), reverse=falls)
    order = Keyset(*(ROWS.c[name] for name in names), falling=falling)
    assert await walked(connection, order, size) == expected


async def test_a_row_that_comes_or_goes_elsewhere_moves_no_other(connection: AsyncConnection) -> None:
    order = Keyset(ROWS.c.at, ROWS.c.id, falling=True)
    first = await order.read(connection, sa.select(ROWS), None, 4)
    await connection.execute(ROWS.delete().where(ROWS.c.id == first.rows[0]["id"]))
    await connection.execute(ROWS.insert().values(at=NOW + timedelta(days=1), amount=1, id="99"))
    second = await order.read(connection, sa.select(ROWS), first.next, 4)
    assert [row["id"] for row in first.rows + second.rows] == [f"{number:02}" for number in range(11, 3, -1)]


async def test_one_direction_is_one_row_value_comparison(connection: AsyncConnection) -> None:
    """An index serves it."""
    query = Keyset(ROWS.c.at, ROWS.c.id, falling=True).applied(sa.select(ROWS), (NOW.isoformat(), "01"))
    assert "(rows.at, rows.id) < (" in str(query)
    assert " OR " not in str(query)


def test_an_order_is_one_of_the_known() -> None:
    known = ("made_at", "made_at desc", "size desc")
    assert chosen("", known) == ("made_at", False)
    assert chosen("", known, default="made_at desc") == ("made_at", True)
    assert chosen("size desc", known) == ("size", True)
    with pytest.raises(Invalid) as refused:
        chosen("size", known)
    assert (refused.value.code, refused.value.facts["known"]) == (
        "order_by.unknown",
        "made_at, made_at desc, size desc",
    )
