"""A creator's contact as read: whole for itself, the address for who has just opened it, flags for everybody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.core.ids import checked_id
from kernel.edge.page_tokens import Cursor
from kernel.host.app import App
from kernel.processors.access import may_read, reading_as
from kernel.processors.keyset import Keyset, Page
from services.discovery.domain.contact.contact import INITIAL, Contact
from services.discovery.domain.contact.purposes import CONTACT_SHOWN
from services.discovery.tables.contacts import CONTACT_READINGS, CONTACT_STATES

NEWEST = Keyset(CONTACT_READINGS.c.reading, falling=True)
WATCHERS = frozenset({"operator", "auditor"})


@dataclass(frozen=True, slots=True)
class ReadContact:
    """`state` is None for strangers; `open_until` is the end of the caller's own reading."""

    creator_id: str
    address: str
    verified: bool
    shown: bool
    open_until: datetime | None
    state: Contact | None


async def contact_of(app: App, creator_id: str, actor: Actor, at: datetime) -> ReadContact:
    """The caller's part of the contact; of nobody it is empty, as of who told none."""
    checked_id(creator_id)
    async with app.database.reading() as connection:
        state = await _state(connection, creator_id)
    shown = state.is_verified and state.agreed(CONTACT_SHOWN)
    itself = actor.tenant == creator_id
    open_until = None if itself or not shown else await _open_until(app, creator_id, actor, at)
    address = ""
    if itself or open_until is not None:
        async with app.database.reading() as connection:
            texts = await app.personal.open_many(connection, [(creator_id, "address")])
        address = texts.get((creator_id, "address"), "")
    told = state if itself or not WATCHERS.isdisjoint(actor.roles) else None
    return ReadContact(creator_id, address, state.is_verified, shown, open_until, told)


async def _state(connection: AsyncConnection, creator_id: str) -> Contact:
    query = sa.select(CONTACT_STATES.c.state).where(CONTACT_STATES.c.creator_id == creator_id)
    found = (await connection.execute(query)).scalar()
    return adapter(Contact).validate_json(found) if found else INITIAL


async def _open_until(app: App, creator_id: str, actor: Actor, at: datetime) -> datetime | None:
    """The end of the newest reading by this very person that is not over."""
    readings = CONTACT_READINGS.c
    own = sa.select(sa.func.max(readings.until)).where(
        readings.creator_id == creator_id,
        readings.reader_tenant == actor.tenant,
        readings.reader == actor.id,
        readings.until > at,
    )
    async with reading_as(app.database, app.service.name, actor) as connection:
        found: Any = (await connection.execute(own)).scalar()
    return found  # type: ignore[no-any-return]


async def readings_of(app: App, creator_id: str, actor: Actor, after: Cursor | None, size: int) -> Page:
    """Readings of one creator's address that the caller may see, the newest first."""
    checked_id(creator_id)
    query = sa.select(CONTACT_READINGS).where(
        CONTACT_READINGS.c.creator_id == creator_id, may_read(CONTACT_READINGS, actor)
    )
    async with reading_as(app.database, app.service.name, actor) as connection:
        return await NEWEST.read(connection, query, after, size)
