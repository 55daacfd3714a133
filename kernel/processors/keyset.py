"""Keyset pagination: a page is the rows behind the last row of the page before, never the rows behind a count.

`Keyset(column, key)` is the order of a list; `read` runs one page of a query in that order and gives the cursor of the next page.
Rows that do not change between two pages are neither repeated nor left out. Cursors are encrypted by kernel.edge.page_tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import KeyedColumnElement

from kernel.adapters.schema import UtcTime
from kernel.core.faults import Invalid
from kernel.edge.page_tokens import Cursor

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the following page, None on the last one."""

    rows: list[Row]
    next: Cursor | None = None


def chosen(order_by: str, known: Sequence[str], default: str = "") -> tuple[str, bool]:
    """The field of an `order_by` (AIP-132) and True for a falling order; an empty one means `default` or the first of `known`.

    Raises Invalid `order_by.unknown`.
    """
    order = order_by or default or known[0]
    if order not in known:
        raise Invalid("order_by.unknown", field="order_by", known=", ".join(known))
    name, _, direction = order.partition(" ")
    return name, direction == "desc"


class Keyset:
    """Order of a list: sort columns, the last of which make the order total. Each is also a column of the query's rows.

    `falling`, one value for all columns or one for each, puts the largest first.
    """

    def __init__(self, *columns: KeyedColumnElement[Any], falling: bool | Sequence[bool] = False) -> None:
        each = [falling] * len(columns) if isinstance(falling, bool) else falling
        self._keys = list(zip(columns, each, strict=True))

    async def read(self, connection: AsyncConnection, query: sa.Select[Any], cursor: Cursor | None, size: int) -> Page:
        """One page of the query: the rows behind the cursor. One row more is read to know whether another page follows."""
        found = (await connection.execute(self.applied(query, cursor).limit(size + 1))).mappings().all()
        rows = [dict(row) for row in found[:size]]
        return Page(rows, self._cursor(rows[-1]) if len(found) > size else None)

    def applied(self, query: sa.Select[Any], cursor: Cursor | None) -> sa.Select[Any]:
        """The query in this order, from behind the cursor on."""
        if cursor is not None:
            query = query.where(_behind(self._keys, [_value(*one) for one in zip(self._keys, cursor, strict=True)]))
        return query.order_by(*(column.desc() if falls else column for column, falls in self._keys))

    def _cursor(self, row: Row) -> Cursor:
        values = [row[column.key] for column, _ in self._keys]
        return tuple(value.isoformat() if isinstance(value, datetime) else value for value in values)


SortKey = tuple[KeyedColumnElement[Any], bool]


def _value(key: SortKey, kept: str | int | None) -> sa.ColumnElement[Any]:
    """A cursor's value in its column's type: cursors carry times as text."""
    kind = key[0].type
    return sa.literal(datetime.fromisoformat(str(kept)) if isinstance(kind, UtcTime) else kept, kind)


def _behind(keys: Sequence[SortKey], values: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """Rows behind the values: one row-value comparison, which an index serves, for every run of columns of one direction."""
    falls = keys[0][1]
    run = next((place for place, (_, other) in enumerate(keys) if other != falls), len(keys))
    here, there = _together([column for column, _ in keys[:run]]), _together(values[:run])
    behind: sa.ColumnElement[bool] = here < there if falls else here > there
    return behind if run == len(keys) else behind | ((here == there) & _behind(keys[run:], values[run:]))


def _together(columns: Sequence[sa.ColumnElement[Any]]) -> Any:
    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)
