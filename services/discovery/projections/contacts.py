"""Writes what is known of creators' contacts, and their readings. No address; a note goes with the creator it was written to."""

from collections.abc import Sequence
from typing import Any, get_args

import sqlalchemy as sa

from kernel.core.canonical import canonical
from kernel.core.codec import adapter
from kernel.core.events import Delivered
from kernel.core.ids import role_reader, split_stream
from kernel.processors.projector import Target
from services.discovery.domain.contact.contact import INITIAL, Contact, evolve
from services.discovery.domain.contact.events import ContactForgotten, ContactRead, Event
from services.discovery.domain.contact.purposes import CONTACT_SHOWN
from services.discovery.tables.contacts import CONTACT_READINGS, CONTACT_STATES, CONTACTS

Row = dict[str, Any]
STAFF = tuple(map(role_reader, ("operator", "auditor")))


async def apply_contacts(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Folds events of `contact-` streams with the domain's own `evolve`."""
    own = [one for one in events if isinstance(one.event, get_args(Event))]
    stored = await target.rows(CONTACT_STATES, ((_creator_of(one),) for one in own))
    states = {key[0]: adapter(Contact).validate_json(row["state"]) for key, row in stored.items()}
    changed, readings = {}, dict[tuple[str, int], Row]()
    for incoming in own:
        creator_id, event = _creator_of(incoming), incoming.event
        states[creator_id] = evolve(states.get(creator_id, INITIAL), event)
        changed[creator_id] = incoming.at
        if isinstance(event, ContactRead):
            readings[creator_id, event.reading] = _reading(creator_id, event, incoming)
        if isinstance(event, ContactForgotten):
            readings = {key: row | {"note": ""} if key[0] == creator_id else row for key, row in readings.items()}
            table = target[CONTACT_READINGS]
            blank = sa.update(table).where(table.c.creator_id == creator_id).values(note="")
            await target.connection.execute(blank)
    await target.upsert(CONTACTS, [_public(one, states[one]) for one in changed])
    await target.upsert(CONTACT_STATES, [_private(one, states[one], at) for one, at in changed.items()])
    await target.upsert(CONTACT_READINGS, list(readings.values()))


def _creator_of(incoming: Delivered[Any]) -> str:
    return split_stream(incoming.stream)[1]


def _public(creator_id: str, state: Contact) -> Row:
    """The consent as it was given: whether its text still holds is asked at the head, and where the address is opened."""
    shown = state.is_verified and CONTACT_SHOWN in dict(state.consents)
    return {"creator_id": creator_id, "verified": state.is_verified, "shown": shown}


def _private(creator_id: str, state: Contact, at: Any) -> Row:
    """Open readings stand in their own table."""
    return {
        "creator_id": creator_id,
        "state": canonical(state).decode(),
        "changed_at": at,
        "readers": [creator_id, *STAFF],
    }


def _reading(creator_id: str, event: ContactRead, incoming: Delivered[Any]) -> Row:
    return {
        "creator_id": creator_id,
        "reading": event.reading,
        "reader_tenant": event.reader_tenant,
        "reader": event.reader,
        "purpose": event.purpose,
        "note": event.note,
        "read_at": incoming.at,
        "until": event.until,
        "readers": [creator_id, event.reader_tenant, *STAFF],
    }
