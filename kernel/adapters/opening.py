"""The one place that chooses adapters by URL: the database (`sqlite+aiosqlite:///file`, `postgresql+asyncpg://...`), the bus."""

from collections.abc import Callable

import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.core.faults import Internal
from kernel.runtime.settings import Settings


def open_database(settings: Settings, metadata: sa.MetaData, role: str = "") -> Database:
    """The service's database as the user of its URL, sessions as `role`; raises OSError without the password's file."""
    return database_at(settings.database_url, metadata, role, settings.database_password())


def database_at(url: str, metadata: sa.MetaData, role: str = "", password: Callable[[], str] | None = None) -> Database:
    """The database at a URL. Nothing is connected yet. SQLite has neither roles nor passwords."""
    if url.startswith("sqlite"):
        return SqliteDatabase(url, metadata)
    return PostgresDatabase(url, metadata, role, password)


def open_bus(url: str) -> Bus:
    """`local:///path` or `kafka://brokers` (kernel.adapters.kafka_url)."""
    if url.startswith("kafka://"):
        from kernel.adapters.kafka import KafkaBus

        return KafkaBus(url)
    if url.startswith("local:///"):
        from kernel.adapters.sqlite_bus import SqliteBus

        return SqliteBus(url.removeprefix("local://"))
    raise Internal("bus.unknown_url", expected="local:///path or kafka://host:port")
