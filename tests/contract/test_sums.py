"""Sums over many events: exact for money, still at their bound for counters, and never an error that stops others."""

import pytest
import sqlalchemy as sa

from kernel.adapters.bulk import BulkStatements
from kernel.adapters.database import Database
from kernel.adapters.schema import ExactSum, bounded_sum
from kernel.core.bounds import SUM_LIMIT, saturated
from kernel.processors.projector import Target

HUGE = sa.Table(
    "huge", sa.MetaData(), sa.Column("key", sa.Text, primary_key=True), sa.Column("grp", sa.Text, nullable=False),
    sa.Column("counted", sa.BigInteger, nullable=False), sa.Column("money", ExactSum, nullable=False),
)  # fmt: skip
BIG = 10**18


async def put(store: Database, rows: list[tuple[str, str, int, int]], add: tuple[str, ...] = ()) -> None:
    async with store.exclusive("sums") as transaction:
        target = Target(transaction, {"huge": BulkStatements(HUGE, [column.name for column in HUGE.columns])})
        names = [column.name for column in HUGE.columns]
        await target.upsert(HUGE, [dict(zip(names, row, strict=True)) for row in rows], add=add)
        found = await target.rows(HUGE, [(row[0],) for row in rows])
        assert {key[0] for key in found} == {row[0] for row in rows}


@pytest.fixture
async def store_of_sums(store: Database) -> Database:
    async with store.transaction() as connection:
        await connection.run_sync(HUGE.metadata.create_all)
    return store


async def test_a_sum_past_64_bits_stands_still(store_of_sums: Database) -> None:
    rows = [(str(n), "same", 3 * BIG, 7 * BIG * BIG) for n in range(5)]
    rows += [("a", "less", -5, -7), ("b", "less", 3, 2 * BIG), ("c", "more", -3 * BIG, 0), ("d", "more", -3 * BIG, 0)]
    await put(store_of_sums, rows)
    query = sa.select(HUGE.c.grp, bounded_sum(HUGE.c.counted), bounded_sum(HUGE.c.money)).group_by(HUGE.c.grp)
    async with store_of_sums.reading() as connection:
        found = {row[0]: (row[1], row[2]) for row in await connection.execute(query)}
        none = (await connection.execute(sa.select(bounded_sum(HUGE.c.counted)).where(HUGE.c.grp == "x"))).scalar_one()
    assert found == {
        "same": (SUM_LIMIT, SUM_LIMIT), "less": (-2, 2 * BIG - 7), "more": (-SUM_LIMIT, 0),
    }  # fmt: skip
    assert none == 0


async def test_money_is_exact_whatever_its_size_and_counters_stop_at_their_bound(store_of_sums: Database) -> None:
    most = 10**30 + 7
    await put(store_of_sums, [("k", "g", SUM_LIMIT - 1, most)])
    await put(store_of_sums, [("k", "g", BIG, -most)], add=("counted",))
    async with store_of_sums.reading() as connection:
        row = (await connection.execute(sa.select(HUGE))).one()
    assert (row.counted, row.money) == (SUM_LIMIT, -most)
    assert (saturated(SUM_LIMIT + 1), saturated(-SUM_LIMIT - 1), saturated(5)) == (SUM_LIMIT, -SUM_LIMIT, 5)
