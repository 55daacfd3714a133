"""Event vault: encrypts the personal fields of events before they enter the log, and decrypts them where the log is read.

All personal fields of one event are one ciphertext under the subject's data key, with subject and event id as associated data.
A subject without a key reads as blanks, and so do events that were sealed under a key destroyed before: what is encrypted
stays where it stands, and codecs pass over it.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import MasterKeys, Personal, SubjectKey, Tables, decrypted, encrypted
from kernel.core.clock import system_clock
from kernel.core.codec import Codec
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.core.ids import split_stream
from kernel.core.personal import MARK, SEALED, SEALED_FOR, PersonalForm, join
from kernel.runtime.settings import Settings

NAME_BYTES = 8
"""Bytes in front of a ciphertext that name its data key: they tell a destroyed key's text from one that was changed."""


@dataclass(frozen=True, slots=True)
class EventVault:
    """Seals and opens the events of one service; `personal` is made at the first use, which reads the master keys."""

    database: Database
    codec: Codec
    personal: Callable[[], Personal]

    def sealed(self, name: str, stream: str, version: int, data: bytes, key: SubjectKey | None) -> bytes:
        """The bytes to store. Raises Internal `personal.key_missing` rather than store a personal field in plaintext."""
        form = self.codec.personal(name)
        return seal_event(form, stream, version, data, key) if form else data

    def wants_key(self, name: str, stream: str, data: bytes) -> str | None:
        """The subject whose key the log has to find for an event: one that the event names, and only if it says something of it.

        Of other events the key comes with the command, which fails where somebody erased the subject meanwhile.
        """
        form = self.codec.personal(name)
        if form is None or not form.names_subject:
            return None
        raw, values = form.split(data)
        return form.subject(raw, stream) if values else None

    async def make_keys(self, subjects: Iterable[str], connection: AsyncConnection | None) -> dict[str, SubjectKey]:
        """The keys of the subjects, made where there is none, in the connection's transaction or one of their own."""
        wanted = sorted(set(subjects))
        if connection is not None:
            return await self.personal().make_keys(self.database, connection, wanted, system_clock())
        async with self.database.transaction() as own:
            return await self.personal().make_keys(self.database, own, wanted, system_clock())

    async def opened(self, events: list[Recorded], connection: AsyncConnection | None) -> list[Recorded]:
        """The events with their personal fields; one query for the keys of all subjects in them."""
        found = {at: orjson.loads(one.data) for at, one in enumerate(events) if self._is_sealed(one)}
        if not found:
            return events
        subjects = {at: str(raw.get(SEALED_FOR) or split_stream(events[at].stream)[1]) for at, raw in found.items()}
        keys = await self._keys(sorted(set(subjects.values())), connection)
        return [
            _opened(one, found[at], keys.get(subjects[at])) if at in found else one for at, one in enumerate(events)
        ]

    async def _keys(self, subjects: Sequence[str], connection: AsyncConnection | None) -> dict[str, SubjectKey]:
        if connection is not None:
            return await self.personal().keys(connection, subjects)
        async with self.database.reading() as reading:
            return await self.personal().keys(reading, subjects)

    def _is_sealed(self, event: Recorded) -> bool:
        """By what stands in it; looked for where its form may have personal fields, or nobody knows the form any more."""
        if self.codec.is_current(event.name) and self.codec.personal(event.name) is None:
            return False
        return MARK in event.data


def _opened(event: Recorded, raw: dict[str, Any], key: SubjectKey | None) -> Recorded:
    """The event with its personal fields; as it is stored where its key is gone, which every codec reads as blanks."""
    values = open_event(str(raw[SEALED]), event.id, key)
    if not values:
        return event
    del raw[SEALED]
    raw.pop(SEALED_FOR, None)
    # filled with blanks: a read is bounded by the size of what is stored
    return event._replace(data=join(raw, values).ljust(len(event.data)))


def vault_of(database: Database, codec: Codec, settings: Settings) -> EventVault | None:
    """Vault of a service's database; None for a service that keeps no personal data. Every reader of its log needs it."""
    tables = database.metadata.tables
    if "personal_keys" not in tables:
        return None

    @cache
    def personal() -> Personal:
        if settings.master_keys_file is None:
            raise Internal("personal.no_master_keys", do="set DANDELION_MASTER_KEYS_FILE")
        masters = MasterKeys.read(settings.master_keys_file)
        return Personal(Tables(tables["personal_keys"], tables["personal"]), masters)

    return EventVault(database, codec, personal)


def seal_event(form: PersonalForm, stream: str, version: int, data: bytes, key: SubjectKey | None) -> bytes:
    """The event with blanks, and its personal fields encrypted beside them."""
    raw, values = form.split(data)
    if values:
        subject = form.subject(raw, stream)
        if key is None or key.subject != subject:
            raise Internal("personal.key_missing", stream=stream)
        cipher = encrypted(key.data_key, values, (subject, f"{stream}@{version}"))
        raw[SEALED] = base64.b64encode(_name_of(key) + cipher).decode()
        if subject != split_stream(stream)[1]:
            raw[SEALED_FOR] = subject
    return orjson.dumps(raw)


def open_event(text: str, event_id: str, key: SubjectKey | None) -> bytes:
    """JSON of an event's personal fields; b"" where its key is gone. Raises Internal `personal.unreadable` if it was changed."""
    data = base64.b64decode(text)
    if key is None or data[:NAME_BYTES] != _name_of(key):
        return b""
    return decrypted(key.data_key, data[NAME_BYTES:], (key.subject, event_id), "personal.unreadable")


def _name_of(key: SubjectKey) -> bytes:
    return hashlib.blake2b(key.data_key, digest_size=NAME_BYTES, person=b"event key").digest()
