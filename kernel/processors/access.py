"""Reading as a caller: read rows carry `readers`, queries filter by it, and PostgreSQL's row-level security repeats it."""

from contextlib import AbstractAsyncContextManager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import shares_text
from kernel.core.decider import Actor

PUBLIC = "public"
"""A reader that every authenticated caller is."""


def readers_of(actor: Actor) -> list[str]:
    return sorted({actor.tenant, PUBLIC, *(f"role:{role}" for role in actor.roles)})


def may_read(table: sa.FromClause, actor: Actor) -> sa.ColumnElement[bool]:
    """The filter that every query on a table with `readers` carries: row and caller share a reader."""
    return shares_text(table.c.readers, readers_of(actor))


def reading_as(database: Database, service: str, actor: Actor) -> AbstractAsyncContextManager[AsyncConnection]:
    """A read transaction bound to the caller: on PostgreSQL role `<service>_query` under row-level security."""
    return database.reading_as(f"{service}_query", readers_of(actor))
