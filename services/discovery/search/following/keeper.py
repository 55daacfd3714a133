"""The index of one process: loaded part by part, then kept at the read model's state; nobody waits while it is being loaded."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.schema import in_texts
from kernel.adapters.vault.personal import Personal
from kernel.core.clock import Clock, system_clock
from kernel.core.faults import Unavailable
from kernel.runtime.wakeup import wait
from services.discovery.search.fields import FIELDS
from services.discovery.search.following.changes import Changes, settled
from services.discovery.search.following.file import IndexFile
from services.discovery.search.following.loading import TEXTS, between, columns, load, these
from services.discovery.search.following.recent import Recent
from services.discovery.search.index.rows import words
from services.discovery.search.index.segment import Rows
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.tables.creators import CREATORS

logger = logging.getLogger(__name__)
PART = 20_000
"""Creators that are loaded at a time."""
BATCH = 5_000
"""Changed creators that are taken in at a time."""
LOOK_AGAIN_S = 0.25
"""So often a process looks for changes of itself; every question does so too."""
AT_REST, REST_LIMIT_S = 10, 1.0
"""So many times as long as it took, and so long at most, a process leaves the index alone of itself: projectors may run."""
WAIT_S = 1.0
"""So long a question waits for changes that are being taken in."""
STORE_S = 600.0
"""So often what no longer stands is taken out of the segments, and the file is written: so long an erased person's words may stay
in memory, and so much has to be read again at most when a process starts."""
COLUMNS = sha256(" ".join((*TEXTS, *FIELDS)).encode()).hexdigest()[:16]


class Index:
    """`snapshot` is None until everything is loaded. Snapshots are immutable: a question keeps the one it began with."""

    def __init__(
        self, database: Database, personal: Personal, path: Path | None = None, clock: Clock = system_clock
    ) -> None:
        self.snapshot: Snapshot | None = None
        self.recent = Recent()
        self._database, self._personal, self._clock = database, personal, clock
        self._file = None if path is None else IndexFile(path, database, personal, clock)
        self._changes, self._waiting, self._form = Changes(0), dict[str, None](), ""
        self._lock = asyncio.Lock()
        self._stored_s = monotonic() - STORE_S

    async def keep(self, stop: asyncio.Event) -> None:
        """Restores or loads the index, then follows the read model until `stop`."""
        while not stop.is_set():
            began_s = monotonic()
            with suppress(Unavailable):
                await self.refresh()
                await self.merge()
                await self.tidy()
            rest_s = AT_REST * (monotonic() - began_s)
            await wait(stop, min(max(LOOK_AGAIN_S, rest_s), REST_LIMIT_S))

    async def refresh(self) -> None:
        """Takes in what changed since the last time; everything at the first, and when a read model has been replaced."""
        async with self._lock:
            form = await self._formed()
            if self.snapshot is None or form != self._form:
                self.snapshot = None
                await self._load(form)
            await self._follow()

    async def fresh(self) -> Snapshot | None:
        """The index at the read model's state; None while it is being loaded, and where catching up takes long: SQL answers then,
        so that who has written something finds it."""
        if self.snapshot is None:
            return None
        try:
            await asyncio.wait_for(asyncio.shield(self._caught_up()), WAIT_S)
        except TimeoutError:
            return None
        return self.snapshot

    async def _caught_up(self) -> None:
        async with self._lock:
            if self.snapshot is not None and await self._formed() == self._form:
                await self._follow()
            else:
                self.snapshot = None

    async def merge(self) -> None:
        """Merges what has become many segments, while questions and changes go on."""
        await self._beside(Snapshot.compacted)

    async def _beside(self, work: Callable[[Snapshot], Snapshot]) -> None:
        before = self.snapshot
        if before is None:
            return
        after = await asyncio.to_thread(work, before)
        async with self._lock:
            if self.snapshot is not None and self.snapshot.words is before.words:
                self.snapshot = self.snapshot.rebased(before, after)

    async def tidy(self, every_s: float = STORE_S) -> None:
        """Takes out of the segments what no longer stands, and stores the rest, each so often."""
        if monotonic() - self._stored_s < every_s:
            return
        name = await self._file.new_key() if self._file else ""
        await self.refresh()
        await self._beside(Snapshot.purged)
        async with self._lock:
            if self.snapshot is None:
                return
            self.snapshot = await asyncio.to_thread(self.snapshot.purged, True)
            self.snapshot.forget_labels()
            snapshot, mark, form = self.snapshot, self._changes.mark, self._form
        if self._file is not None:
            await self._file.store(name, form, snapshot, mark)
        self._stored_s = monotonic()
        logger.info("search index in memory", extra={"rows": snapshot.size, "bytes": snapshot.nbytes})

    async def _formed(self) -> str:
        """What the index is made of: its columns, and the generations of the read models."""
        projections = self._database.metadata.tables["projections"].c
        async with self._database.reading() as connection:
            rows = await connection.execute(
                sa.select(projections.name, projections.generation).order_by(projections.name)
            )
            return f"{COLUMNS}:{[tuple(row) for row in rows]}"

    async def _load(self, form: str) -> None:
        began_s, restored = monotonic(), await self._file.restored(form) if self._file else None
        async with self._database.reading() as connection:
            now = await settled(connection)
        is_ours = restored is not None and restored[1] <= now
        if restored is not None and is_ours:
            self.snapshot, self._changes = restored[0], Changes(restored[1])
        else:
            self._changes = Changes(now)
            self.snapshot = await self._read()
        self._form, self._waiting = form, {}
        self.recent.reset()
        logger.info(
            "search index restored" if is_ours else "search index loaded",
            extra={"rows": self.snapshot.size, "seconds": round(monotonic() - began_s, 2)},
        )

    async def _read(self) -> Snapshot:
        made, after = Snapshot(words(columns())), ""
        while ids := await self._ids(sa.select(CREATORS.c.creator_id).where(CREATORS.c.creator_id > after)):
            rows = await self._rows(made, ids, after)
            made = await asyncio.to_thread(made.changed, rows)
            after = ids[-1]
        return await asyncio.to_thread(made.compacted)

    async def _ids(self, query: sa.Select[Any]) -> list[str]:
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(CREATORS.c.creator_id).limit(PART))
            return [row.creator_id for row in rows]

    async def _rows(self, made: Snapshot, ids: Sequence[str], after: str | None = None) -> Rows:
        within = these(ids) if after is None else between(after, ids[-1])
        async with self._database.reading() as connection:
            return await load(connection, self._personal, made.words, ids, within, self._clock())

    async def _follow(self) -> None:
        async with self._database.reading() as connection:
            self._waiting |= dict.fromkeys(await self._changes.read(connection))
        while changed := list(islice(self._waiting, BATCH)):
            await self._take(changed)
            for one in changed:  # not before: what could not be taken in waits for the next time
                del self._waiting[one]

    async def _take(self, changed: Sequence[str]) -> None:
        assert self.snapshot is not None
        standing = await self._ids(sa.select(CREATORS.c.creator_id).where(in_texts(CREATORS.c.creator_id, changed)))
        rows = await self._rows(self.snapshot, standing)
        self.snapshot = await asyncio.to_thread(self.snapshot.changed, rows, sorted(set(changed) - set(standing)))
        self.recent.note(changed)
