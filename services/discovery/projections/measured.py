"""Writes what was measured of creators: grids from metrics, figures that were reported, followers through time, and conduct.

No clock, random or float: a rebuild gives the same bytes.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target
from services.discovery.domain.events import AccountLinked, FollowersReported, PerformanceReported
from services.discovery.projections.conduct import apply_conduct
from services.discovery.subscribe import Measured
from services.discovery.tables.measured import (
    CREATOR_GRID,
    CREATOR_GROWTH,
    FOLLOWER_HISTORY,
    MICROS,
    MONTHS,
    NOT_YET,
    RATES,
)

Row = dict[str, Any]
MONTH = timedelta(days=30)
DELETE_AT_ONCE = 1_000


async def apply_measured(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Grids and conduct from others' topics, reports from discovery's own log."""
    await _grids(target, [one.event for one in events if isinstance(one.event, Measured)])
    reported = [_reported(one) for one in events if isinstance(one.event, PerformanceReported)]
    await target.upsert(CREATOR_GRID, _last(CREATOR_GRID, reported))
    await _followers(target, [one for one in events if isinstance(one.event, FollowersReported | AccountLinked)])
    await apply_conduct(target, events)


async def _grids(target: Target, measured: Sequence[Measured]) -> None:
    """A grid replaces the one before it; what was reported stays."""
    newest = {one.creator_id: one for one in measured}
    table, gone = target[CREATOR_GRID], sorted(newest)
    for start in range(0, len(gone), DELETE_AT_ONCE):
        named = table.c.creator_id.in_(gone[start : start + DELETE_AT_ONCE]) & (table.c.purpose != "reported")
        await target.connection.execute(sa.delete(table).where(named))
    await target.upsert(CREATOR_GRID, [_cell(one, cell) for one in newest.values() for cell in one.cells])


def _cell(one: Measured, cell: Row) -> Row:
    return (
        dict.fromkeys(NOT_YET)
        | cell
        | {"creator_id": one.creator_id, "formula": one.formula, "measured_at": one.measured_at}
    )


def _reported(incoming: Delivered[Any]) -> Row:
    told = incoming.event.performance
    return {
        "creator_id": split_stream(incoming.stream)[1],
        "purpose": "reported",
        "format": told.format.value,
        "traffic": "all",
        "window_days": told.window_days,
        "exposures": told.exposures,
        "reads": told.reads,
        "engagements": told.engagements,
        **dict.fromkeys((*RATES, *NOT_YET)),
        "read_rate_micros": told.reads * MICROS // told.exposures if told.exposures else None,
        "engagement_rate_micros": told.engagements * MICROS // told.reads if told.reads else None,
        "contents": None,
        "provenance": told.provenance.value,
        "formula": "",
        "measured_at": told.observed_at,
    }


def _last(table: sa.Table, rows: Iterable[Row]) -> list[Row]:
    """The last row of each key."""
    names = [column.name for column in table.primary_key.columns]
    return list({tuple(row[name] for name in names): row for row in rows}.values())


async def _followers(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Another account on a platform starts a series of its own: the one before goes."""
    rows: dict[tuple[str, str, str], Row] = {}
    for incoming in events:
        creator_id = split_stream(incoming.stream)[1]
        if isinstance(incoming.event, AccountLinked):
            platform = incoming.event.account.platform.value
            rows = {key: row for key, row in rows.items() if key[:2] != (creator_id, platform)}
            table = target[FOLLOWER_HISTORY]
            gone = (table.c.creator_id == creator_id) & (table.c.platform == platform)
            await target.connection.execute(sa.delete(table).where(gone))
        else:
            row = _day(creator_id, incoming.event)
            rows[creator_id, row["platform"], row["day"]] = row
    await target.upsert(FOLLOWER_HISTORY, list(rows.values()))
    await _growth(target, sorted({split_stream(incoming.stream)[1] for incoming in events}))


def _day(creator_id: str, event: FollowersReported) -> Row:
    told = event.followers
    return {
        "creator_id": creator_id,
        "platform": told.platform.value,
        "day": told.observed_at.date().isoformat(),
        "followers": told.count,
        "provenance": told.provenance.value,
        "observed_at": told.observed_at,
    }


async def _growth(target: Target, creators: Sequence[str]) -> None:
    """Of every creator whose series changed, anew."""
    history, growth = target[FOLLOWER_HISTORY], target[CREATOR_GROWTH]
    for start in range(0, len(creators), DELETE_AT_ONCE):
        asked = creators[start : start + DELETE_AT_ONCE]
        await target.connection.execute(sa.delete(growth).where(growth.c.creator_id.in_(asked)))
        query = sa.select(history).where(history.c.creator_id.in_(asked)).order_by(history.c.day)
        series: dict[str, dict[str, list[Row]]] = {}
        for row in (await target.connection.execute(query)).mappings():
            series.setdefault(row["creator_id"], {}).setdefault(row["platform"], []).append(dict(row))
        await target.upsert(CREATOR_GROWTH, [grown(of_platforms) for of_platforms in series.values()])


def grown(of_platforms: dict[str, list[Row]]) -> Row:
    """The growth of the account with most followers now; each series is in order."""
    largest = max(of_platforms.values(), key=lambda rows: (rows[-1]["followers"], rows[-1]["platform"]))
    newest = largest[-1]
    names = ("creator_id", "platform", "followers", "observed_at")
    before = {f"before_{n}m": _at(largest, newest["observed_at"] - n * MONTH) for n in MONTHS}
    return {name: newest[name] for name in names} | before


def _at(rows: Sequence[Row], moment: datetime) -> int | None:
    """The last count at the moment or before it; None where it is more than a month older."""
    told = next((row for row in reversed(rows) if row["observed_at"] <= moment), None)
    return told["followers"] if told and moment - told["observed_at"] <= MONTH else None
