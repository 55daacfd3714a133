"""The cache that one writer decides on: states of streams and inline rows, all of them as of one position of the log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.events import Recorded, refusal_stream
from kernel.core.faults import BUGS, Fault, Unavailable
from kernel.eventlog.commands import AtomicGroup, DeciderRegistry, Fenced, InTransaction, QueuedCommand, StreamState
from kernel.eventlog.decide import BatchDecider, Decisions, Earlier, RowKey
from kernel.eventlog.inline_tables import InlineTables
from kernel.eventlog.log import READ_LIMIT, Head, Log, is_cut
from kernel.runtime.loops import gather_both

STATES_LIMIT, ROWS_LIMIT = 50_000, 200_000
FAR_BEHIND = 20_000
NOTHING = Decisions()
ABSENT = object()


class HeadMoved(Exception):
    """Another process appended: the position of the cache is no longer the log's head."""


class OutcomeUnknown(Unavailable):
    """The connection was lost during an append, and whether the append happened cannot be found out now."""

    def __init__(self) -> None:
        super().__init__("command.outcome_unknown", do="send the same idempotency key again")


class TwoGenerationCache:
    """A bounded cache of two generations: a young one that holds half of the limit replaces the old one, which is dropped.

    Whole batches are cached in one step; a least-recently-used order of single entries costs several times as much."""

    def __init__(self, limit: int) -> None:
        self._half, self._young, self._old = limit // 2, dict[Any, Any](), dict[Any, Any]()

    def cache(self, entries: Mapping[Any, Any]) -> None:
        self._young |= entries
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young

    def get(self, key: Any, default: Any = None) -> Any:
        found = self._young.get(key, ABSENT)
        return self._old.get(key, default) if found is ABSENT else found

    def __contains__(self, key: object) -> bool:
        return key in self._young or key in self._old

    def __getitem__(self, key: Any) -> Any:
        return self._young[key] if key in self._young else self._old[key]

    def clear(self) -> None:
        self._young, self._old = {}, {}


class StateCache:
    """Cache of stream states and inline rows, all as of `position`. After `clear` the position is None until `initialize`."""

    def __init__(self, log: Log, deciders: DeciderRegistry) -> None:
        self._log, self._deciders = log, deciders
        self._inline = InlineTables(log, deciders.inlines)
        self._states, self._rows = TwoGenerationCache(STATES_LIMIT), TwoGenerationCache(ROWS_LIMIT)
        self._time: datetime | None = None
        self._time_read_at = 0.0
        self.position: int | None = None

    @property
    def is_timed(self) -> bool:
        return self._time is not None

    def now(self) -> datetime:
        """Database time: the last one read plus the seconds since. It never goes back, and no machine's clock is asked."""
        assert self._time is not None
        return self._time + timedelta(seconds=self._log.monotonic() - self._time_read_at)

    async def initialize(self) -> None:
        """Reads the head and the database time, unless the position is known."""
        if self.position is None:
            self.advance_to(Head((await self._log.head()).position, await self._log.now()))

    def _after(self, appending: Decisions) -> int:
        assert self.position is not None
        return self.position + len(appending.pending)

    def advance_to(self, head: Head) -> None:
        """Moves the position to the head. A head that was read may be old: `now` goes on from the head's time or later."""
        self._time = head.at if self._time is None else max(head.at, self.now())
        self._time_read_at = self._log.monotonic()
        self.position = head.position

    def clear(self) -> None:
        self.position = None
        self._states.clear()
        self._rows.clear()

    async def catch_up(self) -> list[Recorded]:
        """Reads the missed events up to the head; clears the cache where they are too many or nothing was known."""
        head = (await self._log.head()).position
        if self.position is None or head - self.position > FAR_BEHIND:
            self.clear()
            await self.initialize()
            return []
        return await self.read_missed() if head > self.position else []

    async def read_missed(self, connection: AsyncConnection | None = None) -> list[Recorded]:
        """Catches up with all events behind the position, and returns them."""
        assert self.position is not None
        found: list[Recorded] = []
        while True:
            missed = await self._log.read(self.position, connection=connection)
            self.catch_up_with(missed)
            found += missed
            if not is_cut(missed, READ_LIMIT):
                return found

    async def catch_up_locked(
        self, groups: Sequence[AtomicGroup], connection: AsyncConnection
    ) -> tuple[list[Recorded], dict[RowKey, Any]]:
        """What was missed, and the groups' rows, read meanwhile by another connection: nobody appends under the lock."""
        commands = _commands(groups)
        wanted = list(self._announced(commands, self._cached_states(commands)[0]))
        missed, rows = await gather_both(self.read_missed(connection), self._inline.read(wanted))
        self._rows.cache(rows)
        return missed, rows

    def catch_up_with(self, missed: Sequence[Recorded]) -> None:
        """Folds the events into cached states and drops all cached inline rows, which events alone cannot bring up to date."""
        for recorded in missed:
            cached = self._states.get(recorded.stream)
            if cached is not None and recorded.version == cached.version + 1:
                self._deciders.evolve(cached, recorded)
        if missed:
            self._rows.clear()
            self.advance_to(Head(missed[-1].position, missed[-1].recorded_at))

    async def decide_batch(
        self, groups: Sequence[AtomicGroup], earlier: Earlier, connection: AsyncConnection | None = None
    ) -> Decisions:
        """Loads all that is not cached, then decides; for an unannounced row that is not cached the batch is decided again."""
        states, rows = await self.load(groups, connection)
        while True:
            batch = self.batch_decider(states, rows)
            for group in groups:
                batch.add(group.commands, earlier)
            if not batch.missing_rows:
                return batch.decisions
            rows |= await self._load_rows(list(batch.missing_rows), connection)

    def batch_decider(
        self, states: Mapping[str, StreamState], rows: Mapping[RowKey, Any], appending: Decisions = NOTHING,
        *, on_announced: bool = False,
    ) -> BatchDecider:  # fmt: skip
        """An empty batch on top of the position, or of a batch that is being appended there. `on_announced`: the cache gives
        no row that no command announced."""
        cached = () if on_announced else (appending.rows, self._rows)
        return BatchDecider(self._deciders, states, rows, self._after(appending), self.now(), cached)

    def prepare_append(self, decisions: Decisions, appending: Decisions) -> None:
        """Builds the statement that appends these decisions behind a batch that is being appended."""
        if decisions.pending:
            changes = self._inline.changes(decisions)
            decisions.prepared = self._log.prepare(decisions.pending, self._after(appending), changes)

    async def load(
        self,
        groups: Sequence[AtomicGroup],
        connection: AsyncConnection | None = None,
        appending: Decisions = NOTHING,
    ) -> tuple[dict[str, StreamState], dict[RowKey, Any]]:
        """The groups' streams and announced inline rows as of the position, from the cache or one query each.

        A batch that is being appended (`appending`) hides the cached and stored values of all that it changes. Rows and
        streams are loaded at the same time: rows are announced as if unknown streams were new, then once more.
        """
        commands = _commands(groups)
        states, blank = self._cached_states(commands, appending)
        rows, missing = self._cached_rows(self._announced(commands, states), appending)
        if blank:
            if connection is None:
                await gather_both(self._load_states(blank, None), self._load_rows(missing, None))
            else:
                await self._load_states(blank, connection)
            rows, missing = self._cached_rows(self._announced(commands, states), appending)
        if missing:
            rows |= await self._load_rows(missing, connection)
        return states, rows

    def _cached_states(
        self, commands: Sequence[QueuedCommand], appending: Decisions = NOTHING
    ) -> tuple[dict[str, StreamState], dict[str, StreamState]]:
        """The states of the commands' streams, blank where nothing is cached; and the blank ones again, to be loaded."""
        states, blank = dict[str, StreamState](), dict[str, StreamState]()
        for stream in chain.from_iterable(map(_streams, commands)):
            if stream in states:
                continue
            state = appending.states.get(stream) or self._states.get(stream)
            if state is None and self._deciders.knows(stream):
                state = blank[stream] = self._deciders.blank(stream)
            if state is not None:
                states[stream] = state
        return states, blank

    def _cached_rows(self, wanted: Iterable[RowKey], appending: Decisions) -> tuple[dict[RowKey, Any], list[RowKey]]:
        """The rows that are cached, and the keys of those that are not."""
        found, missing = dict[RowKey, Any](), list[RowKey]()
        for key in wanted:
            row = appending.rows.get(key, ABSENT)
            if row is ABSENT:
                row = self._rows.get(key, ABSENT)
            if row is ABSENT:
                missing.append(key)
            else:
                found[key] = row
        return found, missing

    def _announced(self, commands: Sequence[QueuedCommand], states: Mapping[str, StreamState]) -> Iterable[RowKey]:
        """The rows that `Decider.reads` names, none for strangers. An error is the decision's: it fails for its caller only."""
        wanted: dict[RowKey, None] = {}
        for command in commands:
            stream = states.get(command.stream)
            if stream is not None:
                try:
                    if stream.decider.concerns(command.command, stream.state, command.meta.actor):
                        reads = stream.decider.reads(command.command, stream.state)
                        wanted |= {(inline.name, key): None for inline, key in reads}
                except (Fault, *BUGS):
                    continue
        return wanted

    async def _load_states(self, blank: dict[str, StreamState], connection: AsyncConnection | None) -> None:
        """Folds the stored events into the blank states; caches the states once all events could be read."""
        assert self.position is not None
        for recorded in await self._log.load(list(blank), self.position, connection):
            self._deciders.evolve(blank[recorded.stream], recorded)
        self._states.cache(blank)

    async def _load_rows(self, wanted: Sequence[RowKey], connection: AsyncConnection | None) -> dict[RowKey, Any]:
        loaded = await self._inline.read(wanted, connection) if wanted else {}
        self._rows.cache(loaded)
        return loaded

    async def append(
        self, connection: AsyncConnection | None, decisions: Decisions, moves: Sequence[InTransaction]
    ) -> Head:
        """Appends events and inline rows behind the position, and runs what moves with them; raises HeadMoved or Fenced.

        Without a connection all of it is committed when this returns; it is one statement where nothing else moves. A batch
        that changes nothing is only checked: the head must still be at the position.
        """
        if connection is None and moves:
            async with self._log.transaction() as own:
                return await self.append(own, decisions, moves)
        changes_nothing = not decisions.pending and not moves
        head = await (self._log.head(connection) if changes_nothing else self._appended(connection, decisions))
        if head is None or head.position != self._after(decisions):
            raise HeadMoved
        for move in moves:
            if connection is None or not await move(connection):
                raise Fenced
        return head

    async def _appended(self, connection: AsyncConnection | None, decisions: Decisions) -> Head | None:
        prepared = decisions.prepared
        changes = self._inline.changes(decisions) if prepared is None else ()
        at = await self._log.append(connection, decisions.pending, self._after(NOTHING), changes, prepared)
        return None if at is None else Head(self._after(decisions), at)

    def cache(self, head: Head, decisions: Decisions) -> None:
        """Caches the states and rows of a batch that was appended, and advances to its head."""
        self._states.cache(decisions.states)
        self._rows.cache(decisions.rows)
        self.advance_to(head)


def _commands(groups: Sequence[AtomicGroup]) -> list[QueuedCommand]:
    return [command for group in groups for command in group.commands]


def _streams(command: QueuedCommand) -> tuple[str, ...]:
    """The command's stream, and for a request the stream of its refusal."""
    return (command.stream,) if command.requester is None else (command.stream, refusal_stream(command.meta.command_id))
