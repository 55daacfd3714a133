"""Amounts that are meant to spoil a sum: bounded where they come in, and harmless to every other tenant where they are added."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.core.bounds import SUM_LIMIT
from kernel.core.decider import Actor
from kernel.core.faults import Invalid, Refused
from kernel.core.money import DIGITS, LIMIT_MINOR
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.transfers import check_bounds
from services.ledger.reads.balances import BalanceReads
from services.ledger.tables import AMOUNTS, BALANCES, HELD_ESCROWS, STATEMENT_LINES
from services.metrics.domain.intake import checked_values, from_columns
from services.metrics.domain.order.changes import check_change
from services.metrics.domain.order.commands import AmendOrder
from services.metrics.domain.order.worth import ORDER_LIMIT_MAJOR, WEAKER, WIDEST_MINOR, check_amount, limit_minor
from services.metrics.settings import MetricsSettings

REFUND = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize("currency", sorted(DIGITS))
def test_an_order_has_the_size_of_commerce(currency: str) -> None:
    limit = limit_minor(currency)
    check_amount(0, currency)
    check_amount(limit, currency)
    for amount in (limit + 1, 10**15, -1):
        with pytest.raises(Invalid, match=r"order\.amount_out_of_range"):
            check_amount(amount, currency)


def test_bounds_are_data_and_a_setting() -> None:
    assert WEAKER.keys() <= DIGITS.keys()
    assert (limit_minor("CNY"), limit_minor("JPY"), limit_minor("CNY", 5)) == (10**9, 5 * 10**8, 500)
    assert MetricsSettings.model_fields["order_limit_major"].default == ORDER_LIMIT_MAJOR
    assert WIDEST_MINOR < LIMIT_MINOR


@pytest.mark.parametrize(("currency", "amount"), [("CNY", 10**9 + 1), ("", WIDEST_MINOR + 1)], ids=["known", "to_come"])
def test_an_amendment_is_no_way_round(currency: str, amount: int) -> None:
    check_change(AmendOrder(REFUND, amount - 1), currency)
    with pytest.raises(Invalid, match=r"order\.amount_out_of_range"):
        check_change(AmendOrder(REFUND, amount), currency)


def test_a_counter_has_the_size_of_what_people_do() -> None:
    limit = MetricsSettings.model_fields["counter_limit"].default
    columns = {
        "content_id": [REFUND] * 2, "metric": ["likes"] * 2, "observed_at": ["2026-01-01T00:00:00Z"] * 2,
    }  # fmt: skip
    checked_values(from_columns({**columns, "value": [0, limit]}), limit)
    with pytest.raises(Invalid, match=r"observation\.value_too_large"):
        checked_values(from_columns({**columns, "value": [0, limit + 1]}), limit)


def test_one_brands_unpaid_charges_do_not_fill_the_account_that_all_share() -> None:
    brand = Account("CNY", Code.BRAND_AVAILABLE.value, "brand-1", credits_pending=LIMIT_MINOR)
    check_bounds({("b",): brand})
    with pytest.raises(Refused, match=r"account\.too_large"):
        check_bounds({("b",): replace(brand, credits_pending=LIMIT_MINOR + 1)})
    shared = Account("CNY", Code.PSP_CLEARING.value, "psp", debits_pending=SUM_LIMIT)
    check_bounds({("s",): shared})
    with pytest.raises(Refused, match=r"account\.too_large"):
        check_bounds({("s",): replace(shared, debits_pending=SUM_LIMIT + 1)})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    store = SqliteDatabase(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", BALANCES.metadata)
    async with store.transaction() as connection:
        await connection.run_sync(BALANCES.metadata.create_all)
    yield store
    await store.close()


async def put(store: SqliteDatabase, table: sa.Table, **row: Any) -> None:
    texts = {column.name: "x" for column in table.columns if isinstance(column.type, sa.Text)}
    async with store.transaction() as connection:
        await connection.execute(
            sa.insert(table).values(texts | row | {"currency": "CNY", "readers": ["role:auditor"]})
        )


async def test_the_balances_of_all_are_told_whatever_they_add_up_to(store: SqliteDatabase) -> None:
    """Sums over accounts, lines and escrows stand still at their bound: one that is past 64 bits stops nobody's question."""
    most, staff, at = SUM_LIMIT - 1, Actor("ada", "platform", frozenset({"auditor"})), datetime(2026, 1, 1, tzinfo=UTC)
    sums, brand = dict.fromkeys(AMOUNTS, most), {"account": "brand_available"}
    for n in range(3):
        await put(store, BALANCES, owner=f"b{n}", closed=False, **sums, **brand)
        await put(store, HELD_ESCROWS, deliverable_id=str(n), brand_id="b", held_minor=most)
        line = {"position": 1, "line": n, "recorded_at": at, "amount_minor": most, "balance_minor": most}
        await put(store, STATEMENT_LINES, owner="b", **line, **brand)
    reads = BalanceReads(store)
    assert await reads.in_escrow("b", "CNY", staff) == {"CNY": SUM_LIMIT}
    for moment in (None, at):
        (total,) = await reads.trial_balance("CNY", moment, staff)
        assert total.credits_minor == SUM_LIMIT
    (standing,) = await reads.balances("b", "CNY", at, staff)
    assert standing.credits_posted == SUM_LIMIT
