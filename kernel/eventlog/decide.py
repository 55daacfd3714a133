"""A batch is decided in memory, group by group, each on top of the ones before it; the writer appends the decisions. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

import orjson

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key
from kernel.core.events import CommandRefused, Recorded, refusal_stream
from kernel.core.faults import BUGS, Fault, Invalid, Refused
from kernel.eventlog.commands import (
    AtomicGroup,
    CommandResult,
    DeciderRegistry,
    QueuedCommand,
    StreamState,
    id_reused,
    repeated,
    stored_meta,
)
from kernel.eventlog.log import Pending, Statement

R = TypeVar("R")
RowKey = tuple[str, Key]
Earlier = Mapping[tuple[str, str], Recorded]
"""The first event of each command that was appended before, by (stream, command id)."""
MAX_EVENTS_PER_COMMAND = 1_000
MAX_EVENT_BYTES = 512 * 1024
"""Checked before the append: every event in the log must fit into a message of the bus."""


class RowMissing(BaseException):
    """A Decider or a fold read an inline row that is not loaded yet: the row is loaded and the batch decided again."""

    def __init__(self, table: InlineTable[Any], key: Key) -> None:
        super().__init__(table.name, key)
        self.table, self.key = table, key


class RowLayer(Protocol):
    """Values of inline rows by key, None for a row that does not exist; a key that is not in it is not known here."""

    def __contains__(self, key: object, /) -> bool: ...

    def __getitem__(self, key: RowKey, /) -> Any: ...


@dataclass(slots=True)
class LayeredRows:
    """Inline rows as one command sees them: its own changes, over those of earlier commands, over loaded and cached rows."""

    below: tuple[RowLayer, ...]
    changed: dict[RowKey, Any] = field(default_factory=dict)

    def get(self, table: InlineTable[R], key: Key) -> R | None:
        row_key = (table.name, key)
        for layer in (self.changed, *self.below):
            if row_key in layer:
                found: R | None = layer[row_key]
                return found
        raise RowMissing(table, key)

    def find(self, table: InlineTable[R], **columns: str) -> R | None:
        raise LookupError(f"{table.name}: a decision has not every row, and finds none by {sorted(columns)}")


@dataclass(slots=True)
class Decisions:
    """A decided batch: events to append, the states and inline rows that hold after the append, results group by group."""

    pending: list[Pending] = field(default_factory=list)
    states: dict[str, StreamState] = field(default_factory=dict)
    rows: dict[RowKey, Any] = field(default_factory=dict)
    sealed: list[Any] = field(default_factory=list)
    results: list[list[CommandResult]] = field(default_factory=list)
    unappended: list[tuple[str, str]] = field(default_factory=list)
    """(stream, id) of each command that appends nothing: it may be a repeat, so its id is looked up before the answer."""
    prepared: Statement | None = None
    """The append's statement, built ahead while the process was idle."""

    def take(self, other: "Decisions") -> None:
        """Adds the changes (not the results) of a group that was decided on top of these."""
        self.pending += other.pending
        self.states |= other.states
        self.rows |= other.rows
        self.sealed += other.sealed


class BatchDecider:
    """Runs the Deciders over one batch; the first event will stand at `head + 1`."""

    def __init__(
        self,
        deciders: DeciderRegistry,
        states: Mapping[str, StreamState],
        rows: Mapping[RowKey, Any],
        head: int,
        at: datetime,
        cached: tuple[RowLayer, ...] = (),
    ) -> None:
        """`cached` are layers of rows below the loaded ones: a row that no Decider announced is found there again."""
        self._deciders, self._loaded_states, self._loaded_rows = deciders, dict(states), dict(rows)
        self._cached = cached
        self._head, self._at = head, at
        self.decisions = Decisions()
        self.missing_rows: dict[RowKey, None] = {}
        """Inline rows that were read and are neither loaded nor cached: load them and decide the whole batch again."""
        self._done: dict[tuple[str, str], tuple[str, CommandResult]] = {}
        """Fingerprint and result of each command of this batch that appends, by (stream, id)."""

    def add_loaded(self, states: Mapping[str, StreamState], rows: Mapping[RowKey, Any], at: datetime) -> None:
        """Adds loaded states and rows for the groups that follow, which are decided at the time `at`."""
        self._loaded_states |= states
        self._loaded_rows |= rows
        self._at = at
        self.decisions.prepared = None

    def add(self, commands: Sequence[QueuedCommand], earlier: Earlier) -> None:
        """Decides one group. If one of several commands fails, none of them is appended and each gets that command's fault."""
        alone = len(commands) == 1
        into = self.decisions if alone else Decisions()  # a single command changes nothing unless it succeeds
        try:
            results = [self._handle(command, earlier, into) for command in commands]
        except RowMissing as row:
            self.missing_rows[row.table.name, row.key] = None
            return
        failed = None if alone else next((result for result in results if result.fault), None)
        if failed is not None:
            results = [failed] * len(commands)
        elif not alone:
            self.decisions.take(into)
        for command, result in zip(commands, results, strict=True):
            if not result.appended:
                self.decisions.unappended.append(command.stream_and_id)
            elif not result.fault:
                self._done[command.stream_and_id] = (command.meta.fingerprint, result)
        self.decisions.results.append(results)

    def _state(self, stream: str, into: Decisions) -> StreamState:
        found = into.states.get(stream) or self.decisions.states.get(stream) or self._loaded_states.get(stream)
        return found or self._deciders.blank(stream)

    def _handle(self, command: QueuedCommand, earlier: Earlier, into: Decisions) -> CommandResult:
        """The result of one command: the first receipt for a repeat, else whatever its Decider says."""
        key = command.stream_and_id
        if key in earlier:
            before = self._state(command.stream, into)
            return replace(
                repeated(command, earlier[key]), leads_to=_coming(command.command, before.decider, before.state)
            )
        if key in self._done:
            fingerprint, first = self._done[key]
            return replace(first, appended=False, repeat=True) if command.meta.repeats(fingerprint) else id_reused()
        if command.requester is not None and self._state(refusal_stream(command.meta.command_id), into).version:
            return CommandResult(0, 0, None, Refused("command.refused_before"))
        try:
            return self._run_decider(command, command.stream, command.command, into)
        except Fault as fault:
            fault.decided = True
            return self._refuse(command, fault, into)
        except BUGS as error:
            return CommandResult(0, 0, None, error)

    def _refuse(self, command: QueuedCommand, fault: Fault, into: Decisions) -> CommandResult:
        """Makes a refused request a public event, which ends the wait of the process that sent the request."""
        if command.requester is None or fault.kind == "unavailable":
            return CommandResult(0, 0, None, fault)
        facts = orjson.dumps(fault.facts, option=orjson.OPT_SORT_KEYS).decode()
        kind = type(command.command).__name__
        refusal = CommandRefused(command.meta.command_id, command.requester, kind, fault.code, facts)
        result = self._run_decider(command, refusal_stream(command.meta.command_id), refusal, into)
        return replace(result, fault=fault, appended=True)

    def _run_decider(self, command: QueuedCommand, stream: str, body: Any, into: Decisions) -> CommandResult:
        """Decides `body` on the stream's state and folds its events into new states and rows; the old ones stay as they are."""
        before = self._state(stream, into)
        decider = before.decider
        tenant = before.tenant or decider.owner(body) or command.meta.actor.tenant
        below = (self.decisions.rows, self._loaded_rows, *self._cached)
        rows = LayeredRows(below if into is self.decisions else (into.rows, *below))
        events = decider.decide(body, before.state, Context(self._at, command.meta.actor, rows, stream, tenant))
        if len(events) > MAX_EVENTS_PER_COMMAND:
            raise Invalid("command.too_many_events", limit=MAX_EVENTS_PER_COMMAND)
        state = before.state
        for version, event in enumerate(events, start=before.version + 1):
            state = decider.evolve(state, event)
            for inline in self._deciders.folds(event):
                for key, row in inline.fold(DecidedEvent(stream, tenant, version, self._at, event), rows):
                    rows.changed[inline.name, key] = row
        if events:
            into.pending += self._pending(command, stream, tenant, before, events)
            into.rows |= rows.changed
            into.states[stream] = StreamState(decider, state, before.version + len(events), tenant, before.partition)
            into.sealed += command.sealed
        position = self._head + len(self.decisions.pending) + (0 if into is self.decisions else len(into.pending))
        result = CommandResult(before.version + len(events), position, before.partition, appended=bool(events))
        result.leads_to = _coming(body, decider, state)
        return result

    def _pending(
        self, command: QueuedCommand, stream: str, tenant: str, before: StreamState, events: Sequence[object]
    ) -> list[Pending]:
        """The log's rows for these events; raises before any of them is added to the batch."""
        meta, made, version = stored_meta(command.meta, len(events)), [], before.version
        command_id: str | None = command.meta.command_id
        for event in events:
            name, data = self._deciders.codec.encode(event)
            if len(data) > MAX_EVENT_BYTES:
                raise Invalid("event.too_large", event=name, limit_bytes=MAX_EVENT_BYTES)
            version += 1
            made.append(Pending(tenant, stream, version, before.partition, name, data, meta, command_id, command.key))
            command_id = None
        return made


def _coming(command: Any, decider: Decider[Any, Any, Any], state: Any) -> str:
    """The stream that an accepted command leads to, also a repeated one."""
    return decider.leads_to(command, state) or ""


def with_repeats(groups: Sequence[AtomicGroup], decisions: Decisions, earlier: Earlier) -> Decisions:
    """Gives the first receipt to each command that appends nothing and whose id was appended earlier."""

    def final(command: QueuedCommand, result: CommandResult) -> CommandResult:
        first = None if result.appended else earlier.get(command.stream_and_id)
        return result if first is None else replace(repeated(command, first), leads_to=result.leads_to)

    if earlier:
        decisions.results = [
            [final(command, result) for command, result in zip(group.commands, results, strict=True)]
            for group, results in zip(groups, decisions.results, strict=True)
        ]
    return decisions
