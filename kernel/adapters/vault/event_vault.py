"""Event vault: encrypts the personal fields of events before they enter the log, and decrypts them where the log is read.

All personal fields of one event are one ciphertext under the subject's data key, with subject and event id as associated data.
A subject without a key reads as blanks, and so do events that were sealed under a key destroyed before.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import MasterKeys, Personal, SubjectKey, Tables, decrypted, encrypted
from kernel.core.codec import Codec
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.core.ids import split_stream
from kernel.core.personal import SEALED, PersonalForm, join
from kernel.runtime.settings import Settings

_MARK = f'"{SEALED}":"'.encode()
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

    async def opened(self, events: list[Recorded], connection: AsyncConnection | None) -> list[Recorded]:
        """The events with their personal fields; one query for the keys of all subjects in them."""
        wanted = sorted({split_stream(one.stream)[1] for one in events if self._is_personal(one)})
        if not wanted:
            return events
        keys = await self._keys(wanted, connection)
        return [self._opened(one, keys) for one in events]

    async def _keys(self, subjects: Sequence[str], connection: AsyncConnection | None) -> dict[str, SubjectKey]:
        if connection is not None:
            return await self.personal().keys(connection, subjects)
        async with self.database.reading() as reading:
            return await self.personal().keys(reading, subjects)

    def _is_personal(self, event: Recorded) -> bool:
        """By its form; an event of a former version, whose form nobody knows any more, by what stands in it."""
        if self.codec.is_current(event.name):
            return self.codec.personal(event.name) is not None
        return _MARK in event.data

    def _opened(self, event: Recorded, keys: Mapping[str, SubjectKey]) -> Recorded:
        if not self._is_personal(event):
            return event
        raw = orjson.loads(event.data)
        text = raw.pop(SEALED, "")
        values = open_event(str(text), event.id, keys.get(split_stream(event.stream)[1])) if text else b""
        data = join(raw, values) if values else orjson.dumps(raw)
        # filled with blanks: a read is bounded by the size of what is stored
        return event._replace(data=data.ljust(len(event.data)))


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
        subject = split_stream(stream)[1]
        if key is None or key.subject != subject:
            raise Internal("personal.key_missing", stream=stream)
        cipher = encrypted(key.data_key, values, (subject, f"{stream}@{version}"))
        raw[SEALED] = base64.b64encode(_name_of(key) + cipher).decode()
    return orjson.dumps(raw)


def open_event(text: str, event_id: str, key: SubjectKey | None) -> bytes:
    """JSON of an event's personal fields; b"" where its key is gone. Raises Internal `personal.unreadable` if it was changed."""
    data = base64.b64decode(text)
    if key is None or data[:NAME_BYTES] != _name_of(key):
        return b""
    return decrypted(key.data_key, data[NAME_BYTES:], (key.subject, event_id), "personal.unreadable")


def _name_of(key: SubjectKey) -> bytes:
    return hashlib.blake2b(key.data_key, digest_size=NAME_BYTES, person=b"event key").digest()
