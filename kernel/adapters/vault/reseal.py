"""Reseal: encrypts, in the rows where they stand, personal fields that a log holds in plaintext from before they were marked.

A row keeps its position, stream, version, command and time; what it says is the same under the current stored name. The ledger's
log, whose hash chain covers the stored bytes, keeps no personal field and has no vault: nothing of it is ever rewritten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.vault.event_vault import EventVault, seal_event
from kernel.core.personal import MARK, ErasureDone, PersonalForm

PAGE_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Plain:
    """A row that holds personal fields in plaintext, in its current form."""

    position: int
    former: str
    name: str
    stream: str
    version: int
    data: bytes
    form: PersonalForm
    subject: str


async def reseal(vault: EventVault, progress: Callable[[int], None] = lambda position: None) -> int:
    """The number of rows it rewrote. It may be stopped, and run again: what is sealed stays as it is.

    What is left of a person who was erased before is blanked and not sealed. Raises Poison for an event that cannot be read.
    """
    database, last, rewritten = vault.database, 0, 0
    forgotten = await _forgotten(vault)
    while True:
        async with database.transaction() as connection:
            page = await _page(vault, connection, last)
            plain = [one for row in page if (one := _plain(vault, row)) is not None]
            await _rewrite(vault, connection, plain, forgotten)
        rewritten += len(plain)
        if not page:
            await database.scrub()
            return rewritten
        last = page[-1].position
        progress(last)


async def _forgotten(vault: EventVault) -> set[str]:
    """Subjects whose erasure is done."""
    events: Any = vault.database.metadata.tables["log_events"].c
    query = sa.select(events.data).where(events.name == vault.codec.name_of(ErasureDone))
    async with vault.database.reading() as connection:
        return {str(orjson.loads(data)["subject_id"]) for data in (await connection.execute(query)).scalars()}


async def _page(vault: EventVault, connection: AsyncConnection, last: int) -> Sequence[Any]:
    events: Any = vault.database.metadata.tables["log_events"].c
    columns = (events.position, events.name, events.stream, events.version, events.data)
    query = sa.select(*columns).where(events.position > last, events.name.in_(_names(vault)))
    return (await connection.execute(query.order_by(events.position).limit(PAGE_EVENTS))).all()


def _names(vault: EventVault) -> list[str]:
    """Every version of the stored names that have personal fields now."""
    versions = vault.codec.versions()
    marked = {noun: at for noun, at in versions.items() if vault.codec.personal(f"{noun}@{at}")}
    return [f"{noun}@{version}" for noun, at in marked.items() for version in range(1, at + 1)]


def _plain(vault: EventVault, row: Any) -> Plain | None:
    """None for a row that is sealed, or says nothing personal."""
    if MARK in row.data:
        return None
    name, data = vault.codec.encode(vault.codec.decode(row.name, row.data))
    form = vault.codec.personal(name)
    raw, values = form.split(data) if form else ({}, b"")
    if form is None or not values:
        return None
    return Plain(row.position, row.name, name, row.stream, row.version, data, form, form.subject(raw, row.stream))


async def _rewrite(vault: EventVault, connection: AsyncConnection, plain: Sequence[Plain], forgotten: set[str]) -> None:
    keys = await vault.make_keys({one.subject for one in plain} - forgotten, connection)
    table = vault.database.metadata.tables["log_events"]
    for one in plain:
        key = keys.get(one.subject)
        if key is None:
            data = orjson.dumps(one.form.split(one.data)[0])
        else:
            data = seal_event(one.form, one.stream, one.version, one.data, key)
        same = (table.c.position == one.position) & (table.c.name == one.former)
        await connection.execute(sa.update(table).where(same).values(name=one.name, data=data))
