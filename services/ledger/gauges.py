"""Gauges of the ledger: the bound of the provider's account, and how much work waits for finance."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.runtime import telemetry
from services.ledger.domain.accounts import Code
from services.ledger.domain.discrepancies import Origin
from services.ledger.tables import ACCOUNTS, CLEARING, DISCREPANCIES


async def clearing_overdrawn(connection: AsyncConnection) -> None:
    """The balance of `psp_clearing` is at least what is due less what is owed: by how much it is not. Alert
    ClearingOverdrawn reads it."""
    account = ACCOUNTS.outerjoin(CLEARING, CLEARING.c.currency == ACCOUNTS.c.currency)
    bound = sa.func.coalesce(CLEARING.c.due_minor - CLEARING.c.owed_minor, 0)
    balance = ACCOUNTS.c.debits_posted - ACCOUNTS.c.credits_posted
    query = sa.select(ACCOUNTS.c.currency, bound - balance).select_from(account)
    for currency, missing in await connection.execute(query.where(ACCOUNTS.c.code == Code.PSP_CLEARING.value)):
        telemetry.gauge("clearing_overdrawn_minor", max(0, missing), currency=currency)


async def discrepancies_open(connection: AsyncConnection) -> None:
    """How many discrepancies wait for finance. Alert DiscrepanciesOpen reads it."""
    query = sa.select(DISCREPANCIES.c.origin, sa.func.count().label("open")).group_by(DISCREPANCIES.c.origin)
    found = {row.origin: row.open for row in await connection.execute(query)}
    for origin in Origin:
        telemetry.gauge("discrepancies_open", found.get(origin.value, 0), origin=origin.value)


GAUGES = (clearing_overdrawn, discrepancies_open)
