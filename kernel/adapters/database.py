"""One service's database: engines for SQLite and PostgreSQL, the kernel's tables, and one place that names lost connections."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kernel.adapters.direct import Begun, Direct
from kernel.adapters.gone import is_closed_handle
from kernel.core.errors import Unavailable
from kernel.runtime.settings import Settings

LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 10_000
STATEMENT_TIMEOUT_MS = 60_000
POOL_SIZE = 8


class UtcTime(sa.types.TypeDecorator[datetime]):
    """timestamptz on PostgreSQL; on SQLite RFC 3339 text with microseconds, which sorts as time does."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        kind = sa.Text() if dialect.name == "sqlite" else postgresql.TIMESTAMP(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return utc_text(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def define(metadata: sa.MetaData) -> None:
    """Adds the kernel's own tables: the log, its head, the relay's checkpoint, guards, parked events, deadlines, leases."""
    text, big = sa.Text, sa.BigInteger
    sa.Table("log", metadata, sa.Column("one", sa.SmallInteger, sa.CheckConstraint("one = 1"), primary_key=True),
             sa.Column("head", big, nullable=False), sa.Column("at", UtcTime, nullable=False))  # fmt: skip
    sa.Table(
        "log_events", metadata,
        sa.Column("position", big, primary_key=True, autoincrement=False),
        sa.Column("tenant", text, nullable=False), sa.Column("stream", text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False), sa.Column("partition", sa.Integer),
        sa.Column("name", text, nullable=False), sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("meta", sa.LargeBinary, nullable=False), sa.Column("command", text),
        sa.Column("recorded_at", UtcTime, nullable=False),
        sa.UniqueConstraint("stream", "version", name="log_events_stream_version"),
        sa.UniqueConstraint("stream", "command", name="log_events_stream_command"),
    )  # fmt: skip
    sa.Table("relay_checkpoint", metadata, sa.Column("name", text, primary_key=True),
             sa.Column("position", big, nullable=False), sa.Column("last", text, nullable=False))  # fmt: skip
    sa.Table(
        "guards", metadata, sa.Column("consumer", text, primary_key=True), sa.Column("source", text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True), sa.Column("next_offset", big, nullable=False),
        sa.Column("last_position", big, nullable=False),
    )  # fmt: skip
    sa.Table(
        "parked", metadata, sa.Column("consumer", text, primary_key=True), sa.Column("source", text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True), sa.Column("offset", big, primary_key=True),
        sa.Column("key", text, nullable=False), sa.Column("position", big, nullable=False),
        sa.Column("type", text, nullable=False), sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.LargeBinary, nullable=False), sa.Column("reason", text, nullable=False),
        sa.Column("parked_at", UtcTime, nullable=False), sa.Index("parked_key", "consumer", "key"),
    )  # fmt: skip
    sa.Table(
        "deadlines", metadata, sa.Column("stream", text, primary_key=True), sa.Column("name", text, primary_key=True),
        sa.Column("due_at", UtcTime, nullable=False), sa.Column("command", text, nullable=False),
        sa.Column("data", text, nullable=False), sa.Index("deadlines_due_at", "due_at"),
    )  # fmt: skip
    sa.Table("leases", metadata, sa.Column("name", text, primary_key=True), sa.Column("owner", text, nullable=False),
             sa.Column("until", UtcTime, nullable=False))  # fmt: skip
    sa.Table("projections", metadata, sa.Column("name", text, primary_key=True),
             sa.Column("generation", sa.Integer, nullable=False), sa.Column("version", sa.Integer, nullable=False))  # fmt: skip


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
        self._direct = Direct(self.read)

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
    async def begun(self, opening: str) -> AsyncIterator[Begun]:
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


class translated:  # noqa: N801 - reads as a clause: `with translated():`
    """Turns every form of a lost or busy database into Unavailable `database.unavailable`; other errors pass."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_lost(error):
            raise Unavailable("database.unavailable", why=type(error).__name__) from error


def is_lost(error: BaseException) -> bool:
    """Whether the outcome of the statement is unknown or a retry may succeed (reliability: asyncpg's many forms of it)."""
    if isinstance(error, IntegrityError):
        return False
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        return lost or _is_passing(error.orig) or _sqlite_busy(error)
    if _is_passing(error) or is_closed_handle(error):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    driver = {"InternalClientError", "ConnectionDoesNotExistError", "InterfaceError", "ConnectionFailureError"}
    return isinstance(error, OSError | TimeoutError) or not names.isdisjoint(driver)


def _is_passing(error: BaseException | None) -> bool:
    """By SQLSTATE class: connection, login (a password that is being rotated), resources, the server's end, rollback,
    locks, a transaction's state."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return state[:2] in {"08", "28", "53", "57", "40", "55", "25"}


def _sqlite_busy(error: DBAPIError) -> bool:
    message = str(error.orig)
    return isinstance(error, OperationalError) and any(word in message for word in ("locked", "disk", "full", "I/O"))


async def upsert(
    connection: AsyncConnection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
) -> None:
    """One set-wise upsert by primary key: columns in `add` are summed onto the stored ones, the others replaced.

    Rows must have the same keys and distinct primary keys. They are sorted by key: unsorted upserts deadlocked.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    ordered = sorted(rows, key=lambda row: tuple(row[key] for key in keys))
    if connection.dialect.name == "postgresql":
        statement, bound = (
            _unnested(table, ordered),
            {f"c_{name}": [row[name] for row in ordered] for name in ordered[0]},
        )
        await connection.execute(_on_conflict(statement, table, keys, list(ordered[0]), add), bound)
    else:
        insert = sqlite.insert(table)
        await connection.execute(
            _on_conflict(insert, table, keys, list(ordered[0]), add), [dict(row) for row in ordered]
        )


def _unnested(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """INSERT ... SELECT FROM unnest(arrays): one statement of fixed text whatever the number of rows."""
    names = list(rows[0])
    arrays = [sa.bindparam(f"c_{name}", type_=postgresql.ARRAY(table.c[name].type, dimensions=1)) for name in names]
    if any(isinstance(table.c[name].type, postgresql.ARRAY | sa.ARRAY) for name in names):
        raise TypeError("unnest flattens array columns; store them as text or JSON")
    columns = sa.func.unnest(*arrays).table_valued(*names, name="u").render_derived()
    return postgresql.insert(table).from_select(names, sa.select(*[columns.c[name] for name in names]))


def _on_conflict(insert: Any, table: sa.Table, keys: list[str], names: list[str], add: Sequence[str]) -> Any:
    values = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in names
        if name not in keys
    }
    if not values:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(index_elements=keys, set_=values)
