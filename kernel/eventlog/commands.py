"""Commands on their way through the writer: queued alone or as an atomic group, decided by a service's deciders, answered
with a result."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.codec import Codec
from kernel.core.decider import Decider, InlineTable, Meta
from kernel.core.events import Receipt, Recorded
from kernel.core.faults import Invalid
from kernel.core.ids import partition_of, split_stream
from kernel.runtime import telemetry

REFUSAL = "refusal"
REFUSED_NAME = "command.refused@1"


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """Public in every service: a command that came over its command topic was refused, so no process waits for ever."""

    command_id: str
    requester: str
    command: str
    code: str
    facts: str


def refusal_stream(command_id: str) -> str:
    return f"{REFUSAL}-{command_id}"


def refusal_decider() -> Decider[CommandRefused, CommandRefused | None, CommandRefused]:
    """Streams `refusal-<command id>`: one event at most."""
    return Decider(
        REFUSAL, None, lambda command, state, _: [] if state else [command], lambda _, event: event, published=True
    )


@dataclass(slots=True)
class StreamState:
    """A stream as the writer knows it: who decides for it, its folded state, version, owner and (fixed) partition."""

    decider: Decider[Any, Any, Any]
    state: Any
    version: int
    tenant: str
    partition: int | None


@dataclass(slots=True)
class QueuedCommand:
    """One command in the queue. `requester` is set when it came over the command topic: a refusal becomes an event."""

    stream: str
    command: object
    meta: Meta
    sealed: Sequence[Any] = ()
    requester: str | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.stream, self.meta.command_id


@dataclass(slots=True)
class CommandResult:
    """What became of one command: `appended` (its last event is `version`), a `repeat`, nothing to do, or its fault."""

    version: int
    position: int
    partition: int | None
    fault: BaseException | None = None
    appended: bool = False
    repeat: bool = False

    @property
    def outcome(self) -> str:
        """The label of metrics: appended, repeated, nothing or the kind of fault."""
        if self.fault is not None:
            return str(getattr(self.fault, "kind", "internal"))
        return "appended" if self.appended else "repeated" if self.repeat else "nothing"


InTransaction = Callable[[AsyncConnection], Awaitable[bool]]
"""Runs in the append's transaction, for example to move a consumer's checkpoint. It returns False when another process owns
that checkpoint: the append is rolled back and its group raises Fenced."""


class Fenced(Exception):
    """Raised to an atomic group whose checkpoint belongs to another process: nothing of the group was written."""


@dataclass(slots=True)
class AtomicGroup:
    """Commands that are appended together or not at all, and the future that their caller awaits."""

    commands: list[QueuedCommand]
    in_transaction: InTransaction | None
    done: asyncio.Future[list[CommandResult]]
    queued_at: float
    """monotonic(), seconds."""

    def resolve(self, results: list[CommandResult]) -> None:
        if not self.done.done():
            self.done.set_result(results)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class DeciderRegistry:
    """The service's aggregates and processes by category, its inline tables by event type, and its codec."""

    def __init__(
        self,
        codec: Codec,
        deciders: Iterable[Decider[Any, Any, Any]],
        inlines: Sequence[InlineTable[Any]],
        partitions: int,
    ) -> None:
        self.codec = codec
        self.inlines = {inline.name: inline for inline in inlines}
        self.partitions = partitions
        self._by_category = {decider.category: decider for decider in (*deciders, refusal_decider())}
        self._folds: dict[type, list[InlineTable[Any]]] = {}
        for inline in inlines:
            for kind in inline.events:
                self._folds.setdefault(kind, []).append(inline)

    def knows(self, stream: str) -> bool:
        return split_stream(stream)[0] in self._by_category

    def of(self, stream: str) -> Decider[Any, Any, Any]:
        decider = self._by_category.get(split_stream(stream)[0])
        if decider is None:
            raise Invalid("stream.unknown_category", stream=stream[:80])
        return decider

    def blank(self, stream: str) -> StreamState:
        decider = self.of(stream)
        partition = partition_of(stream, self.partitions) if decider.published else None
        return StreamState(decider, decider.initial, 0, "", partition)

    def evolve(self, entry: StreamState, recorded: Recorded) -> None:
        """Folds a stored event into an entry in place."""
        event = self.codec.decode(recorded.name, recorded.data)
        entry.state = entry.decider.evolve(entry.state, event)
        entry.version, entry.tenant = recorded.version, recorded.tenant

    def folds(self, event: object) -> Sequence[InlineTable[Any]]:
        return self._folds.get(type(event), ())


def stored_meta(meta: Meta, events: int) -> bytes:
    """Canonical JSON beside each event: who, why, and how many events the command appended. No personal data."""
    value = {  # in the order of their names, as canonical JSON has them
        "actor": meta.actor.id, "causation": meta.causation or meta.command_id,
        "correlation": meta.correlation or meta.command_id, "events": events, "fingerprint": meta.fingerprint,
        "roles": sorted(meta.actor.roles), "tenant": meta.actor.tenant, "traceparent": meta.traceparent,
    }  # fmt: skip
    return orjson.dumps(value)


def repeated(item: QueuedCommand, first: Recorded) -> CommandResult:
    """The first receipt again; the same id with another body is Invalid `command.id_reused`."""
    meta = orjson.loads(first.meta)
    if not item.meta.repeats(meta["fingerprint"]):
        return reused()
    more = meta["events"] - 1
    return CommandResult(first.version + more, first.position + more, first.partition, repeat=True)


def reused() -> CommandResult:
    return CommandResult(0, 0, None, Invalid("command.id_reused", do="use a new idempotency key for another body"))


def receipt(service: str, stream: str, outcome: CommandResult) -> Receipt:
    where = "" if outcome.partition is None else str(outcome.partition)
    return Receipt(stream, outcome.version, outcome.position, f"{service}:{outcome.position}:{where}")


def moves_with_append(groups: Sequence[AtomicGroup], results: Sequence[Sequence[CommandResult]]) -> list[InTransaction]:
    """The `in_transaction` of each group without a fault; a group that failed keeps its checkpoint where it was."""
    placed = zip(groups, results, strict=True)
    return [group.in_transaction for group, own in placed if group.in_transaction and not any(one.fault for one in own)]


def fail_all(groups: Sequence[AtomicGroup], error: BaseException) -> None:
    """Fails every group with the same error, and counts each of their commands."""
    for group in groups:
        group.fail(error)
        for command in group.commands:
            kind = str(getattr(error, "kind", "internal"))
            telemetry.count("commands_total", command=type(command.command).__name__, outcome=kind)


def count_results(
    groups: Sequence[AtomicGroup], results: Sequence[Sequence[CommandResult]], events: Iterable[str], answered_at: float
) -> None:
    """Metrics of one batch: results by command, each command's seconds from queue to answer, and appended events by name."""
    seconds, outcomes = dict[str, list[float]](), dict[tuple[str, str], int]()
    for group, own in zip(groups, results, strict=True):
        for command, result in zip(group.commands, own, strict=True):
            kind = type(command.command).__name__
            seconds.setdefault(kind, []).append(answered_at - group.queued_at)
            outcomes[kind, result.outcome] = outcomes.get((kind, result.outcome), 0) + 1
    for (kind, outcome), count in outcomes.items():
        telemetry.count("commands_total", count, command=kind, outcome=outcome)
    for kind, waited in seconds.items():
        telemetry.observe_each("command_seconds", waited, command=kind)
    for event, count in Counter(events).items():
        telemetry.count("events_appended_total", count, event=event)
    telemetry.observe("writer_batch_size", len(groups))
