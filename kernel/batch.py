"""Deciding a batch in memory, in order, on copies: what the writer appends is what comes out of here. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

import orjson

from kernel.decide import (
    BUGS,
    CommandRefused,
    Deciders,
    Entry,
    Item,
    Outcome,
    refusal_stream,
    repeated,
    reused,
    stored_meta,
)
from kernel.errors import Fault, Invalid, Refused
from kernel.log import Pending
from kernel.model import Context, Fact, Inline, Key, Recorded

R = TypeVar("R")
RowKey = tuple[str, Key]
MAX_EVENTS_PER_COMMAND = 1_000
MAX_EVENT_BYTES = 512 * 1024
"""Checked before the append: what is in the log must fit a message of the bus."""


class RowMissing(BaseException):
    """A Decider or fold looked at an inline row that is not loaded yet: load it and decide again."""

    def __init__(self, table: Inline[Any], key: Key) -> None:
        super().__init__(table.name, key)
        self.table, self.key = table, key


@dataclass(slots=True)
class Rows:
    """What this unit changed, over what earlier units of the batch changed, over the loaded rows."""

    below: tuple[Mapping[RowKey, Any], ...]
    changed: dict[RowKey, Any] = field(default_factory=dict)

    def get(self, table: Inline[R], key: Key) -> R | None:
        where = (table.name, key)
        for layer in (self.changed, *self.below):
            if where in layer:
                return cast("R | None", layer[where])
        raise RowMissing(table, key)


@dataclass(slots=True)
class Decided:
    """A whole batch, decided: rows to append, states and inline rows to keep, and the outcome of each item in order."""

    pending: list[Pending] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    rows: dict[RowKey, Any] = field(default_factory=dict)
    sealed: list[Any] = field(default_factory=list)
    outcomes: list[list[Outcome]] = field(default_factory=list)


class Batch:
    """Decides units (lists of items that stand or fall together) one after another on the states given."""

    def __init__(
        self, deciders: Deciders, entries: Mapping[str, Entry], rows: Mapping[RowKey, Any], head: int, at: datetime
    ) -> None:
        self.deciders, self._entries, self._loaded = deciders, entries, rows
        self.head, self.at = head, at
        self.decided = Decided()
        self.missing: dict[RowKey, None] = {}
        """Inline rows that were looked at and not loaded: load them and decide the whole batch anew."""
        self.seen: dict[tuple[str, str], tuple[str, Outcome]] = {}

    def add(self, items: Sequence[Item], known: Mapping[tuple[str, str], Recorded]) -> None:
        """Decides one unit; if one of several items fails, none of them counts and all answer that fault."""
        trial = _Trial(self, Rows((self.decided.rows, self._loaded)))
        try:
            outcomes = [trial.decide(item, known) for item in items]
        except RowMissing as row:
            self.missing[row.table.name, row.key] = None
            return
        failed = next((outcome for outcome in outcomes if outcome.fault and len(items) > 1), None)
        if failed is not None:
            outcomes = [failed] * len(items)
        else:
            self._keep(trial, items, outcomes)
        self.decided.outcomes.append(outcomes)

    def entry(self, stream: str) -> Entry:
        found = self.decided.entries.get(stream) or self._entries.get(stream)
        return found or self.deciders.blank(stream)

    def _keep(self, trial: "_Trial", items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        self.decided.pending += trial.pending
        self.decided.entries.update(trial.entries)
        self.decided.rows.update(trial.rows.changed)
        self.decided.sealed += trial.sealed
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.appended and not outcome.fault:
                self.seen[item.pair] = (item.meta.fingerprint, outcome)


class _Trial:
    """One unit's copies: thrown away when it fails."""

    def __init__(self, batch: Batch, rows: Rows) -> None:
        self._batch, self.rows = batch, rows
        self.entries: dict[str, Entry] = {}
        self.pending: list[Pending] = []
        self.sealed: list[Any] = []

    def _entry(self, stream: str) -> Entry:
        return self.entries.get(stream) or self._batch.entry(stream)

    def decide(self, item: Item, known: Mapping[tuple[str, str], Recorded]) -> Outcome:
        if item.pair in known:
            return repeated(item, known[item.pair])
        if item.pair in self._batch.seen:
            fingerprint, first = self._batch.seen[item.pair]
            return replace(first, appended=False, repeat=True) if fingerprint == item.meta.fingerprint else reused()
        if item.requester is not None and self._entry(refusal_stream(item.meta.command_id)).version:
            return Outcome(0, 0, None, Refused("command.refused_before"))
        try:
            return self._append(item, item.stream, item.command)
        except Fault as fault:
            return self._refuse(item, fault)
        except BUGS as error:
            return Outcome(0, 0, None, error)

    def _refuse(self, item: Item, fault: Fault) -> Outcome:
        """What came over the command topic is refused in public, so that nobody waits for its outcome for ever."""
        if item.requester is None or fault.kind == "unavailable":
            return Outcome(0, 0, None, fault)
        facts = orjson.dumps(fault.facts, option=orjson.OPT_SORT_KEYS).decode()
        kind = type(item.command).__name__
        refusal = CommandRefused(item.meta.command_id, item.requester, kind, fault.code, facts)
        outcome = self._append(item, refusal_stream(item.meta.command_id), refusal)
        return replace(outcome, fault=fault, appended=True)

    def _append(self, item: Item, stream: str, command: Any) -> Outcome:
        """Decides on the stream's state, folds the events into copies and queues them for the append."""
        batch, decider, entry = self._batch, self._batch.deciders.of(stream), self._entry(stream)
        tenant = entry.tenant or decider.owner(command) or item.meta.actor.tenant
        context = Context(batch.at, item.meta.actor, self.rows, stream, tenant)
        events = decider.decide(command, entry.state, context)
        if len(events) > MAX_EVENTS_PER_COMMAND:
            raise Invalid("command.too_many_events", limit=MAX_EVENTS_PER_COMMAND)
        rows, state = Rows(self.rows.below, dict(self.rows.changed)), entry.state
        for version, event in enumerate(events, start=entry.version + 1):
            state = decider.evolve(state, event)
            self._fold(rows, Fact(stream, tenant, version, batch.at, event))
        pending = self._pending(item, stream, tenant, entry, events)
        if events:
            self.rows = rows
            self.pending += pending
            self.entries[stream] = Entry(state, entry.version + len(events), tenant, entry.partition)
            self.sealed += item.sealed
        position = batch.head + len(batch.decided.pending) + len(self.pending)
        return Outcome(entry.version + len(events), position, entry.partition, appended=bool(events))

    def _fold(self, rows: Rows, fact: Fact[Any]) -> None:
        for inline in self._batch.deciders.folds(fact.event):
            for key, row in inline.fold(fact, rows):
                rows.changed[inline.name, key] = row

    def _pending(self, item: Item, stream: str, tenant: str, entry: Entry, events: Sequence[object]) -> list[Pending]:
        meta = stored_meta(item.meta, len(events)) if events else b""
        made = []
        for number, event in enumerate(events, start=1):
            name, data = self._batch.deciders.codec.encode(event)
            if len(data) > MAX_EVENT_BYTES:
                raise Invalid("event.too_large", event=name, limit_bytes=MAX_EVENT_BYTES)
            command = item.meta.command_id if number == 1 else None
            made.append(Pending(tenant, stream, entry.version + number, entry.partition, name, data, meta, command))
        return made
