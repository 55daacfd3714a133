"""Check of inline tables: folds the whole log again in memory and compares each inline table with the fold."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.canonical import canonical
from kernel.core.check import Check, CheckResult
from kernel.core.decider import DecidedEvent, GivenRows, InlineTable, Key
from kernel.core.events import Recorded
from kernel.eventlog.log import READ_LIMIT
from kernel.verify.subject import Subject

DECIDED_BEFORE = timedelta(minutes=1)
"""Tolerance between two times that should agree: a fold sees the time of the decision, the log stores the time of the append."""


async def check_inline_tables(app: Subject) -> list[CheckResult]:
    """Inline table equals fold: every row of every inline table is the fold of the log from position 1.

    Memory grows with the tables; the log is read in pages.
    """
    inlines = app.deciders.inlines
    async with app.database.snapshot() as connection:
        head = (await app.log.head(connection)).position
        stored = {name: await stored_rows(connection, app.metadata, one) for name, one in inlines.items()}
    fold, position = InlineFold(inlines.values()), 0
    while inlines and position < head and (page := await app.log.read(position, READ_LIMIT, head)):
        for recorded in page:
            fold.add(recorded, app.service.codec.decode(recorded.name, recorded.data))
        position = page[-1].position
    now = await app.log.now()
    return [
        same_rows(Check(f"inline_{name}"), inline, stored[name], fold.table(inline), now).result()
        for name, inline in inlines.items()
    ]


async def stored_rows(connection: AsyncConnection, metadata: sa.MetaData, inline: InlineTable[Any]) -> dict[Key, Any]:
    """The rows of an inline table as the connection's snapshot has them, by key."""
    found = (await connection.execute(sa.select(metadata.tables[inline.name]))).mappings()
    rows = [inline.row(**{column: row[column] for column in inline.row.__dataclass_fields__}) for row in found]
    return {tuple(getattr(row, column) for column in inline.key): row for row in rows}


class InlineFold:
    """Fold of the log into inline tables: `add` every event in log order, then ask for a `table`."""

    def __init__(self, inlines: Iterable[InlineTable[Any]]) -> None:
        self._folding: dict[type, list[InlineTable[Any]]] = {}
        for inline in inlines:
            for kind in inline.events:
                self._folding.setdefault(kind, []).append(inline)
        self.rows: dict[tuple[str, Key], Any] = {}
        """A deleted row is None."""

    def add(self, recorded: Recorded, event: object) -> None:
        """Folds one event; the caller has decoded it."""
        decided = DecidedEvent(recorded.stream, recorded.tenant, recorded.version, recorded.recorded_at, event)
        for inline in self._folding.get(type(event), ()):
            for key, row in list(inline.fold(decided, GivenRows(self.rows))):
                self.rows[inline.name, key] = row

    def table(self, inline: InlineTable[Any]) -> dict[Key, Any]:
        """The rows that the table must hold."""
        return {key: row for (name, key), row in self.rows.items() if name == inline.name and row is not None}


def same_rows(
    check: Check,
    inline: InlineTable[Any],
    stored: Mapping[Key, Any],
    folded: Mapping[Key, Any],
    now: datetime,
    slack: timedelta = DECIDED_BEFORE,
) -> Check:
    """Checks each row of the table against the fold; two times may differ by `slack`."""
    for key in sorted(folded.keys() | stored.keys()):
        kept, wanted = stored.get(key), folded.get(key)
        if inline.name == "deadlines":
            sound = _same_deadline(kept, wanted, now)
        else:
            sound = kept is not None and wanted is not None and _same(kept, wanted, slack)
        check.that(sound, f"{'/'.join(key)}: {kept} is kept, {wanted} is what the log says")
    return check


def _same_deadline(kept: Any, wanted: Any, now: datetime) -> bool:
    """Deadline row equals fold. A missing row is right once the deadline is due: the scheduler deletes the row it executes.

    `due_at` may differ by the tolerance, because a due time is computed from the time of the decision.
    """
    if kept is None or wanted is None:
        return kept is None and bool(wanted.due_at <= now + DECIDED_BEFORE)
    return bool(kept.command == wanted.command and abs(kept.due_at - wanted.due_at) <= DECIDED_BEFORE)


def _same(kept: Any, wanted: Any, slack: timedelta) -> bool:
    for column in type(kept).__dataclass_fields__:
        one, other = getattr(kept, column), getattr(wanted, column)
        if isinstance(one, datetime) and isinstance(other, datetime):
            if abs(one - other) > slack:
                return False
        elif canonical(one) != canonical(other):
            return False
    return True
