"""What must hold of discovery's data beyond what each of its tables must be by itself."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.check import PROBLEMS_LIMIT, Check, CheckResult
from kernel.core.codec import adapter
from kernel.host.app import App
from kernel.processors.generations import is_at_head
from services.discovery.domain.profile import impersonal
from services.discovery.domain.state import State
from services.discovery.projections import CREATORS_PROJECTION
from services.discovery.projections.creators import labels, prices, searched
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS
from services.discovery.tables.track_records import CREATOR_MARKS, CREATOR_RECORDS, CREATOR_WORK, RECORDS

PAGE_ROWS = 500
Row = dict[str, Any]


async def creators_agree(app: App) -> list[CheckResult]:
    """What a creator is found by is what its own events say of it, and the handles it shows are those decisions keep for it.

    Nothing is said while the read model is behind.
    """
    index, handles, forgotten = Check("index_follows_creators"), Check("handles_agree"), Check("forgotten_are_gone")
    async for connection, rows in _pages(app):
        ids = [row["creator_id"] for row in rows]
        shown = await _shown(connection, ids)
        kept = await _grouped(connection, app.metadata.tables["handles"], ids)
        verified = await _grouped(connection, app.metadata.tables["verified_handles"], ids)
        gone = await _forgotten(connection, app, ids)
        for row in rows:
            creator_id, state = row["creator_id"], adapter(State).validate_json(row["state"])
            wanted = (searched(state), list(labels(creator_id, state)), list(prices(creator_id, state)))
            found = ({name: row[name] for name in wanted[0]}, *(_sorted(one.get(creator_id, [])) for one in shown))
            index.that(
                found == (wanted[0], *map(_sorted, wanted[1:])), f"creator {creator_id} is found by what it is not"
            )
            held = {(one["platform"], one["handle"]) for one in kept.get(creator_id, [])}
            has = {(one.platform.value, one.handle) for one in state.accounts}
            handles.that(
                held == has, f"creator {creator_id} has {len(has)} accounts, {len(held)} handles are kept for it"
            )
            sure = {(one["platform"], one["handle"]) for one in verified.get(creator_id, [])}
            proven = {(one.platform.value, one.handle) for one in state.accounts if one.platform in state.verified}
            handles.that(sure <= proven, f"creator {creator_id} keeps a handle that it was never verified for")
            if creator_id in gone:
                forgotten.that(
                    not _revisions(state) and not _told(state),
                    f"creator {creator_id} was forgotten and shows a revision of its texts, or what was personal",
                )
    return [index.result(), handles.result(), forgotten.result()]


async def _pages(app: App) -> AsyncIterator[tuple[AsyncConnection, Sequence[Row]]]:
    """All creators by id, each page in a snapshot of its own at the log's head."""
    last = ""
    while True:
        async with app.database.snapshot() as connection:
            if not await is_at_head(connection, app.log, CREATORS_PROJECTION):
                return
            query = sa.select(CREATORS).where(CREATORS.c.creator_id > last).order_by(CREATORS.c.creator_id)
            rows = [dict(row) for row in (await connection.execute(query.limit(PAGE_ROWS))).mappings()]
            yield connection, rows
        if len(rows) < PAGE_ROWS:
            return
        last = rows[-1]["creator_id"]


async def _shown(connection: AsyncConnection, ids: Sequence[str]) -> list[dict[str, list[Row]]]:
    return [await _grouped(connection, table, ids) for table in (CREATOR_LABELS, CREATOR_PRICES)]


async def _grouped(connection: AsyncConnection, table: sa.Table, ids: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in (await connection.execute(sa.select(table).where(table.c.creator_id.in_(ids)))).mappings():
        found.setdefault(row["creator_id"], []).append(dict(row))
    return found


async def _forgotten(connection: AsyncConnection, app: App, ids: Sequence[str]) -> set[str]:
    """Who was forgotten and has not come back, which would have made a new key."""
    forgotten, keys = (app.metadata.tables[name] for name in ("forgotten", "personal_keys"))
    back = sa.select(keys.c.subject)
    query = sa.select(forgotten.c.subject_id).where(
        forgotten.c.subject_id.in_(ids), forgotten.c.subject_id.not_in(back)
    )
    return set((await connection.execute(query)).scalars())


def _revisions(state: State) -> list[str]:
    profile = state.profile
    if profile is None:
        return []
    return [one for one in (profile.display_name_revision, profile.bio_revision, profile.contact_revision) if one]


def _told(state: State) -> bool:
    """Whether an account, or a personal field of the profile, is there."""
    return bool(state.accounts or (state.profile and state.profile != impersonal(state.profile)))


def _sorted(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(sorted(row.items(), key=lambda item: item[0])))


async def records_add_up(app: App) -> list[CheckResult]:
    """A creator's counts are the sums over its work and marks; the three tables move in one transaction."""
    check = Check("records_add_up")
    counted = sa.union_all(
        sa.select(CREATOR_WORK.c.creator_id, CREATOR_WORK.c.collaboration.label("name"), sa.literal(1).label("amount")),
        sa.select(CREATOR_MARKS.c.creator_id, CREATOR_MARKS.c.mark, CREATOR_MARKS.c.amount),
    ).subquery()
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((counted.c.name == name, counted.c.amount), else_=0)), 0)
        for name in RECORDS
    ]
    records = CREATOR_RECORDS
    joined = records.outerjoin(counted, counted.c.creator_id == records.c.creator_id)
    wrong = sa.or_(*[total != records.c[name] for name, total in zip(RECORDS, sums, strict=True)])
    query = sa.select(records.c.creator_id).select_from(joined).group_by(*records.c).having(wrong)
    async with app.database.snapshot() as connection:
        total = sa.select(sa.func.count()).select_from(records)
        check.checked = (await connection.execute(total)).scalar_one()
        for creator_id in (await connection.execute(query.limit(PROBLEMS_LIMIT))).scalars():
            check.fail(f"creator {creator_id}: its work and marks give other counts")
    return [check.result()]


INVARIANTS = (creators_agree, records_add_up)
