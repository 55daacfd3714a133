"""What the rows of all read models share."""

from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]
STAFF = ("role:operator", "role:reviewer", "role:finance", "role:auditor")
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
