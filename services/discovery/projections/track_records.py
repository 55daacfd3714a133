"""Writes track records from campaigns, compliance and metrics.

Track records merge in any order across streams: every column is fed by one stream only.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.events import Delivered
from kernel.core.ids import role_reader
from kernel.processors.projector import Target, fold_rows
from services.discovery.subscribe import Applied, Marked, Stage, Worked
from services.discovery.tables.track_records import (
    CREATOR_BRANDS,
    CREATOR_MARKS,
    CREATOR_RECORDS,
    CREATOR_WORK,
    RECORDS,
)

Row = dict[str, Any]


async def apply_track_records(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """What others saw a creator do. Sums are moved by differences, so streams may come in any order."""
    sums: Counter[tuple[str, str]] = Counter()
    await _fold(target, CREATOR_WORK, [one for one in events if isinstance(one.event, Applied | Worked)], _work, sums)
    await _fold(target, CREATOR_MARKS, [one for one in events if isinstance(one.event, Marked)], _mark, sums)
    await target.upsert(CREATOR_RECORDS, _records(sums), add=RECORDS)
    contracts = [one for one in events if isinstance(one.event, Worked) and one.event.stage is Stage.CONTRACTED]
    await fold_rows(target, CREATOR_BRANDS, contracts, _brand_key, _brand)


async def _fold(
    target: Target,
    table: sa.Table,
    events: Sequence[Delivered[Any]],
    fold: Callable[[Row | None, Delivered[Any]], Row],
    sums: "Counter[tuple[str, str]]",
) -> None:
    """Folds the rows, and takes off `sums` what each row counted before, and adds what it counts now."""
    names = [column.name for column in table.primary_key.columns]
    stored = await target.rows(table, (_key(fold(None, incoming), names) for incoming in events))
    rows = dict(stored)
    for incoming in events:
        key = _key(fold(None, incoming), names)
        rows[key] = fold(rows.get(key), incoming)
    for key, row in rows.items():
        sums.subtract(_counted(stored.get(key)))
        sums.update(_counted(row))
    await target.upsert(table, list(rows.values()))


def _key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(row[name] for name in names)


def _counted(row: Row | None) -> dict[tuple[str, str], int]:
    """What a row of work or marks counts for its creator."""
    if row is None:
        return {}
    if "mark" in row:
        return {(row["creator_id"], row["mark"]): row["amount"]}
    return {(row["creator_id"], row["collaboration"]): 1} if row["collaboration"] else {}


def _records(sums: "Counter[tuple[str, str]]") -> list[Row]:
    rows: dict[str, Row] = {}
    for (creator_id, name), amount in sums.items():
        row = rows.setdefault(creator_id, {"creator_id": creator_id} | dict.fromkeys(RECORDS, 0))
        row[name] = amount
    return list(rows.values())


def _work(row: Row | None, incoming: Delivered[Any]) -> Row:
    event: Applied | Worked = incoming.event
    named = {
        "application_id": event.application_id if isinstance(event, Applied) else event.collaboration_id,
        "creator_id": event.creator_id,
        "campaign_id": event.campaign_id,
        "brand_id": event.brand_id,
        "readers": [event.brand_id, event.creator_id, *map(role_reader, ("operator", "auditor"))],
    }
    known = row or {"application": "", "collaboration": ""}
    column = "application" if isinstance(event, Applied) else "collaboration"
    return known | named | {column: event.stage.value}


def _mark(_: Row | None, incoming: Delivered[Any]) -> Row:
    event: Marked = incoming.event
    return {
        "mark": event.mark.value,
        "subject": event.subject,
        "creator_id": event.creator_id,
        "amount": event.amount,
    }


def _brand_key(incoming: Delivered[Any]) -> tuple[str, str, str]:
    event: Worked = incoming.event
    return event.creator_id, event.brand_id, event.industry


def _brand(row: Row | None, incoming: Delivered[Any]) -> Row:
    latest = max(row["contracted_at"], incoming.at) if row else incoming.at
    creator_id, brand_id, industry = _brand_key(incoming)
    return {"creator_id": creator_id, "brand_id": brand_id, "industry": industry, "contracted_at": latest}
