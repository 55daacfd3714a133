"""The file that the index of a process is restored from: sealed under a key of its own, which an erasure deletes.

Whoever is erased stands in files that were written before. So an erasure deletes the keys of all files, and every file is written
under a new key, from an index that has heard of whatever was erased before that key was made.
"""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import Personal
from kernel.core.clock import Clock
from kernel.core.faults import Internal
from kernel.core.ids import new_id
from services.discovery.search.index import stored
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.index.stored import Head

KEYS = "search-file-"
"""What the names of the files' keys begin with."""


class IndexFile:
    """`form` says of what columns and generations of the read model a snapshot is: a file of others is not read."""

    def __init__(self, path: Path, database: Database, personal: Personal, clock: Clock) -> None:
        self._path, self._database, self._personal, self._clock = path, database, personal, clock

    async def restored(self, form: str) -> tuple[Snapshot, int] | None:
        """The snapshot and its mark; None without a file of this form whose key is there and that is whole."""
        head = await asyncio.to_thread(stored.head_of, self._path)
        if head is None or head.form != form:
            return None
        async with self._database.reading() as connection:
            key = (await self._personal.keys(connection, [head.key_name])).get(head.key_name)
        if key is None:
            return None
        try:
            return await asyncio.to_thread(stored.read, self._path, head, key.data_key)
        except Internal:
            return None  # cut off or changed: it is made anew

    async def new_key(self) -> str:
        """The name of a key for the next file, which must be written from what is read after this."""
        name = f"{KEYS}{new_id()}"
        await self._personal.make_key(self._database, name, self._clock())
        return name

    async def store(self, name: str, form: str, snapshot: Snapshot, mark: int) -> int:
        """Replaces the file and forgets the key of the one before; returns bytes, 0 where an erasure took the key meanwhile."""
        async with self._database.reading() as connection:
            key = (await self._personal.keys(connection, [name])).get(name)
        if key is None:
            return 0
        before = await asyncio.to_thread(stored.head_of, self._path)
        size = await asyncio.to_thread(stored.write, self._path, Head(name, form), key.data_key, snapshot, mark)
        if before is not None and before.key_name.startswith(KEYS):
            await self._personal.erase(self._database, before.key_name)
        return size


async def forget_files(database: Database, personal: Personal) -> None:
    """Deletes the keys of all files: what they hold of an erased person is gone, and their processes write new ones."""
    keys = personal.tables.keys
    async with database.transaction() as connection:
        await connection.execute(sa.delete(keys).where(keys.c.subject.startswith(KEYS, autoescape=True)))
