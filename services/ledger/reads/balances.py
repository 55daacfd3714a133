"""Balances, statements and the trial balance, now or as recorded at a past moment, as far as the caller may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.edge.page_tokens import Cursor
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.ledger.domain.accounts import Account, Code, Side
from services.ledger.tables import BALANCES, HELD_ESCROWS, STATEMENT_LINES

SERVICE = "ledger"
BALANCES_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Totals:
    """All accounts of one code and currency together, posted amounts only."""

    account: str
    currency: str
    debits_minor: int
    credits_minor: int
    accounts: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statement lines: empty text is any; times are [from, until)."""

    owner: str
    account: str = ""
    currency: str = ""
    campaign_id: str = ""
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None
    falling: bool = False


@dataclass(frozen=True, slots=True)
class BalanceReads:
    """Reads as the caller who asks."""

    database: Database

    async def balances(self, owner: str, currency: str, as_of: datetime | None, actor: Actor) -> list[Account]:
        """At most 1,000 accounts of an organisation, by account and currency; of the past only what was posted."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            if as_of is not None:
                return await _past(connection, owner, currency, as_of, actor)
            table = BALANCES
            where = [table.c.owner == owner, may_read(table, actor)]
            where += [table.c.currency == currency] if currency else []
            query = sa.select(table).where(*where).order_by(table.c.account, table.c.currency).limit(BALANCES_LIMIT)
            return [_account(row) for row in (await connection.execute(query)).mappings()]

    async def in_escrow(self, owner: str, currency: str, actor: Actor) -> dict[str, int]:
        """Minor units per currency held for or from the organisation."""
        table = HELD_ESCROWS
        async with reading_as(self.database, SERVICE, actor) as connection:
            mine = (table.c.brand_id == owner) | (table.c.creator_id == owner)
            where = [mine, may_read(table, actor)] + ([table.c.currency == currency] if currency else [])
            held = bounded_sum(table.c.held_minor)
            query = sa.select(table.c.currency, held).where(*where).group_by(table.c.currency)
            rows = (await connection.execute(query.order_by(table.c.currency))).all()
        return {name: int(minor) for name, minor in rows}

    async def statement(self, wanted: Wanted, after: Cursor | None, size: int, actor: Actor) -> Page:
        """A page of lines, in the order in which they were posted."""
        table = STATEMENT_LINES
        order = Keyset(table.c.position, table.c.line, falling=wanted.falling)
        async with reading_as(self.database, SERVICE, actor) as connection:
            where = [table.c.owner == wanted.owner, may_read(table, actor), *_filters(wanted)]
            return await order.read(connection, sa.select(table).where(*where), after, size)

    async def trial_balance(self, currency: str, as_of: datetime | None, actor: Actor) -> list[Totals]:
        """Per account code and currency. The caller is staff: nothing is filtered but by its readers."""
        async with reading_as(self.database, SERVICE, actor) as connection:
            if as_of is None:
                return await _totals_now(connection, currency, actor)
            return await _totals_past(connection, currency, as_of, actor)


def _filters(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    table, found = STATEMENT_LINES, list[sa.ColumnElement[bool]]()
    for name in ("account", "currency", "campaign_id"):
        if value := getattr(wanted, name):
            found.append(table.c[name] == value)
    if wanted.recorded_from is not None:
        found.append(table.c.recorded_at >= wanted.recorded_from)
    if wanted.recorded_until is not None:
        found.append(table.c.recorded_at < wanted.recorded_until)
    return found


def _account(row: Any) -> Account:
    debits, credits = (row["debits_pending"], row["debits_posted"]), (row["credits_pending"], row["credits_posted"])
    return Account(row["currency"], row["account"], row["owner"], *debits, *credits, bool(row["closed"]))


async def _past(connection: AsyncConnection, owner: str, currency: str, as_of: datetime, actor: Actor) -> list[Account]:
    table = STATEMENT_LINES
    where = [table.c.owner == owner, table.c.recorded_at <= as_of, may_read(table, actor)]
    where += [table.c.currency == currency] if currency else []
    query = (
        sa.select(table.c.account, table.c.currency, bounded_sum(table.c.amount_minor).label("net"))
        .where(*where)
        .group_by(table.c.account, table.c.currency)
        .order_by(table.c.account, table.c.currency)
        .limit(BALANCES_LIMIT)
    )
    rows = (await connection.execute(query)).mappings()
    return [_standing(row["currency"], row["account"], owner, int(row["net"])) for row in rows]


def _standing(currency: str, code: str, owner: str, net_minor: int) -> Account:
    """An account of which only the net balance is known."""
    debit = (Account(currency, code, owner).kind.side is Side.DEBIT) == (net_minor >= 0)
    debits, credits = (abs(net_minor), 0) if debit else (0, abs(net_minor))
    return Account(currency, code, owner, debits_posted=debits, credits_posted=credits)


async def _totals_now(connection: AsyncConnection, currency: str, actor: Actor) -> list[Totals]:
    table = BALANCES
    where = [may_read(table, actor)] + ([table.c.currency == currency] if currency else [])
    sums = [bounded_sum(table.c.debits_posted), bounded_sum(table.c.credits_posted), sa.func.count()]
    query = sa.select(table.c.account, table.c.currency, *sums).where(*where)
    query = query.group_by(table.c.account, table.c.currency).order_by(table.c.currency, table.c.account)
    rows = (await connection.execute(query)).all()
    return [Totals(code, name, int(debits), int(credits), count) for code, name, debits, credits, count in rows]


async def _totals_past(connection: AsyncConnection, currency: str, as_of: datetime, actor: Actor) -> list[Totals]:
    table = STATEMENT_LINES
    where = [table.c.recorded_at <= as_of, may_read(table, actor)]
    where += [table.c.currency == currency] if currency else []
    amount = table.c.amount_minor
    sums = [
        bounded_sum(sa.case((amount > 0, amount), else_=0)),
        bounded_sum(sa.case((amount < 0, -amount), else_=0)),
        sa.func.count(sa.distinct(table.c.owner)),
    ]
    query = sa.select(table.c.account, table.c.currency, *sums).where(*where)
    query = query.group_by(table.c.account, table.c.currency).order_by(table.c.currency, table.c.account)
    rows = (await connection.execute(query)).all()
    return [_sided(code, name, int(grown), int(shrunk), count) for code, name, grown, shrunk, count in rows]


def _sided(code: str, currency: str, grown: int, shrunk: int, accounts: int) -> Totals:
    debit = Account(currency, Code(code).value, "").kind.side is Side.DEBIT
    return Totals(code, currency, grown if debit else shrunk, shrunk if debit else grown, accounts)
