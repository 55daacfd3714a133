"""Reading as a caller: read rows carry `readers`, queries filter by it, and PostgreSQL's row-level security repeats it."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.disconnects import translated
from kernel.core.decider import Actor

PUBLIC = "public"
"""A reader that every authenticated caller is."""


class RowReaders(sa.types.TypeDecorator[list[str]]):
    """Who may read the row: tenant ids, `role:<role>`, `public`. A sorted JSON list (jsonb on PostgreSQL)."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(postgresql.JSONB() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: sa.Dialect) -> Any:
        readers = sorted(set(value or ()))
        return readers if dialect.name == "postgresql" else json.dumps(readers)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> list[str]:
        return list(value) if isinstance(value, list) else json.loads(value)


def readers_of(actor: Actor) -> list[str]:
    return sorted({actor.tenant, PUBLIC, *(f"role:{role}" for role in actor.roles)})


def may_read(connection: AsyncConnection, table: sa.FromClause, actor: Actor) -> sa.ColumnElement[bool]:
    """The filter that every query on a table with `readers` carries: row and caller share a reader."""
    wanted = readers_of(actor)
    if connection.dialect.name == "postgresql":
        column = sa.type_coerce(table.c.readers, postgresql.JSONB())
        return column.op("?|", return_type=sa.Boolean())(sa.cast(wanted, postgresql.ARRAY(sa.Text())))
    each = sa.func.json_each(sa.type_coerce(table.c.readers, sa.Text())).table_valued("value")
    return sa.exists(sa.select(1).select_from(each).where(each.c.value.in_(wanted)))


@asynccontextmanager
async def reading_as(database: Database, service: str, actor: Actor) -> AsyncIterator[AsyncConnection]:
    """A read transaction bound to the caller: on PostgreSQL role `<service>_query` under row-level security."""
    async with database.snapshot() as connection:
        if not database.is_sqlite:
            with translated():
                await connection.execute(sa.text(f'SET LOCAL ROLE "{service}_query"'))
                setting = {"readers": json.dumps(readers_of(actor))}
                await connection.execute(sa.text("SELECT set_config('app.readers', :readers, true)"), setting)
        yield connection
