"""Schema of the kernel's own tables; column types and SQL expressions that each store has in its own form."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from kernel.core.bounds import SUM_LIMIT
from kernel.core.clock import system_clock


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A time in UTC: timestamptz on PostgreSQL, on SQLite RFC 3339 text with microseconds, which sorts as time does."""

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
        return utc_of(value)


def utc_of(stored: Any) -> datetime | None:
    """The time of a UtcTime column as a driver returns it: SQLite returns text."""
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


class RowReaders(sa.types.TypeDecorator[list[str]]):
    """Readers of a row: tenant ids, `role:<role>`, `public`. Stored as a sorted JSON list (jsonb on PostgreSQL)."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(postgresql.JSONB() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: sa.Dialect) -> Any:
        readers = sorted(set(value or ()))
        return readers if dialect.name == "postgresql" else json.dumps(readers)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> list[str]:
        return list(value) if isinstance(value, list) else json.loads(value)


class _Decimal(sa.types.UserDefinedType[Decimal]):
    """PostgreSQL's decimal as the driver has it: SQLAlchemy's own asks each result for its column's type."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "NUMERIC(38, 0)"


class ExactSum(sa.types.TypeDecorator[int]):
    """A sum of money of any size, exact: a decimal on PostgreSQL, its digits as text on SQLite. Summed by `bounded_sum` only."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(_Decimal() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        return Decimal(value) if dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> int | None:
        return None if value is None else int(value)


class bounded_sum(FunctionElement[int]):  # noqa: N801 - reads as a function of SQL
    """A sum of integers that stands still at SUM_LIMIT instead of failing for everybody who asks."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(bounded_sum, "postgresql")
def _sum_in_postgres(total: bounded_sum, compiler: Any, **options: Any) -> str:
    (added,) = (compiler.process(part, **options) for part in total.clauses)
    return f"CAST(GREATEST(LEAST(COALESCE(SUM({added}), 0), {SUM_LIMIT}), -{SUM_LIMIT}) AS BIGINT)"


@compiles(bounded_sum, "sqlite")
def _sum_in_sqlite(total: bounded_sum, compiler: Any, **options: Any) -> str:
    """SQLite's own sum fails past 64 bits: both halves are summed apart, and put together within the bound."""
    (added,) = (f"CAST({compiler.process(part, **options)} AS INTEGER)" for part in total.clauses)
    high, low = f"COALESCE(SUM({added} >> 32), 0)", f"COALESCE(SUM({added} & 4294967295), 0)"
    top, most = f"({high} + ({low} >> 32))", SUM_LIMIT >> 32
    whole = f"(({top} << 32) + ({low} & 4294967295))"
    return f"(CASE WHEN {top} >= {most} THEN {SUM_LIMIT} WHEN {top} <= -{most} THEN -{SUM_LIMIT} ELSE {whole} END)"


class _Texts(sa.types.TypeDecorator[list[str]]):
    """A set of texts as one bound value, however many there are: text[] on PostgreSQL, on SQLite a JSON list."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        kind: Any = postgresql.ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: list[str] | None, dialect: sa.Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Test(FunctionElement[bool]):
    """A test of a column against a bound set of texts."""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], texts: Iterable[str]) -> None:
        super().__init__(column, sa.bindparam(None, sorted(set(texts)), type_=_Texts()))

    def sides(self, compiler: Any, options: dict[str, Any]) -> list[str]:
        return [compiler.process(side, **options) for side in self.clauses]


class shares_text(_Test):  # noqa: N801 - reads as a function of SQL
    """True if a RowReaders column and a set of texts have a text in common."""

    inherit_cache = True


class in_texts(_Test):  # noqa: N801 - as above
    """True if a column's text is in a set of texts."""

    inherit_cache = True


@compiles(shares_text, "postgresql")
def _shares_in_postgres(test: shares_text, compiler: Any, **options: Any) -> str:
    column, texts = test.sides(compiler, options)
    return f"({column} ?| CAST({texts} AS TEXT[]))"


@compiles(shares_text, "sqlite")
def _shares_in_sqlite(test: shares_text, compiler: Any, **options: Any) -> str:
    column, texts = test.sides(compiler, options)
    wanted = f"SELECT wanted.value FROM json_each({texts}) AS wanted"
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS own WHERE own.value IN ({wanted}))"


@compiles(in_texts, "postgresql")
def _in_postgres(test: in_texts, compiler: Any, **options: Any) -> str:
    column, texts = test.sides(compiler, options)
    return f"({column} IN (SELECT unnest(CAST({texts} AS TEXT[]))))"


@compiles(in_texts, "sqlite")
def _in_sqlite(test: in_texts, compiler: Any, **options: Any) -> str:
    column, texts = test.sides(compiler, options)
    return f"({column} IN (SELECT wanted.value FROM json_each({texts}) AS wanted))"


class _Stamp(FunctionElement[int]):
    type = sa.BigInteger()
    inherit_cache = True

    def __init__(self, column: sa.Column[int]) -> None:
        super().__init__(sa.literal_column(column.table.name), sa.literal_column(column.name))


class commit_stamp(_Stamp):  # noqa: N801
    """The number of the transaction under way, as its rows keep it in the column given: see `settled_stamp`."""

    inherit_cache = True


class settled_stamp(_Stamp):  # noqa: N801
    """The smallest stamp of a transaction that this statement cannot see yet: rows with smaller ones have all been committed."""

    inherit_cache = True


class next_stamp(_Stamp):  # noqa: N801
    """Above every stamp of this cluster that this statement sees. Rows of a dump of another cluster may have larger ones."""

    inherit_cache = True


@compiles(commit_stamp, "postgresql")
def _stamp_in_postgres(_stamp: commit_stamp, _compiler: Any, **_options: Any) -> str:
    return "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"


@compiles(settled_stamp, "postgresql")
def _settled_in_postgres(_stamp: settled_stamp, _compiler: Any, **_options: Any) -> str:
    return "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"


@compiles(next_stamp, "postgresql")
def _next_in_postgres(_stamp: next_stamp, _compiler: Any, **_options: Any) -> str:
    return "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)"


@compiles(commit_stamp, "sqlite")
@compiles(settled_stamp, "sqlite")
@compiles(next_stamp, "sqlite")
def _stamp_in_sqlite(stamp: FunctionElement[int], compiler: Any, **options: Any) -> str:
    """Writers come one after the other: the next number."""
    table, column = (compiler.process(name, **options) for name in stamp.clauses)
    return f"(SELECT COALESCE(MAX({column}), 0) + 1 FROM {table})"


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
        sa.Column("parked_at", UtcTime, nullable=False), sa.Column("tenant", text, nullable=False, server_default=""),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"), sa.Column("retry_at", UtcTime),
        sa.Index("parked_key", "consumer", "key"), sa.Index("parked_tenant", "consumer", "tenant", "key"),
        sa.Index("parked_retry", "consumer", "retry_at"),
    )  # fmt: skip
    sa.Table("parked_tenants", metadata, sa.Column("consumer", text, primary_key=True),
             sa.Column("tenant", text, primary_key=True), sa.Column("parked_at", UtcTime, nullable=False))  # fmt: skip
    sa.Table(
        "deadlines", metadata, sa.Column("stream", text, primary_key=True), sa.Column("name", text, primary_key=True),
        sa.Column("due_at", UtcTime, nullable=False), sa.Column("command", text, nullable=False),
        sa.Column("data", text, nullable=False), sa.Index("deadlines_due_at", "due_at"),
    )  # fmt: skip
    sa.Table("leases", metadata, sa.Column("name", text, primary_key=True), sa.Column("owner", text, nullable=False),
             sa.Column("until", UtcTime, nullable=False))  # fmt: skip
    sa.Table("revocations", metadata, sa.Column("kind", text, primary_key=True), sa.Column("name", text, primary_key=True),
             sa.Column("before", UtcTime, nullable=False), sa.Column("reason", text, nullable=False),
             sa.Column("number", big, nullable=False, unique=True))  # fmt: skip
    sa.Table("projections", metadata, sa.Column("name", text, primary_key=True),
             sa.Column("generation", sa.Integer, nullable=False), sa.Column("version", sa.Integer, nullable=False))  # fmt: skip


def first_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """First revision of every service: creates the tables, the log's one head row and the relay's checkpoint."""
    metadata.create_all(connection)
    connection.execute(sa.insert(metadata.tables["log"]).values(one=1, head=0, at=system_clock()))
    connection.execute(sa.insert(metadata.tables["relay_checkpoint"]).values(name="relay", position=0, last="{}"))
