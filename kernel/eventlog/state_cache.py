"""What one writer knows as of the log's head it stands at: position, database time, states of streams, inline rows."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.events import Recorded
from kernel.core.faults import BUGS, Fault
from kernel.eventlog.commands import DeciderRegistry, QueuedCommand, StreamState, refusal_stream
from kernel.eventlog.decide import Batch, Decisions, RowKey
from kernel.eventlog.inline_tables import InlineTables
from kernel.eventlog.log import READ_LIMIT, Head, Log

STATES_LIMIT = 50_000
ROWS_LIMIT = 200_000
FAR_BEHIND = 20_000
A = TypeVar("A")
B = TypeVar("B")
Units = Sequence[Sequence[QueuedCommand]]
NOTHING = Decisions()
ABSENT = object()
FAILED = (Fault, *BUGS)


class TwoGenerationCache:
    """A bounded cache of two generations: when the young one holds half the limit the old one is dropped and it is the old.

    So whole batches are kept at once; an order of single entries costs several times as much.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._young: dict[Any, Any] = {}
        self._old: dict[Any, Any] = {}

    def keep(self, entries: Mapping[Any, Any]) -> None:
        self._young |= entries
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young

    def get(self, key: Any, default: Any = None) -> Any:
        found = self._young.get(key, ABSENT)
        return self._old.get(key, default) if found is ABSENT else found

    def clear(self) -> None:
        self._young, self._old = {}, {}


class StateCache:
    """Everything here is as the log stood at `position` (None: nothing is known, `start` first)."""

    def __init__(self, log: Log, deciders: DeciderRegistry) -> None:
        self._log, self._deciders = log, deciders
        self._inline = InlineTables(log, deciders.inlines)
        self._states, self._rows = TwoGenerationCache(STATES_LIMIT), TwoGenerationCache(ROWS_LIMIT)
        self._time: datetime | None = None
        self._told_at = 0.0
        self.position: int | None = None

    @property
    def is_timed(self) -> bool:
        return self._time is not None

    def now(self) -> datetime:
        """Database time as last told, plus what has passed since: it never goes back, and no machine's clock is asked."""
        assert self._time is not None
        return self._time + timedelta(seconds=self._log.monotonic() - self._told_at)

    async def start(self, connection: AsyncConnection | None = None) -> None:
        """Finds the head and the time anew, unless they are known."""
        if self.position is None:
            self.stand(Head((await self._log.head(connection)).position, await self._log.now()))

    def stand(self, head: Head) -> None:
        """A head that was read, not appended, may be old: time goes on from the estimate that was running."""
        self._time = head.at if self._time is None else max(head.at, self.now())
        self._told_at = self._log.monotonic()
        self.position = head.position

    def forget(self) -> None:
        self.position = None
        self._states.clear()
        self._rows.clear()

    async def catch_up(self) -> list[Recorded] | None:
        """`read_on` to where the head is now; None where that is too far or nothing was known: all is forgotten instead."""
        head = (await self._log.head()).position
        if self.position is None or head - self.position > FAR_BEHIND:
            self.forget()
            await self.start()
            return None
        return await self.read_on(None) if head > self.position else []

    async def read_on(self, connection: AsyncConnection | None) -> list[Recorded] | None:
        """Folds what others appended into the cached states and returns it; inline rows are dropped, they are read again.

        None: nothing was known.
        """
        if self.position is None:
            await self.start(connection)
            return None
        found: list[Recorded] = []
        while True:
            missed = await self._log.read(self.position, connection=connection)
            self.fold(missed)
            found += missed
            if len(missed) < READ_LIMIT:
                return found

    def fold(self, missed: Sequence[Recorded]) -> None:
        """Stands behind what others appended: cached states follow, inline rows are dropped."""
        for recorded in missed:
            entry = self._states.get(recorded.stream)
            if entry is not None and recorded.version == entry.version + 1:
                self._deciders.evolve(entry, recorded)
        if missed:
            self._rows.clear()
            self.stand(Head(missed[-1].position, missed[-1].recorded_at))

    async def ahead(self, units: Units) -> Batch | None:
        """Decides, and makes the append ready, while the head row's lock is waited for.

        None where it cannot be done so: a row that nobody announced, or a command that decides nothing or is refused (it
        must be looked up whether it came before).
        """
        assert self.position is not None
        await asyncio.sleep(0)  # the lock is asked for first
        try:
            entries, rows = await self.load(units)
            batch = Batch(self._deciders, entries, rows, self.position, self.now())
            for items in units:
                batch.add(items, {})
        except (*FAILED, DBAPIError):  # whoever decides under the lock meets the same and answers for it
            return None
        if batch.missing or batch.decided.quiet:
            return None
        self.prepare(batch.decided, NOTHING)
        return batch

    async def missed(self, batch: Batch) -> list[Recorded] | None:
        """Under the head row's lock: what came since `batch` was decided; None when that touches what it was decided on.

        It is read beside the transaction that holds the lock: while it does, what is committed is all there is.
        """
        assert self.position is not None
        events, rows = await both(self._log.read(self.position), self._inline.read(list(batch.rows)))
        stale = (
            len(events) == READ_LIMIT or rows != batch.rows or any(batch.looked_at(event.stream) for event in events)
        )
        return None if stale else events

    async def decide(
        self, units: Units, known: Mapping[tuple[str, str], Recorded], connection: AsyncConnection | None
    ) -> Decisions:
        """Loads what is missing in one query each, then decides; a row nobody announced is loaded and all decided anew."""
        assert self.position is not None
        entries, rows = await self.load(units, connection)
        while True:
            batch = Batch(self._deciders, entries, rows, self.position, self.now())
            for items in units:
                batch.add(items, known)
            if not batch.missing:
                return batch.decided
            rows |= await self._load_rows(list(batch.missing), connection)

    def following(self, base: Decisions) -> Batch:
        """An empty batch on top of one that is being appended."""
        return Batch(self._deciders, {}, {}, self._after(base), self.now())

    async def add(self, batch: Batch, units: Units, base: Decisions) -> bool:
        """Decides more units on top of `base`; False when a row is missing that nobody announced (nothing of it counts)."""
        entries, rows = await self.load(units, None, base)
        batch.know(entries, rows, self.now())
        for items in units:
            batch.add(items, {})
        return not batch.missing

    def prepare(self, decided: Decisions, base: Decisions) -> None:
        """Makes the append behind `base` ready while there is nothing else to do."""
        if decided.pending:
            expected = self._after(base)
            decided.prepared = self._log.prepare(decided.pending, expected, self._inline.changes(decided))

    def _after(self, base: Decisions) -> int:
        assert self.position is not None
        return self.position + len(base.pending)

    async def load(
        self, units: Units, connection: AsyncConnection | None = None, under_way: Decisions = NOTHING
    ) -> tuple[dict[str, StreamState], dict[RowKey, Any]]:
        """Streams and announced rows of the units as they stand at `position`; they are kept for the next time.

        What an append that is `under_way` changes is neither loaded nor kept: it is as in its own copies. Rows are asked
        for at the same time as streams, as if unknown streams were new; what these then announce besides is loaded after.
        """
        entries, blank = self._entries(units, under_way)
        rows, missing = self._rows_of(self._announced(units, entries), under_way)
        if blank:
            if connection is None:
                await both(self._fill(blank, None), self._load_rows(missing, None))
            else:
                await self._fill(blank, connection)
            rows, missing = self._rows_of(self._announced(units, entries), under_way)
        if missing:
            rows |= await self._load_rows(missing, connection)
        return entries, rows

    def _entries(self, units: Units, under_way: Decisions) -> tuple[dict[str, StreamState], dict[str, StreamState]]:
        """The units' streams as they are known, or blank; and of these the blank ones, which are to be folded."""
        entries: dict[str, StreamState] = {}
        blank: dict[str, StreamState] = {}
        for item in chain.from_iterable(units):
            streams = (item.stream,) if item.requester is None else (item.stream, refusal_stream(item.meta.command_id))
            for stream in streams:
                if stream in entries:
                    continue
                entry = under_way.entries.get(stream) or self._states.get(stream)
                if entry is None and self._deciders.knows(stream):
                    entry = blank[stream] = self._deciders.blank(stream)
                if entry is not None:
                    entries[stream] = entry
        return entries, blank

    def _rows_of(self, wanted: Iterable[RowKey], under_way: Decisions) -> tuple[dict[RowKey, Any], list[RowKey]]:
        """What is known of these rows, and which are not."""
        found: dict[RowKey, Any] = {}
        missing: list[RowKey] = []
        for key in wanted:
            row = under_way.rows.get(key, ABSENT)
            if row is ABSENT:
                row = self._rows.get(key, ABSENT)
            if row is ABSENT:
                missing.append(key)
            else:
                found[key] = row
        return found, missing

    def _announced(self, units: Units, entries: Mapping[str, StreamState]) -> Iterable[RowKey]:
        """What `reads` names. Where it fails the decision itself will ask or fail, for its caller only."""
        wanted: dict[RowKey, None] = {}
        for item in chain.from_iterable(units):
            entry = entries.get(item.stream)
            if entry is not None:
                try:
                    for inline, key in entry.decider.reads(item.command, entry.state):
                        wanted[inline.name, key] = None
                except FAILED:
                    continue
        return wanted

    async def _fill(self, blank: dict[str, StreamState], connection: AsyncConnection | None) -> None:
        """What is stored of these streams, into their blank entries; kept when all of it could be read."""
        assert self.position is not None
        for recorded in await self._log.load(list(blank), self.position, connection):
            self._deciders.evolve(blank[recorded.stream], recorded)
        self._states.keep(blank)

    async def _load_rows(self, wanted: Sequence[RowKey], connection: AsyncConnection | None) -> dict[RowKey, Any]:
        loaded = await self._inline.read(wanted, connection) if wanted else {}
        self._rows.keep(loaded)
        return loaded

    async def append(self, connection: AsyncConnection | None, decided: Decisions) -> Head | None:
        """Events at the position we stand at, and the dirty inline rows; None when the head has moved.

        Without a connection it is committed when this returns.
        """
        assert self.position is not None
        prepared = decided.prepared
        changes = self._inline.changes(decided) if prepared is None else ()
        at = await self._log.append(connection, decided.pending, self.position, changes, prepared)
        return None if at is None else Head(self.position + len(decided.pending), at)

    def keep(self, decided: Decisions) -> None:
        """After the append: what was decided is what is known."""
        self._states.keep(decided.entries)
        self._rows.keep(decided.rows)


async def both(one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """At once; a failure is raised when both have ended, so that neither goes on behind the caller's back."""
    first, second = await asyncio.gather(one, other, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    if isinstance(second, BaseException):
        raise second
    return first, second
