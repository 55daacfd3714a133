"""Deciding a batch in memory, in order, on copies: what the writer appends is what comes out of here. No I/O."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

import orjson

from kernel.codec import Codec
from kernel.errors import Fault, Invalid, Refused
from kernel.ids import partition_of, split_stream
from kernel.log import Pending
from kernel.model import Context, Decider, Fact, Inline, Key, Meta, Receipt, Recorded

R = TypeVar("R")
RowKey = tuple[str, Key]
REFUSAL = "refusal"
MAX_EVENTS_PER_COMMAND = 1_000
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""A bug in one Decider concerns its caller only: it is raised there, and the rest of the batch goes on."""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """Public in every service: a command that came over its command topic was refused, so no process waits for ever."""

    command_id: str
    requester: str
    command: str
    code: str
    facts: str


REFUSED_NAME = "command.refused@1"


def refusal_decider() -> Decider[CommandRefused, CommandRefused | None, CommandRefused]:
    """Streams `refusal-<command id>`: one event at most."""
    return Decider(
        REFUSAL, None, lambda command, state, _: [] if state else [command], lambda _, event: event, published=True
    )


@dataclass(slots=True)
class Entry:
    """A stream as the writer knows it: its folded state, version, owner and (fixed) partition."""

    state: Any
    version: int
    tenant: str
    partition: int | None


@dataclass(slots=True)
class Item:
    """One command in the queue. `requester` is set when it came over the command topic: a refusal becomes an event."""

    stream: str
    command: object
    meta: Meta
    sealed: Sequence[Any] = ()
    requester: str | None = None


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command: appended (versions first..last), a repeat, or refused with its fault."""

    version: int
    position: int
    partition: int | None
    fault: BaseException | None = None
    appended: bool = False


@dataclass(slots=True)
class Decided:
    """A whole batch, decided: rows to append, states and inline rows to keep, and the outcome of each item in order."""

    pending: list[Pending] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    rows: dict[RowKey, Any] = field(default_factory=dict)
    sealed: list[Any] = field(default_factory=list)
    outcomes: list[list[Outcome]] = field(default_factory=list)


class Deciders:
    """The service's aggregates and processes by category, its inline tables by event type, and its codec."""

    def __init__(
        self, codec: Codec, deciders: Iterable[Decider[Any, Any, Any]], inlines: Sequence[Inline[Any]], partitions: int
    ) -> None:
        self.codec = codec
        self.inlines = {inline.name: inline for inline in inlines}
        self.partitions = partitions
        self._by_category = {decider.category: decider for decider in (*deciders, refusal_decider())}
        self._folds: dict[type, list[Inline[Any]]] = {}
        for inline in inlines:
            for kind in inline.events:
                self._folds.setdefault(kind, []).append(inline)

    def of(self, stream: str) -> Decider[Any, Any, Any]:
        decider = self._by_category.get(split_stream(stream)[0])
        if decider is None:
            raise Invalid("stream.unknown_category", stream=stream[:80])
        return decider

    def blank(self, stream: str) -> Entry:
        decider = self.of(stream)
        return Entry(decider.initial, 0, "", partition_of(stream, self.partitions) if decider.published else None)

    def evolve(self, entry: Entry, recorded: Recorded) -> None:
        """Folds a stored event into an entry in place."""
        event = self.codec.decode(recorded.name, recorded.data)
        entry.state = self.of(recorded.stream).evolve(entry.state, event)
        entry.version, entry.tenant = recorded.version, recorded.tenant

    def folds(self, event: object) -> Sequence[Inline[Any]]:
        return self._folds.get(type(event), ())


class Batch:
    """Decides units (lists of items that stand or fall together) one after another on the states given."""

    def __init__(
        self, deciders: Deciders, entries: Mapping[str, Entry], rows: Mapping[RowKey, Any], head: int, at: datetime
    ) -> None:
        self._deciders, self._entries, self._loaded = deciders, entries, rows
        self._head, self._at = head, at
        self.decided = Decided()
        self.missing: dict[RowKey, None] = {}
        """Inline rows that were looked at and not loaded: load them and decide the whole batch anew."""
        self._seen: dict[tuple[str, str], tuple[str, Outcome]] = {}

    def add(self, items: Sequence[Item], known: Mapping[tuple[str, str], Recorded]) -> None:
        """Decides one unit; if one of several items fails, none of them counts and all answer that fault."""
        trial = _Trial(self, {}, Rows((self.decided.rows, self._loaded)))
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

    def _keep(self, trial: "_Trial", items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        self.decided.pending += trial.pending
        self.decided.entries.update(trial.entries)
        self.decided.rows.update(trial.rows.changed)
        self.decided.sealed += trial.sealed
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.appended and not outcome.fault:
                self._seen[item.stream, item.meta.command_id] = (item.meta.fingerprint, outcome)


class _Trial:
    """One unit's copies: thrown away when it fails."""

    def __init__(self, batch: Batch, entries: dict[str, Entry], rows: Rows) -> None:
        self._batch, self.entries, self.rows = batch, entries, rows
        self.pending: list[Pending] = []
        self.sealed: list[Any] = []

    def entry(self, stream: str) -> Entry:
        for known in (self.entries, self._batch.decided.entries, self._batch._entries):
            if stream in known:
                return known[stream]
        return self._batch._deciders.blank(stream)

    def decide(self, item: Item, known: Mapping[tuple[str, str], Recorded]) -> Outcome:
        pair = (item.stream, item.meta.command_id)
        if pair in known:
            return repeated(item, known[pair])
        if pair in self._batch._seen:
            fingerprint, first = self._batch._seen[pair]
            return first if fingerprint == item.meta.fingerprint else _reused()
        if item.requester is not None and self.entry(f"{REFUSAL}-{item.meta.command_id}").version:
            return Outcome(0, 0, None, Refused("command.refused_before"))
        try:
            return self._append(item, item.stream, None)
        except Fault as fault:
            return self._refuse(item, fault)
        except BUGS as error:
            return Outcome(0, 0, None, error)

    def _refuse(self, item: Item, fault: Fault) -> Outcome:
        if item.requester is None or fault.kind == "unavailable":
            return Outcome(0, 0, None, fault)
        facts = orjson.dumps(fault.facts, option=orjson.OPT_SORT_KEYS).decode()
        kind = type(item.command).__name__
        refusal = CommandRefused(item.meta.command_id, item.requester, kind, fault.code, facts)
        outcome = self._append(item, f"{REFUSAL}-{item.meta.command_id}", refusal)
        return Outcome(outcome.version, outcome.position, outcome.partition, fault, appended=True)

    def _append(self, item: Item, stream: str, refusal: CommandRefused | None) -> Outcome:
        """Decides on the stream's state, folds the events into copies and queues them for the append."""
        batch, entry = self._batch, self.entry(stream)
        decider, command = batch._deciders.of(stream), refusal or item.command
        tenant = entry.tenant or decider.owner(command) or item.meta.actor.tenant
        context = Context(batch._at, item.meta.actor, self.rows, stream, tenant)
        events = decider.decide(command, entry.state, context)
        if len(events) > MAX_EVENTS_PER_COMMAND:
            raise Invalid("command.too_many_events", limit=MAX_EVENTS_PER_COMMAND)
        rows = Rows(self.rows.below, dict(self.rows.changed))
        state, version = entry.state, entry.version
        for event in events:
            version += 1
            state = decider.evolve(state, event)
            self._fold(rows, Fact(stream, tenant, version, batch._at, event))
        self._queue(item, stream, tenant, entry, events)
        if events:
            self.rows = rows
            self.entries[stream] = Entry(state, version, tenant, entry.partition)
            self.sealed += item.sealed
        position = batch._head + len(batch.decided.pending) + len(self.pending)
        return Outcome(version, position, entry.partition, appended=bool(events))

    def _fold(self, rows: Rows, fact: Fact[Any]) -> None:
        for inline in self._batch._deciders.folds(fact.event):
            for key, row in inline.fold(fact, rows):
                rows.changed[inline.name, key] = row

    def _queue(self, item: Item, stream: str, tenant: str, entry: Entry, events: Sequence[object]) -> None:
        meta = stored_meta(item.meta, len(events)) if events else b""
        for number, event in enumerate(events, start=1):
            name, data = self._batch._deciders.codec.encode(event)
            command = item.meta.command_id if number == 1 else None
            version = entry.version + number
            self.pending.append(Pending(tenant, stream, version, entry.partition, name, data, meta, command))


def stored_meta(meta: Meta, events: int) -> bytes:
    """Canonical JSON beside each event: who, why, and how many events the command appended. No personal data."""
    value = {
        "actor": meta.actor.id, "tenant": meta.actor.tenant, "roles": sorted(meta.actor.roles), "events": events,
        "fingerprint": meta.fingerprint, "correlation": meta.correlation or meta.command_id,
        "causation": meta.causation or meta.command_id, "traceparent": meta.traceparent,
    }  # fmt: skip
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def repeated(item: Item, first: Recorded) -> Outcome:
    """The first receipt again; the same id with another body is Invalid `command.id_reused`."""
    meta = orjson.loads(first.meta)
    if meta["fingerprint"] != item.meta.fingerprint:
        return _reused()
    more = meta["events"] - 1
    return Outcome(first.version + more, first.position + more, first.partition)


def _reused() -> Outcome:
    return Outcome(0, 0, None, Invalid("command.id_reused", do="use a new idempotency key for another body"))


def receipt(service: str, stream: str, outcome: Outcome) -> Receipt:
    where = "" if outcome.partition is None else str(outcome.partition)
    return Receipt(stream, outcome.version, outcome.position, f"{service}:{outcome.position}:{where}")


class Recent(OrderedDict[Any, Any]):
    """A bounded cache: the least recently kept leaves first."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, entries: Mapping[Any, Any]) -> None:
        for key, value in entries.items():
            self[key] = value
            self.move_to_end(key)
        while len(self) > self._limit:
            self.popitem(last=False)
