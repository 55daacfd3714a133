"""Deciding a batch in memory, in order, on copies: what the writer appends is what comes out of here. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

import orjson

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key
from kernel.core.events import Recorded
from kernel.core.faults import BUGS, Fault, Invalid, Refused
from kernel.eventlog.commands import (
    CommandRefused,
    CommandResult,
    DeciderRegistry,
    QueuedCommand,
    StreamState,
    refusal_stream,
    repeated,
    reused,
    stored_meta,
)
from kernel.eventlog.log import Pending, Statement

R = TypeVar("R")
RowKey = tuple[str, Key]
MAX_EVENTS_PER_COMMAND = 1_000
MAX_EVENT_BYTES = 512 * 1024
"""Checked before the append: what is in the log must fit a message of the bus."""


class RowMissing(BaseException):
    """A Decider or fold looked at an inline row that is not loaded yet: load it and decide again."""

    def __init__(self, table: InlineTable[Any], key: Key) -> None:
        super().__init__(table.name, key)
        self.table, self.key = table, key


@dataclass(slots=True)
class Rows:
    """What one command changes, over what was changed before it, over the loaded rows."""

    below: tuple[Mapping[RowKey, Any], ...]
    changed: dict[RowKey, Any] = field(default_factory=dict)

    def get(self, table: InlineTable[R], key: Key) -> R | None:
        where = (table.name, key)
        for layer in (self.changed, *self.below):
            if where in layer:
                found: R | None = layer[where]
                return found
        raise RowMissing(table, key)


@dataclass(slots=True)
class Decisions:
    """A whole batch, decided: rows to append, states and inline rows to keep, and the outcome of each item in order."""

    pending: list[Pending] = field(default_factory=list)
    entries: dict[str, StreamState] = field(default_factory=dict)
    rows: dict[RowKey, Any] = field(default_factory=dict)
    sealed: list[Any] = field(default_factory=list)
    outcomes: list[list[CommandResult]] = field(default_factory=list)
    quiet: list[tuple[str, str]] = field(default_factory=list)
    """Stream and id of the commands of which nothing is appended: they may have been before."""
    prepared: Statement | None = None
    """Its append made ready, where there was time for it."""

    def take(self, other: "Decisions") -> None:
        """What another decided on top of this; not its outcomes."""
        self.pending += other.pending
        self.entries |= other.entries
        self.rows |= other.rows
        self.sealed += other.sealed

    def shift(self, by: int) -> None:
        """It stands so many positions later; only where all of it is appended (nothing is quiet) is that all there is to it."""
        for outcome in chain.from_iterable(self.outcomes):
            outcome.position += by
        if self.prepared is not None:
            sql, values = self.prepared
            self.prepared = sql, values | {"expected": values["expected"] + by}


class Batch:
    """Decides units (lists of items that stand or fall together) one after another on the states given."""

    def __init__(
        self,
        deciders: DeciderRegistry,
        entries: Mapping[str, StreamState],
        rows: Mapping[RowKey, Any],
        head: int,
        at: datetime,
    ) -> None:
        self._deciders, self._loaded_entries, self._loaded_rows = deciders, dict(entries), dict(rows)
        self._head, self._at = head, at
        self.decided = Decisions()
        self.missing: dict[RowKey, None] = {}
        """Inline rows that were looked at and not loaded: load them and decide the whole batch anew."""
        self._seen: dict[tuple[str, str], tuple[str, CommandResult]] = {}

    def know(self, entries: Mapping[str, StreamState], rows: Mapping[RowKey, Any], at: datetime) -> None:
        """More that was loaded, for what is added from now on; `at`: the time it is decided at."""
        self._loaded_entries |= entries
        self._loaded_rows |= rows
        self._at = at
        self.decided.prepared = None

    @property
    def rows(self) -> Mapping[RowKey, Any]:
        """The inline rows it was decided on."""
        return self._loaded_rows

    def looked_at(self, stream: str) -> bool:
        """Whether the stream's state may have counted."""
        return stream in self._loaded_entries

    def add(self, items: Sequence[QueuedCommand], known: Mapping[tuple[str, str], Recorded]) -> None:
        """Decides one unit; if one of several items fails, none of them counts and all answer that fault."""
        alone = len(items) == 1
        into = self.decided if alone else Decisions()  # one command changes nothing unless it is decided to its end
        try:
            outcomes = [self._decide(item, known, into) for item in items]
        except RowMissing as row:
            self.missing[row.table.name, row.key] = None
            return
        failed = None if alone else next((outcome for outcome in outcomes if outcome.fault), None)
        if failed is not None:
            outcomes = [failed] * len(items)
        elif not alone:
            self.decided.take(into)
        for item, outcome in zip(items, outcomes, strict=True):
            if not outcome.appended:
                self.decided.quiet.append(item.pair)
            elif not outcome.fault:
                self._seen[item.pair] = (item.meta.fingerprint, outcome)
        self.decided.outcomes.append(outcomes)

    def _entry(self, stream: str, into: Decisions) -> StreamState:
        found = into.entries.get(stream) or self.decided.entries.get(stream) or self._loaded_entries.get(stream)
        return found or self._deciders.blank(stream)

    def _decide(self, item: QueuedCommand, known: Mapping[tuple[str, str], Recorded], into: Decisions) -> CommandResult:
        pair = item.pair
        if pair in known:
            return repeated(item, known[pair])
        if pair in self._seen:
            fingerprint, first = self._seen[pair]
            return replace(first, appended=False, repeat=True) if item.meta.repeats(fingerprint) else reused()
        if item.requester is not None and self._entry(refusal_stream(item.meta.command_id), into).version:
            return CommandResult(0, 0, None, Refused("command.refused_before"))
        try:
            return self._append(item, item.stream, item.command, into)
        except Fault as fault:
            return self._refuse(item, fault, into)
        except BUGS as error:
            return CommandResult(0, 0, None, error)

    def _refuse(self, item: QueuedCommand, fault: Fault, into: Decisions) -> CommandResult:
        """What came over the command topic is refused in public, so that nobody waits for its outcome for ever."""
        if item.requester is None or fault.kind == "unavailable":
            return CommandResult(0, 0, None, fault)
        facts = orjson.dumps(fault.facts, option=orjson.OPT_SORT_KEYS).decode()
        kind = type(item.command).__name__
        refusal = CommandRefused(item.meta.command_id, item.requester, kind, fault.code, facts)
        outcome = self._append(item, refusal_stream(item.meta.command_id), refusal, into)
        return replace(outcome, fault=fault, appended=True)

    def _append(self, item: QueuedCommand, stream: str, command: Any, into: Decisions) -> CommandResult:
        """Decides on the stream's state, folds the events into copies and queues them for the append."""
        entry = self._entry(stream, into)
        decider = entry.decider
        tenant = entry.tenant or decider.owner(command) or item.meta.actor.tenant
        below = (self.decided.rows, self._loaded_rows)
        rows = Rows(below if into is self.decided else (into.rows, *below))
        events = decider.decide(command, entry.state, Context(self._at, item.meta.actor, rows, stream, tenant))
        if len(events) > MAX_EVENTS_PER_COMMAND:
            raise Invalid("command.too_many_events", limit=MAX_EVENTS_PER_COMMAND)
        state = entry.state
        for version, event in enumerate(events, start=entry.version + 1):
            state = decider.evolve(state, event)
            for inline in self._deciders.folds(event):
                for key, row in inline.fold(DecidedEvent(stream, tenant, version, self._at, event), rows):
                    rows.changed[inline.name, key] = row
        if events:
            into.pending += self._pending(item, stream, tenant, entry, events)
            into.rows |= rows.changed
            into.entries[stream] = StreamState(decider, state, entry.version + len(events), tenant, entry.partition)
            into.sealed += item.sealed
        position = self._head + len(self.decided.pending) + (0 if into is self.decided else len(into.pending))
        return CommandResult(entry.version + len(events), position, entry.partition, appended=bool(events))

    def _pending(
        self, item: QueuedCommand, stream: str, tenant: str, entry: StreamState, events: Sequence[object]
    ) -> list[Pending]:
        """Rows for the log; raises before any of them counts."""
        meta, made, version = stored_meta(item.meta, len(events)), [], entry.version
        command: str | None = item.meta.command_id
        for event in events:
            name, data = self._deciders.codec.encode(event)
            if len(data) > MAX_EVENT_BYTES:
                raise Invalid("event.too_large", event=name, limit_bytes=MAX_EVENT_BYTES)
            version += 1
            made.append(Pending(tenant, stream, version, entry.partition, name, data, meta, command))
            command = None
        return made


def with_repeats(
    groups: Sequence[Sequence[QueuedCommand]], decided: Decisions, known: Mapping[tuple[str, str], Recorded]
) -> Decisions:
    """Gives a command of which nothing is appended the first receipt, where its id had been appended before."""

    def settled(item: QueuedCommand, outcome: CommandResult) -> CommandResult:
        return outcome if outcome.appended or item.pair not in known else repeated(item, known[item.pair])

    if known:
        decided.outcomes = [
            [settled(item, outcome) for item, outcome in zip(items, outcomes, strict=True)]
            for items, outcomes in zip(groups, decided.outcomes, strict=True)
        ]
    return decided
