"""One service's database: engines for SQLite and PostgreSQL, the kernel's tables, and one place that names lost connections."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.disconnects import translated
from kernel.adapters.driver import DriverPool, DriverTransaction
from kernel.runtime.settings import Settings

LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000
POOL_SIZE = 8


class Database:
    """Engines of one service's database. On SQLite one connection writes (writers queue for it) and a pool reads."""

    def __init__(
        self, url: str, metadata: sa.MetaData, role: str = "", password: Callable[[], str] | None = None
    ) -> None:
        """`role`: what PostgreSQL sessions run as (`<service>_writer`); empty: as the user that logs in (migrations).

        `password` is asked for every new connection, so that it can be rotated; None: the URL has it, or none is needed.
        """
        self.url = url
        self.metadata = metadata
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self.write = _sqlite_engine(url, "BEGIN IMMEDIATE", pool_size=1)
            self.read = _sqlite_engine(url, "BEGIN", pool_size=POOL_SIZE)
        else:
            self.write = _postgres_engine(url, role, password)
            self.read = self.write.execution_options(isolation_level="AUTOCOMMIT")
        self._direct = DriverPool(self.read)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A write transaction; on SQLite it holds the write lock from its first moment. Lost connections: Unavailable."""
        with translated():
            async with self.write.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For single statements: on PostgreSQL without a transaction, as its BEGIN and ROLLBACK are two round trips more."""
        with translated():
            async with self.read.connect() as connection:
                yield connection

    async def rows(
        self, sql: str, values: Mapping[str, Any], connection: AsyncConnection | None = None
    ) -> Sequence[Any]:
        """PostgreSQL: one statement with `:names`, in the caller's transaction or by the driver and committed at once."""
        begun = self._direct.begun_on(connection) if connection is not None else None
        if begun is not None:
            return await begun.fetch(sql, values)
        if connection is not None:
            return (await connection.execute(sa.text(sql), values)).all()
        with translated():
            return await self._direct.fetch(sql, values)

    @asynccontextmanager
    async def begun(self, opening: str) -> AsyncIterator[DriverTransaction]:
        """PostgreSQL: a write transaction by the driver whose BEGIN travels with `opening`. Lost connections: Unavailable."""
        with translated():
            async with self._direct.begun(opening) as transaction:
                yield transaction

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A read transaction: all its statements see the same rows."""
        with translated():
            if self.is_sqlite:
                async with self.read.connect() as connection:
                    yield connection
            else:
                engine = self.write.execution_options(isolation_level="REPEATABLE READ")
                async with engine.connect() as connection:
                    yield connection

    async def close(self) -> None:
        await self._direct.close()
        await self.write.dispose()
        if self.is_sqlite:
            await self.read.dispose()


def _sqlite_engine(url: str, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=30, connect_args={"isolation_level": None, "timeout": 30}
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin_now(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: str, role: str, password: Callable[[], str] | None) -> AsyncEngine:
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
        connect_args=arguments | ({"password": password} if password else {}),
    )  # fmt: skip


def open_database(settings: Settings, metadata: sa.MetaData, role: str = "") -> Database:
    """The service's database as the user of its URL, sessions as `role`; raises OSError without the password's file."""
    return Database(settings.database_url, metadata, role, settings.database_password())
