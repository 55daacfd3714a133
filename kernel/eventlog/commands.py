"""The words of deciding: commands in the queue, what becomes of them, and the service's deciders by category. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kernel.core.codec import Codec
from kernel.core.decider import Decider, InlineTable, Meta
from kernel.core.events import Receipt, Recorded
from kernel.core.faults import Invalid
from kernel.core.ids import partition_of, split_stream

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
    def word(self) -> str:
        """For metrics: appended, repeated, nothing or the kind of fault."""
        if self.fault is not None:
            return str(getattr(self.fault, "kind", "internal"))
        return "appended" if self.appended else "repeated" if self.repeat else "nothing"


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
    if meta["fingerprint"] != item.meta.fingerprint:
        return reused()
    more = meta["events"] - 1
    return CommandResult(first.version + more, first.position + more, first.partition, repeat=True)


def reused() -> CommandResult:
    return CommandResult(0, 0, None, Invalid("command.id_reused", do="use a new idempotency key for another body"))


def receipt(service: str, stream: str, outcome: CommandResult) -> Receipt:
    where = "" if outcome.partition is None else str(outcome.partition)
    return Receipt(stream, outcome.version, outcome.position, f"{service}:{outcome.position}:{where}")
