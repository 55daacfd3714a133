"""Which creator a row of a file is about: whom the platform's own id names, else the creator of that platform and handle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.ids import derived_id, stream_id
from services.discovery.domain.csv_columns import CreatorRow

Place = tuple[str, str]
"""(platform, id)."""
Claim = tuple[str, str, str]
"""(platform, handle, creator)."""


@dataclass(frozen=True, slots=True)
class KnownAccounts:
    """Set-wise: five queries for a part of a file that names ids, none for one that does not.

    The decision on the creator's stream, at the log's head, refuses what has changed since.
    """

    database: Database

    async def told(self, rows: Sequence[CreatorRow]) -> list[CreatorRow]:
        """The rows, each with the creator that it is about."""
        named = [row for row in rows if row.account_id]
        if not named:
            return list(rows)
        ids = {(row.account.platform.value, row.account_id) for row in named}
        holders = await self._rows("account_ids", "account_id", ids)
        claims = await self._claims(named)
        others = await self._known_by([row.creator_id for row in named])
        forgotten = await self._forgotten([one for row in named for one in (row.creator_id, _by_id(row))])
        return [_told(row, holders, claims, others, forgotten) if row.account_id else row for row in rows]

    async def _forgotten(self, creators: Sequence[str]) -> set[str]:
        subject: Any = self.database.metadata.tables["forgotten"].c.subject_id
        async with self.database.reading() as connection:
            return set((await connection.execute(sa.select(subject).where(subject.in_(creators)))).scalars())

    async def _claims(self, rows: Sequence[CreatorRow]) -> set[Claim]:
        """Those of the rows' creators that claim the rows' handles."""
        columns: Any = self.database.metadata.tables["handles"].c
        claim = sa.tuple_(columns.platform, columns.handle, columns.creator_id)
        wanted = {(row.account.platform.value, row.account.handle, row.creator_id) for row in rows}
        query = sa.select(columns.platform, columns.handle, columns.creator_id).where(claim.in_(sorted(wanted)))
        async with self.database.reading() as connection:
            return {(row[0], row[1], row[2]) for row in await connection.execute(query)}

    async def _rows(self, table: str, name: str, wanted: set[Place]) -> dict[Place, str]:
        columns: Any = self.database.metadata.tables[table].c
        place = sa.tuple_(columns.platform, columns[name])
        query = sa.select(columns.platform, columns[name], columns.creator_id).where(place.in_(sorted(wanted)))
        async with self.database.reading() as connection:
            return {(row[0], row[1]): row[2] for row in await connection.execute(query)}

    async def _known_by(self, creators: Sequence[str]) -> set[Place]:
        """(platform, creator) of those whose account has another id already, or who are registered at all."""
        ids: Any = self.database.metadata.tables["account_ids"].c
        events: Any = self.database.metadata.tables["log_events"].c
        async with self.database.reading() as connection:
            identified = await connection.execute(
                sa.select(ids.platform, ids.creator_id).where(ids.creator_id.in_(creators))
            )
            streams = [stream_id("creator", one) for one in creators]
            begun = await connection.execute(sa.select(events.stream).where(events.stream.in_(streams)).distinct())
            return {(row[0], row[1]) for row in identified} | {("", row[0].partition("-")[2]) for row in begun}


def _by_id(row: CreatorRow) -> str:
    """Whom the row registers where the handle is somebody else's."""
    return derived_id("creator", row.account.platform.value, "id", row.account_id)


def _told(
    row: CreatorRow, holders: dict[Place, str], claims: set[Claim], known: set[Place], forgotten: set[str]
) -> CreatorRow:
    """An id that nobody has yet is a new creator's, unless the creator of that handle still holds it under no id.

    An erasure left neither ids nor claims. The row stays with whom it was about before, so that the decision refuses it: as a
    new creator the person would be back under another id.
    """
    platform, account_id, by_id = row.account.platform.value, row.account_id, _by_id(row)
    found = holders.get((platform, account_id))
    if found is None and not forgotten.isdisjoint((row.creator_id, by_id)):
        found = row.creator_id if row.creator_id in forgotten else by_id
    if found is not None:
        return replace(row, creator_id=found)
    holds = (platform, row.account.handle, row.creator_id) in claims
    elsewhere = (platform, row.creator_id) in known or (("", row.creator_id) in known and not holds)
    return replace(row, creator_id=by_id) if elsewhere else row
