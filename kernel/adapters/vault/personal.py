"""Crypto-shredding: personal data is encrypted per subject, outside of the log; deleting one key erases a person everywhere.

A subject's data key is stored wrapped (encrypted) by a master key. A field is encrypted by AES-256-GCM under the data key, with
a fresh nonce, and with subject, field and revision as associated data (AAD). Events carry the revision only.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import UtcTime
from kernel.core.faults import Internal, Invalid, NotFound

KEY_BYTES = 32
NONCE_BYTES = 12
PLAINTEXT_LIMIT_BYTES = 64 * 1024
OPEN_LIMIT = 1000
"""Most personal fields that one query opens."""


@dataclass(frozen=True, slots=True)
class Tables:
    """`personal_keys(subject, wrapped, key_id, created_at)` and `personal(subject, field, revision, ciphertext)`."""

    keys: sa.Table
    fields: sa.Table


def define(metadata: sa.MetaData) -> Tables:
    """Adds both tables to a service's metadata; deleting a subject's key deletes its fields."""
    keys = sa.Table(
        "personal_keys",
        metadata,
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    fields = sa.Table(
        "personal",
        metadata,
        sa.Column("subject", sa.Text, sa.ForeignKey(keys.c.subject, ondelete="CASCADE"), primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    )
    return Tables(keys, fields)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One field of one subject, encrypted; the writer upserts it as a row of `personal` in the append's transaction."""

    subject: str
    field: str
    revision: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A subject's data key in the clear: hold it for one request, never store or log it."""

    subject: str
    data_key: bytes = field(repr=False)

    def seal(self, name: str, revision: str, plaintext: str) -> Sealed:
        """Raises Invalid `personal.too_large` past 64 KiB of UTF-8."""
        data = plaintext.encode()
        if len(data) > PLAINTEXT_LIMIT_BYTES:
            raise Invalid("personal.too_large", field=name, limit_bytes=PLAINTEXT_LIMIT_BYTES)
        return Sealed(self.subject, name, revision, _encrypt(self.data_key, data, _bound(self.subject, name, revision)))

    def open(self, sealed: Sealed) -> str:
        """Raises Internal `personal.unreadable` when the ciphertext is not this subject's, field's and revision's."""
        bound = _bound(self.subject, sealed.field, sealed.revision)
        return _decrypt(self.data_key, sealed.ciphertext, bound, "personal.unreadable").decode()


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Master keys by id. `current` wraps new data keys; an older one stays until `rewrap` has moved every data key under it."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        if self.current not in self.keys or any(len(key) != KEY_BYTES for key in self.keys.values()):
            raise ValueError("master keys have 32 bytes, and the current one must be among them")

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """Master keys of a mounted file: lines `<key id> <base64 of 32 bytes>`, the first is current; raises ValueError."""
        pairs = [line.split() for line in path.read_text().splitlines() if line.strip()]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise ValueError("expected lines of a key id and a base64 key")
        try:
            keys = {key_id: base64.b64decode(text, validate=True) for key_id, text in pairs}
        except binascii.Error as error:
            raise ValueError("a master key is not base64") from error
        return cls(keys, pairs[0][0])

    def wrap(self, key: SubjectKey) -> bytes:
        """The data key under the current master key."""
        return _encrypt(self.keys[self.current], key.data_key, _bound(key.subject, self.current))

    def unwrap(self, subject: str, key_id: str, wrapped: bytes) -> SubjectKey:
        """Raises Internal `personal.master_key_missing` or `personal.key_unreadable`."""
        if key_id not in self.keys:
            raise Internal("personal.master_key_missing", key_id=key_id)
        bound = _bound(subject, key_id)
        return SubjectKey(subject, _decrypt(self.keys[key_id], wrapped, bound, "personal.key_unreadable"))


def _bound(*parts: str) -> bytes:
    """Associated data (AAD) of a ciphertext: JSON of the parts, so that ("a", "bc") differs from ("ab", "c")."""
    return json.dumps(parts).encode()


def encrypted(key: bytes, data: bytes, parts: tuple[str, ...]) -> bytes:
    """AES-256-GCM with a fresh nonce in front; `parts` are its associated data."""
    return _encrypt(key, data, _bound(*parts))


def decrypted(key: bytes, data: bytes, parts: tuple[str, ...], code: str) -> bytes:
    """What `encrypted` made; raises Internal with the code for another key, text or part."""
    return _decrypt(key, data, _bound(*parts), code)


def _encrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _decrypt(key: bytes, data: bytes, bound: bytes, code: str) -> bytes:
    try:
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Internal(code) from error


@dataclass(frozen=True, slots=True)
class Personal:
    """Keys and fields of subjects in one service's database."""

    tables: Tables
    masters: MasterKeys

    async def key(self, conn: AsyncConnection, subject: str) -> SubjectKey:
        """The subject's data key; raises NotFound `personal.no_such_subject` (never had one, or erased)."""
        keys = self.tables.keys
        row = (await conn.execute(sa.select(keys).where(keys.c.subject == subject))).one_or_none()
        if row is None:
            raise NotFound("personal.no_such_subject")
        return self.masters.unwrap(subject, row.key_id, row.wrapped)

    async def keys(self, conn: AsyncConnection, subjects: Sequence[str]) -> dict[str, SubjectKey]:
        """The data keys of those subjects that have one, by one query for each thousand."""
        keys, found = self.tables.keys, dict[str, SubjectKey]()
        for start in range(0, len(subjects), OPEN_LIMIT):
            part = subjects[start : start + OPEN_LIMIT]
            for row in await conn.execute(sa.select(keys).where(keys.c.subject.in_(part))):
                found[row.subject] = self.masters.unwrap(row.subject, row.key_id, row.wrapped)
        return found

    async def make_key(self, database: Database, subject: str, at: datetime) -> SubjectKey:
        """Loads the subject's data key, or makes one: the key's row must exist before sealed fields are appended."""
        async with database.reading() as conn:
            found = await self.keys(conn, [subject])
        if found:
            return found[subject]
        async with database.transaction() as conn:
            return (await self.make_keys(database, conn, [subject], at))[subject]

    async def make_keys(
        self, database: Database, conn: AsyncConnection, subjects: Sequence[str], at: datetime
    ) -> dict[str, SubjectKey]:
        """The data keys of many subjects: one query, one insert for those who have none, one query for these.

        Somebody else may make the same meanwhile, and theirs stands.
        """
        found = await self.keys(conn, subjects)
        missing = [subject for subject in subjects if subject not in found]
        if missing:
            await database.insert_missing(conn, self.tables.keys, [self._new_row(one, at) for one in missing])
            found |= await self.keys(conn, missing)
        return found

    def _new_row(self, subject: str, at: datetime) -> dict[str, Any]:
        wrapped = self.masters.wrap(SubjectKey(subject, AESGCM.generate_key(8 * KEY_BYTES)))
        return {"subject": subject, "wrapped": wrapped, "key_id": self.masters.current, "created_at": at}

    async def open_many(self, conn: AsyncConnection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """`{(subject, field): text}` by one query, without absent and erased fields. At most 1000 pairs."""
        pairs = sorted(set(wanted))
        if len(pairs) > OPEN_LIMIT:
            raise Invalid("personal.too_many", limit=OPEN_LIMIT)
        if not pairs:
            return {}
        keys, fields = self.tables.keys, self.tables.fields
        query = sa.select(fields, keys.c.key_id, keys.c.wrapped).join(keys, keys.c.subject == fields.c.subject)
        rows = (await conn.execute(query.where(sa.tuple_(fields.c.subject, fields.c.field).in_(pairs)))).all()
        return self._opened(rows)

    def _opened(self, rows: Sequence[sa.Row[tuple[str, str, str, bytes, str, bytes]]]) -> dict[tuple[str, str], str]:
        subjects = {row.subject: row for row in rows}
        keys = {name: self.masters.unwrap(name, row.key_id, row.wrapped) for name, row in subjects.items()}
        return {
            (row.subject, row.field): keys[row.subject].open(
                Sealed(row.subject, row.field, row.revision, row.ciphertext)
            )
            for row in rows
        }

    async def erase(self, database: Database, subject: str) -> bool:
        """Deletes the subject's key and fields for good; False when there was nothing."""
        async with database.transaction() as conn:
            return await self.erase_in(conn, subject)

    async def erase_in(self, conn: AsyncConnection, subject: str) -> bool:
        """`erase` in the caller's transaction, for example that of an append."""
        await conn.execute(sa.delete(self.tables.fields).where(self.tables.fields.c.subject == subject))
        gone = await conn.execute(sa.delete(self.tables.keys).where(self.tables.keys.c.subject == subject))
        return bool(gone.rowcount)

    async def rewrap(self, database: Database, limit: int = 500) -> int:
        """Rewraps up to `limit` data keys with the current master key and returns how many; at 0 no older key is needed."""
        keys = self.tables.keys
        async with database.transaction() as conn:
            query = sa.select(keys).where(keys.c.key_id != self.masters.current).order_by(keys.c.subject).limit(limit)
            rows = (await conn.execute(query)).all()
            for row in rows:
                wrapped = self.masters.wrap(self.masters.unwrap(row.subject, row.key_id, row.wrapped))
                same = (keys.c.subject == row.subject) & (keys.c.key_id == row.key_id)
                await conn.execute(sa.update(keys).where(same).values(wrapped=wrapped, key_id=self.masters.current))
            return len(rows)
