"""A service's database on PostgreSQL: one pool for both engines, and the driver for the statements every command waits for."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.bulk import BulkStatements, PrimaryKey, in_key_order, on_conflict
from kernel.adapters.connecting import connected
from kernel.adapters.database import POOL_SIZE, Database, Entry, GuardMove, WriteTransaction
from kernel.adapters.disconnects import translated
from kernel.adapters.postgres.driver import DriverPool, DriverTransaction
from kernel.adapters.postgres.opening import MOVE_BOUND, columns_of, opening

LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000


class PostgresDatabase(Database):
    """`read` is `write`'s pool in autocommit, which saves a single statement the round trips of BEGIN and ROLLBACK."""

    is_shared = True

    def __init__(
        self, url: str, metadata: sa.MetaData, role: str = "", password: Callable[[], str] | None = None
    ) -> None:
        """`role` is the role that sessions run as (`<service>_writer`); empty for the user that logs in (migrations).

        `password` is called for every new connection, so that a password can be rotated; None where the URL has one or none is
        needed.
        """
        write = _engine(url, role, password)
        super().__init__(url, metadata, write, write.execution_options(isolation_level="AUTOCOMMIT"))
        self._driver = DriverPool(self.read)

    async def rows(
        self, sql: str, values: Mapping[str, Any], connection: AsyncConnection | None = None
    ) -> Sequence[Any]:
        """One statement with `:names`, in the caller's transaction or by the driver and committed at once."""
        begun = self._driver.begun_on(connection) if connection is not None else None
        if begun is not None:
            return await begun.fetch(sql, values)
        if connection is not None:
            return (await connection.execute(sa.text(sql), values)).all()
        with translated():
            return await self._driver.fetch(sql, values)

    @asynccontextmanager
    async def begun(self, opening: str) -> AsyncIterator[DriverTransaction]:
        """A write transaction by the driver whose BEGIN travels with `opening`; Unavailable on a lost connection."""
        with translated():
            async with self._driver.begun(opening) as transaction:
                yield transaction

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            engine = self.write.execution_options(isolation_level="REPEATABLE READ")
            async with connected(engine) as connection:
                yield connection

    @asynccontextmanager
    async def reading_as(self, role: str, readers: Sequence[str]) -> AsyncIterator[AsyncConnection]:
        async with self.snapshot() as connection:
            with translated():
                await connection.execute(sa.text(f'SET LOCAL ROLE "{role}"'))
                setting = {"readers": json.dumps(readers)}
                await connection.execute(sa.text("SELECT set_config('app.readers', :readers, true)"), setting)
            yield connection

    @asynccontextmanager
    async def exclusive(self, name: str, entry: Entry | None = None) -> AsyncIterator[WriteTransaction]:
        async with self.begun(opening(name, entry)) as begun:
            yield _DriverWrites(begun, entry is not None and begun.tag == f"UPDATE {len(entry.moves)}")

    async def time(self, connection: AsyncConnection) -> datetime:
        now: datetime = (await connection.execute(sa.text("SELECT clock_timestamp()"))).scalar_one()
        return now

    async def upsert(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            ordered = in_key_order(table, rows)
            bound = {f"c_{name}": [row[name] for row in ordered] for name in ordered[0]}
            await connection.execute(on_conflict(_unnested(table, ordered), table, list(ordered[0])), bound)

    async def insert_missing(
        self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        await connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)

    async def move_guards(self, connection: AsyncConnection, consumer: str, moves: Sequence[GuardMove]) -> bool:
        arrays = dict(zip("abcdef", columns_of(moves), strict=True))
        done = await connection.execute(MOVE_BOUND, {"consumer": consumer, **arrays})
        return bool(done.rowcount == len(moves))

    async def lock_upgrade(self, connection: AsyncConnection, service: str) -> None:
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))")
        await connection.execute(lock, {"name": f"migrate {service}"})

    async def grant(self, connection: AsyncConnection, statements: Iterable[str]) -> None:
        for statement in statements:
            await connection.execute(sa.text(statement))

    async def has_roles(self, connection: AsyncConnection, names: Sequence[str]) -> bool:
        found = sa.text("SELECT count(*) FROM pg_roles WHERE rolname = ANY(CAST(:names AS text[]))")
        return bool((await connection.execute(found, {"names": list(names)})).scalar_one() == len(names))

    async def scrub(self) -> None:
        """Dead rows are VACUUM's, which the service's role may not call."""

    async def bound_log(self) -> None:
        """Does nothing: the server bounds its own log (max_wal_size)."""

    async def close(self) -> None:
        await self._driver.close()
        await self.write.dispose()


def _engine(url: str, role: str, password: Callable[[], str] | None) -> AsyncEngine:
    settings = {
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "jit": "off",
        "timezone": "UTC",
    } | ({"role": role} if role else {})
    arguments = {"server_settings": settings, "timeout": 5, "command_timeout": 90}
    return create_async_engine(
        url, pool_size=POOL_SIZE, max_overflow=POOL_SIZE, pool_timeout=10, pool_recycle=1800,
        hide_parameters=True,  # the text of an error is logged and parked, and values may be personal
        connect_args=arguments | ({"password": password} if password else {}),
    )  # fmt: skip


class _DriverWrites(WriteTransaction):
    """Set-wise statements by the driver: one round trip each, prepared once."""

    def __init__(self, begun: DriverTransaction, entered: bool) -> None:
        self.connection, self.entered, self._begun = begun.connection, entered, begun

    async def select(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> list[dict[str, Any]]:
        return [table.read(row) for row in await self._begun.fetch(*table.selecting(keys))]

    async def upsert(self, table: BulkStatements, columns: Mapping[str, list[Any]], add: Sequence[str]) -> None:
        await self._begun.fetch(*table.upserting(columns, add))

    async def delete(self, table: BulkStatements, keys: Sequence[PrimaryKey]) -> None:
        await self._begun.fetch(*table.deleting(keys))


def _unnested(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """INSERT ... SELECT FROM unnest(arrays): one statement of fixed text whatever the number of rows."""
    names = list(rows[0])
    arrays = [sa.bindparam(f"c_{name}", type_=postgresql.ARRAY(table.c[name].type, dimensions=1)) for name in names]
    if any(isinstance(table.c[name].type, postgresql.ARRAY | sa.ARRAY) for name in names):
        raise TypeError("unnest flattens array columns; store them as text or JSON")
    columns = sa.func.unnest(*arrays).table_valued(*names, name="u").render_derived()
    return postgresql.insert(table).from_select(names, sa.select(*[columns.c[name] for name in names]))
