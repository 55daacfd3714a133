"""Commands in atomic groups, the results they are answered with, and the service's Deciders by category."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.vault.personal import SubjectKey
from kernel.core.codec import Codec
from kernel.core.decider import Decider, InlineTable, Meta
from kernel.core.events import REFUSAL, CommandRefused, Receipt, Recorded
from kernel.core.faults import Invalid
from kernel.core.ids import partition_of, split_stream


def refusal_decider() -> Decider[CommandRefused, CommandRefused | None, CommandRefused]:
    """Decider of the streams `refusal-<command id>`, which hold one event at most."""
    return Decider(
        REFUSAL, None, lambda command, state, _: [] if state else [command], lambda _, event: event, published=True
    )


@dataclass(slots=True)
class StreamState:
    """A stream as of a position: its Decider, folded state, version, owning tenant, and the partition that never changes."""

    decider: Decider[Any, Any, Any]
    state: Any
    version: int
    tenant: str
    partition: int | None


@dataclass(slots=True)
class QueuedCommand:
    """One command for a stream. `requester` names the stream that sent it over the command topic: a refusal becomes an event."""

    stream: str
    command: object
    meta: Meta
    sealed: Sequence[Any] = ()
    requester: str | None = None
    key: SubjectKey | None = None
    """Data key of the stream's subject, for commands whose events have personal fields."""

    @property
    def stream_and_id(self) -> tuple[str, str]:
        """The idempotency key as the log looks it up."""
        return self.stream, self.meta.command_id


@dataclass(slots=True)
class CommandResult:
    """Result of one command: `appended` (its last event is `version`), a `repeat`, nothing to do, or a fault."""

    version: int
    position: int
    partition: int | None
    fault: BaseException | None = None
    appended: bool = False
    repeat: bool = False
    leads_to: str = ""
    """The stream that will come of the command; empty: none."""

    def receipt(self, service: str, stream: str) -> Receipt:
        """The receipt of the command; raises its fault where it has one."""
        if self.fault is not None:
            raise self.fault
        partition = "" if self.partition is None else str(self.partition)
        coming = f":{self.leads_to}" if self.leads_to else ""
        return Receipt(stream, self.version, self.position, f"{service}:{self.position}:{partition}{coming}")

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
    """A service's Deciders by category, its inline tables by event type, and its codec."""

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

    def evolve(self, stream: StreamState, recorded: Recorded) -> None:
        """Folds a stored event into a stream's state, in place."""
        event = self.codec.decode(recorded.name, recorded.data)
        stream.state = stream.decider.evolve(stream.state, event)
        stream.version, stream.tenant = recorded.version, recorded.tenant

    def folds(self, event: object) -> Sequence[InlineTable[Any]]:
        """The inline tables that fold an event of this type."""
        return self._folds.get(type(event), ())


def stored_meta(meta: Meta, events: int) -> bytes:
    """Canonical JSON stored beside each event: actor, cause, and the command's number of events. It holds no personal data."""
    value = {  # sorted by name, as canonical JSON is
        "actor": meta.actor.id, "causation": meta.causation or meta.command_id,
        "correlation": meta.correlation or meta.command_id, "events": events, "fingerprint": meta.fingerprint,
        "roles": sorted(meta.actor.roles), "tenant": meta.actor.tenant, "traceparent": meta.traceparent,
    }  # fmt: skip
    return orjson.dumps(value)


def repeated(command: QueuedCommand, first: Recorded) -> CommandResult:
    """The first receipt again; the same id with another body is Invalid `command.id_reused`."""
    meta = orjson.loads(first.meta)
    if not command.meta.repeats(meta["fingerprint"]):
        return id_reused()
    more = meta["events"] - 1
    return CommandResult(first.version + more, first.position + more, first.partition, repeat=True)


def id_reused() -> CommandResult:
    return CommandResult(0, 0, None, Invalid("command.id_reused", do="use a new idempotency key for another body"))
