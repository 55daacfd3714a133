"""Inline tables in SQL: reads rows for a batch's decisions, and writes the changed rows with the batch's append."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.bulk import BulkStatements, RowChanges
from kernel.adapters.vault.personal import Sealed
from kernel.core.decider import InlineTable, Key
from kernel.eventlog.decide import Decisions, RowKey
from kernel.eventlog.log import Log

PERSONAL = "personal"


class InlineTables:
    """A service's inline tables, and `personal`, whose rows travel sealed beside the commands."""

    def __init__(self, log: Log, inlines: Mapping[str, InlineTable[Any]]) -> None:
        self._log, self._inlines = log, inlines
        known = {name: _columns(inline.row) for name, inline in inlines.items()}
        if PERSONAL in log.metadata.tables:
            known[PERSONAL] = _columns(Sealed)
        self._tables = {
            name: BulkStatements(log.metadata.tables[name], columns) for name, columns in sorted(known.items())
        }

    async def read(self, wanted: Sequence[RowKey], connection: AsyncConnection | None = None) -> dict[RowKey, Any]:
        """One query per table; a row that is absent is None."""
        found: dict[RowKey, Any] = dict.fromkeys(wanted)
        by_table: dict[str, list[Key]] = defaultdict(list)
        for name, key in wanted:
            by_table[name].append(key)
        for name, keys in sorted(by_table.items()):
            inline = self._inlines[name]
            for values in await self._log.read_rows(self._tables[name], keys, connection):
                row = inline.row(**values)
                found[name, tuple(getattr(row, column) for column in inline.key)] = row
        return found

    def changes(self, decided: Decisions) -> list[RowChanges]:
        """The row changes that the append writes beside events, by table and key in one order; a row that is None is deleted."""
        changed: dict[str, dict[Key, Any]] = defaultdict(dict)
        for (name, key), row in decided.rows.items():
            changed[name][key] = row
        for sealed in decided.sealed:
            changed[PERSONAL][sealed.subject, sealed.field] = sealed
        return [self._change(name, changed[name]) for name in self._tables if name in changed]

    def _change(self, name: str, rows: Mapping[Key, Any]) -> RowChanges:
        table, ordered = self._tables[name], sorted(rows.items())
        whole = [row for _, row in ordered if row is not None]
        upserts = {column: list(map(attrgetter(column), whole)) for column in table.columns} if whole else {}
        return RowChanges(table, upserts, [key for key, row in ordered if row is None])


def _columns(row: type[Any]) -> list[str]:
    return [column.name for column in fields(row)]
