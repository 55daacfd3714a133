"""Bulk statements of one table: select by primary keys, upsert and delete many rows at once.

On PostgreSQL the rows of inline tables are parts of the append's statement, and are written only if the head moves. Values
pass through the types of their columns both ways, as everywhere in SQLAlchemy.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg

from kernel.core.bounds import SUM_LIMIT

PrimaryKey = tuple[Any, ...]
_DIALECT: sa.Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Changes of one table: whole rows to upsert, column by column, and keys of rows to delete; no key is in both."""

    table: "BulkStatements"
    upserts: Mapping[str, list[Any]]
    deletes: Sequence[PrimaryKey]


class BulkStatements:
    """Statements of one table, made once. `columns` are the columns that rows have, `key` is the primary key (text)."""

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        self.table, self.columns = table, tuple(columns)
        self.key = tuple(column.name for column in table.primary_key.columns)
        types = {name: table.c[name].type for name in self.columns}
        self._sql_types = {name: kind.compile(dialect=_DIALECT) for name, kind in types.items()}
        impls = {name: kind.dialect_impl(_DIALECT) for name, kind in types.items()}
        self._joined = {name for name, kind in types.items() if isinstance(kind, sa.Integer)}
        """Columns whose arrays travel as one text: the driver handles each number of an array several times."""
        self._bind = {name: impl.bind_processor(_DIALECT) or _as_it_is for name, impl in impls.items()}
        self._read = [impls[name].result_processor(_DIALECT, None) or _as_it_is for name in self.columns]
        self._select, self._delete = self._selecting(), self._deleting("h, ")
        self._upsert = self._upserting(self.columns, (), "h, ")
        self._alone: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}

    def selecting(self, keys: Sequence[PrimaryKey]) -> tuple[str, dict[str, Any]]:
        """PostgreSQL: one index lookup for each key (OFFSET 0 keeps it so, whatever the statistics say)."""
        return self._select, self._key_arrays(keys)

    def read(self, row: Sequence[Any]) -> dict[str, Any]:
        """A selected row by column, with the values in their application types."""
        return {name: read(value) for name, read, value in zip(self.columns, self._read, row, strict=True)}

    def parts(self, changes: RowChanges) -> Iterable[tuple[str, dict[str, Any]]]:
        """Common table expressions (CTE) of the append's statement, with their arrays; each joins `h`, the head's move."""
        if changes.upserts:
            yield f"u_{self.table.name} AS ({self._upsert})", self._row_arrays(changes.upserts)
        if changes.deletes:
            yield f"d_{self.table.name} AS ({self._delete})", self._key_arrays(changes.deletes)

    def upserting(self, columns: Mapping[str, list[Any]], add: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
        """An upsert as a statement of its own: columns in `add` are added to the stored values, up to SUM_LIMIT, the
        others replace them."""
        names, summed = tuple(columns), tuple(add)
        sql = self._alone.get((names, summed))
        if sql is None:
            sql = self._alone[names, summed] = self._upserting(names, summed)
        return sql, self._row_arrays(columns)

    def deleting(self, keys: Sequence[PrimaryKey]) -> tuple[str, dict[str, Any]]:
        """A delete as a statement of its own."""
        return self._deleting(), self._key_arrays(keys)

    def _row_arrays(self, columns: Mapping[str, list[Any]]) -> dict[str, Any]:
        return {self._name(name): self._array(name, values) for name, values in columns.items()}

    def _array(self, name: str, values: list[Any]) -> list[Any] | str:
        if name in self._joined:
            return ",".join(["" if value is None else f"{value:d}" for value in values])
        bind = self._bind[name]
        return values if bind is _as_it_is else [bind(value) for value in values]

    def _key_arrays(self, keys: Sequence[PrimaryKey]) -> dict[str, Any]:
        return {
            self._name(name, "gone"): self._array(name, list(values))
            for name, values in zip(self.key, zip(*keys, strict=True), strict=True)
        }

    def _name(self, column: str, what: str = "row") -> str:
        return f"{what}_{self.table.name}_{column}"

    def _unnest(self, names: Sequence[str], what: str) -> str:
        arrays = ", ".join(self._cast(name, self._name(name, what)) for name in names)
        return f"unnest({arrays}) AS u({quoted(names)})"

    def _cast(self, name: str, parameter: str) -> str:
        array = f"string_to_array(:{parameter}, ',', '')" if name in self._joined else f":{parameter}"
        return f"CAST({array} AS {self._sql_types[name]}[])"

    def _selecting(self) -> str:
        same = " AND ".join(f't."{name}" = u."{name}"' for name in self.key)
        inner = f'SELECT {quoted(self.columns, "t.")} FROM "{self.table.name}" AS t WHERE {same} OFFSET 0'
        return f"SELECT f.* FROM {self._unnest(self.key, 'gone')} CROSS JOIN LATERAL ({inner}) AS f"

    def _upserting(self, names: Sequence[str], add: Sequence[str], behind: str = "") -> str:
        """`behind` joins the rows with another CTE; without a row of that CTE the statement writes nothing."""
        changed = ", ".join(f'"{name}" = {self._after(name, add)}' for name in names if name not in self.key)
        action = f"DO UPDATE SET {changed}" if changed else "DO NOTHING"
        return (
            f'INSERT INTO "{self.table.name}" AS t ({quoted(names)}) '
            f"SELECT {quoted(names, 'u.')} FROM {behind}{self._unnest(names, 'row')} "
            f"ON CONFLICT ({quoted(self.key)}) {action}"
        )

    def _after(self, name: str, add: Sequence[str]) -> str:
        added = f't."{name}" + excluded."{name}"'
        return f"LEAST({added}, {SUM_LIMIT})" if name in add else f'excluded."{name}"'

    def _deleting(self, behind: str = "") -> str:
        same = " AND ".join(f't."{name}" = u."{name}"' for name in self.key)
        return f'DELETE FROM "{self.table.name}" AS t USING {behind}{self._unnest(self.key, "gone")} WHERE {same}'


def behind_the_head(changes: Sequence[RowChanges]) -> tuple[str, dict[str, Any]]:
    """PostgreSQL: the CTEs to add to the append's statement, and their values."""
    parts = [part for change in changes for part in change.table.parts(change)]
    values = {name: array for _, arrays in parts for name, array in arrays.items()}
    return "".join(f",\n{sql}" for sql, _ in parts), values


def quoted(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _as_it_is(value: Any) -> Any:
    return value


def on_conflict(insert: Any, table: sa.Table, names: Sequence[str], add: Sequence[str] = ()) -> Any:
    """Turns the insert of either dialect into an upsert by primary key: columns in `add` are added, the others replaced."""
    keys = [column.name for column in table.primary_key.columns]
    values = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in names
        if name not in keys
    }
    if not values:
        return insert.on_conflict_do_nothing(index_elements=keys)
    return insert.on_conflict_do_update(index_elements=keys, set_=values)


def in_key_order(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows sorted by primary key, because unsorted upserts deadlocked."""
    keys = [column.name for column in table.primary_key.columns]
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))
