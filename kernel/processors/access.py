"""Access to read models: rows carry `readers`, every query filters by them, and row-level security repeats the filter."""

from contextlib import AbstractAsyncContextManager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import shares_text
from kernel.core.decider import Actor
from kernel.core.faults import Forbidden
from kernel.core.ids import PUBLIC, is_tenant, role_reader


def readers_of(actor: Actor) -> list[str]:
    """Readers that an actor stands for: its tenant, each of its roles, and `public`.

    A tenant of another form stands for nobody: it could be read as a role. Raises Forbidden `actor.tenant_malformed`.
    """
    if not is_tenant(actor.tenant):
        raise Forbidden("actor.tenant_malformed")
    return sorted({actor.tenant, PUBLIC, *map(role_reader, actor.roles)})


def may_read(table: sa.FromClause, actor: Actor) -> sa.ColumnElement[bool]:
    """Filter of every query on a table with `readers`: the row and the caller have a reader in common."""
    return shares_text(table.c.readers, readers_of(actor))


def reading_as(database: Database, service: str, actor: Actor) -> AbstractAsyncContextManager[AsyncConnection]:
    """Read transaction as the caller: on PostgreSQL with role `<service>_query` and row-level security."""
    return database.reading_as(f"{service}_query", readers_of(actor))
