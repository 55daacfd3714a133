"""What the rows of all read models share."""

from typing import Any

import sqlalchemy as sa

from kernel.core.ids import role_reader

Row = dict[str, Any]
STAFF = tuple(map(role_reader, ("operator", "reviewer", "finance", "auditor")))
"""Platform staff may read everything; what they may do is decided at the head."""


def blank(table: sa.Table) -> Row:
    """A row of which nothing is known yet: None where that is allowed, else 0 or an empty text."""
    return {
        column.name: None if column.nullable else 0 if isinstance(column.type, sa.BigInteger) else ""
        for column in table.columns
    }


def taken(table: sa.Table, event: object) -> Row:
    """The columns of a table that an event, or a value in it, has by the same name."""
    return {one.name: getattr(event, one.name) for one in table.columns if hasattr(event, one.name)}
