"""Check of inline tables: folds the whole log again in memory and compares each inline table with the fold."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.core.check import Check, CheckResult
from kernel.core.codec import canonical
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
    stored: dict[str, dict[Key, Any]] = {}
    async with app.database.snapshot() as connection:
        head = (await app.log.head(connection)).position
        for name, inline in app.deciders.inlines.items():
            found = (await connection.execute(sa.select(app.metadata.tables[name]))).mappings()
            rows = [inline.row(**{column: row[column] for column in inline.row.__dataclass_fields__}) for row in found]
            stored[name] = {tuple(getattr(row, column) for column in inline.key): row for row in rows}
    folded = await _folded(app, head)
    now = await app.log.now()
    return [_same_rows(inline, stored[name], folded, now) for name, inline in app.deciders.inlines.items()]


async def _folded(app: Subject, head: int) -> dict[tuple[str, Key], Any]:
    rows: dict[tuple[str, Key], Any] = {}
    position = 0
    while app.deciders.inlines and position < head and (page := await app.log.read(position, READ_LIMIT, head)):
        for recorded in page:
            _fold(app, recorded, rows)
        position = page[-1].position
    return rows


def _fold(app: Subject, recorded: Recorded, rows: dict[tuple[str, Key], Any]) -> None:
    """Folds one event into `rows`. Every event decodes here: `events_readable` was checked before this check runs."""
    event = app.service.codec.decode(recorded.name, recorded.data)
    decided = DecidedEvent(recorded.stream, recorded.tenant, recorded.version, recorded.recorded_at, event)
    for inline in app.deciders.folds(event):
        for key, row in list(inline.fold(decided, GivenRows(rows))):
            rows[inline.name, key] = row


def _same_rows(
    inline: InlineTable[Any], stored: Mapping[Key, Any], folded: Mapping[Any, Any], now: datetime
) -> CheckResult:
    check = Check(f"inline_{inline.name}")
    expected = {key: row for (name, key), row in folded.items() if name == inline.name and row is not None}
    for key in sorted(expected.keys() | stored.keys()):
        kept, wanted = stored.get(key), expected.get(key)
        if inline.name == "deadlines":
            sound = _same_deadline(kept, wanted, now)
        else:
            sound = kept is not None and wanted is not None and _same(kept, wanted)
        check.that(sound, f"{'/'.join(key)}: {kept} is kept, {wanted} is what the log says")
    return check.result()


def _same_deadline(kept: Any, wanted: Any, now: datetime) -> bool:
    """Deadline row equals fold. A missing row is right once the deadline is due: the scheduler deletes the row it executes.

    `due_at` may differ by the tolerance, because a due time is computed from the time of the decision.
    """
    if kept is None or wanted is None:
        return kept is None and bool(wanted.due_at <= now + DECIDED_BEFORE)
    return bool(kept.command == wanted.command and abs(kept.due_at - wanted.due_at) <= DECIDED_BEFORE)


def _same(kept: Any, wanted: Any) -> bool:
    for column in type(kept).__dataclass_fields__:
        one, other = getattr(kept, column), getattr(wanted, column)
        if isinstance(one, datetime) and isinstance(other, datetime):
            if abs(one - other) > DECIDED_BEFORE:
                return False
        elif canonical(one) != canonical(other):
            return False
    return True
