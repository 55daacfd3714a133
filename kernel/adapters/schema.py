"""The kernel's own tables, the type their times have, and what a service's first migration makes of them."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kernel.core.clock import system_clock


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


def first_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """What every service's first revision does: its tables, the log's one head row, the relay's checkpoint."""
    metadata.create_all(connection)
    connection.execute(sa.insert(metadata.tables["log"]).values(one=1, head=0, at=system_clock()))
    connection.execute(sa.insert(metadata.tables["relay_checkpoint"]).values(name="relay", position=0, last="{}"))
