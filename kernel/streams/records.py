"""Records as consumers get them: read from the own log or a topic, decoded, and grouped with the guard that they move.

A guard moves by compare-and-set in the handler's transaction. The loops are in kernel.streams.consumer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kernel.adapters.bus import BusRecord
from kernel.core.codec import Codec, incoming_of
from kernel.core.events import Delivered, Recorded
from kernel.core.faults import Fault
from kernel.core.guard import Admitted, Guard

OWN_LOG = "log"
UNDECODABLE = (Fault, ArithmeticError, ValueError, LookupError, TypeError, AttributeError)
BATCH_RECORDS = 5_000
UNREADABLE = "unreadable:"
"""Before topic, partition and offset: the key of a record whose headers say nothing."""
Decode = Callable[[str, bytes], Any]
"""`(ce_type, value) -> the service's own dataclass`, or None for a type it does not care about; ValueError if malformed."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`chained`: an event topic with `ce_position` and `ce_previous`. Command and envelope topics are not: ids suffice there."""

    name: str
    chained: bool = True

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


@dataclass(slots=True)
class InboundRecord:
    """One record and its decoded form: `incoming` (None: of no interest to the service), or `error` (undecodable)."""

    offset: int
    position: int
    previous: int
    key: str
    type: str
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    incoming: Delivered[Any] | None = None
    error: str | None = None
    requester: str = ""
    tenant: str = ""
    """As the headers say; "" where they do not."""

    @property
    def charged_to(self) -> str:
        """The tenant whose budget of parked keys the record counts in."""
        return self.incoming.tenant if self.incoming is not None else self.tenant


@dataclass(slots=True)
class PartitionBatch:
    """Part of a batch: the records of one partition of one source, and how they move the partition's guard."""

    source: str
    partition: int
    guard: Guard
    admitted: Admitted[InboundRecord]
    broken: list[InboundRecord] = field(default_factory=list)
    """Records whose headers cannot be read. They have no place in the chain, and are parked under their offset."""
    repeats: int = 0


def placed(parts: Sequence[PartitionBatch]) -> list[tuple[PartitionBatch, InboundRecord]]:
    """The records to apply or park, in order, each with the part that it belongs to."""
    return [(part, inbound) for part in parts for inbound in (*part.broken, *part.admitted.fresh)]


Handle = Callable[[Sequence[PartitionBatch]], Awaitable[None]]
"""Applies a batch and moves the guards in one transaction, or raises."""


def of_log(service: str, codec: Codec, guard: Guard, recorded: Sequence[Recorded]) -> PartitionBatch:
    """A part made of stored events of the own log."""
    return of_tail(guard, [decoded(service, codec, event) for event in recorded])


def of_tail(guard: Guard, inbound: Sequence[InboundRecord]) -> PartitionBatch:
    """A part made of decoded events of the own log. Positions are dense: there are no repeats and no holes."""
    last = inbound[-1].position
    return PartitionBatch(OWN_LOG, 0, guard, Admitted(list(inbound), last + 1, last))


def decoded(service: str, codec: Codec, event: Recorded) -> InboundRecord:
    """A stored event as a record, decoded."""
    inbound = InboundRecord(
        event.position, event.position, event.position - 1, event.stream, event.name, event.data, (),
        tenant=event.tenant,
    )  # fmt: skip
    return attempt(inbound, lambda: incoming_of(service, event, codec))


def of_topic(topic: Topic, partition: int, guard: Guard, records: Sequence[InboundRecord]) -> PartitionBatch:
    """A part made of records of a topic's partition: without repeats, and without the records behind a hole."""
    read = [inbound for inbound in records if inbound.offset >= guard.next_offset]
    broken = [inbound for inbound in read if inbound.position < 0]
    whole = [inbound for inbound in read if inbound.position >= 0] if broken else read
    unchained = Admitted(whole, guard.next_offset, guard.last_position)
    admitted = guard.admit(whole) if topic.chained else unchained
    if read and admitted.hole is None:
        admitted = Admitted(admitted.fresh, read[-1].offset + 1, admitted.last_position)
    repeats = len(whole) - len(admitted.fresh) - admitted.held
    return PartitionBatch(topic.name, partition, guard, admitted, broken, repeats)


def read_records(topic: Topic, records: Sequence[BusRecord], decode: Decode) -> list[InboundRecord]:
    """Decoded records with their places in the chain. The guard decides later which of them are fresh."""
    return [_read(topic, record, decode) for record in records]


def _read(topic: Topic, record: BusRecord, decode: Decode) -> InboundRecord:
    """Position -1 and an error when the headers that give type and place cannot be read.

    Such a record is parked under a key of its own, so that it stops no other key. It cannot be a missing event of its key, as a
    missing event would be a hole in the chain.
    """
    key = record.key.decode("utf-8", "replace").replace("\x00", "\ufffd")
    inbound = InboundRecord(record.offset, -1, -1, key, "", record.value, record.headers)
    try:
        headers = find_place(topic, inbound)
    except (KeyError, ValueError) as error:
        inbound.error = f"headers: {type(error).__name__}: {error}"[:200]
        inbound.key = f"{UNREADABLE}{topic.name}/{record.partition}/{record.offset}"
        return inbound
    try:
        inbound.incoming = _received(topic, inbound, headers, decode)
    except UNDECODABLE as error:
        inbound.error = f"{type(error).__name__}: {error}"[:200]
    return inbound


def find_place(topic: Topic, inbound: InboundRecord) -> dict[str, bytes]:
    """Sets type, requester and place from the headers; KeyError or ValueError when they cannot be read by any version."""
    headers = dict(inbound.headers)
    inbound.type, inbound.requester, inbound.tenant = texts(
        headers["ce_type"], headers.get("ce_requester", b""), headers.get("ce_tenant", b"")
    )
    if topic.chained:
        position, previous = int(headers["ce_position"]), int(headers["ce_previous"])
        if position < 0:
            raise ValueError("a position below 0")
        inbound.position, inbound.previous = position, previous
    else:
        inbound.position = inbound.offset
    return headers


def received(topic: Topic, inbound: InboundRecord, decode: Decode) -> Delivered[Any] | None:
    """The event of a record as the service knows it; None for a type that is of no interest to the service."""
    return _received(topic, inbound, dict(inbound.headers), decode)


def _received(
    topic: Topic, inbound: InboundRecord, headers: Mapping[str, bytes], decode: Decode
) -> Delivered[Any] | None:
    event = decode(inbound.type, inbound.value)
    if event is None:
        return None
    get = headers.get
    source, id_, subject, sequence, tenant, time, correlation, trace = texts(
        get("ce_source", b""), headers["ce_id"], get("ce_subject", b""), get("ce_sequence", b"0"),
        get("ce_tenant", b""), headers["ce_time"], get("ce_correlation", b""), get("traceparent", b""),
    )  # fmt: skip
    at = datetime.fromisoformat(time)
    return Delivered(
        source or topic.service, id_, subject or inbound.key, int(sequence), inbound.position, tenant,
        at if at.tzinfo is UTC else at.astimezone(UTC), event, correlation, trace,
    )  # fmt: skip


def texts(*values: bytes) -> list[str]:
    """Headers' texts, all decoded at once; ValueError when one is no UTF-8 or holds a NUL, which PostgreSQL does not store."""
    found = b"\x00".join(values).decode().split("\x00")
    if len(found) != len(values):
        raise ValueError("a header holds a NUL byte")
    return found


def attempt(inbound: InboundRecord, make: Callable[[], Delivered[Any] | None]) -> InboundRecord:
    """Sets `incoming`, or `error` where the record cannot be decoded: it is then parked by its key, never skipped."""
    try:
        inbound.incoming = make()
    except UNDECODABLE as error:
        inbound.error = f"{type(error).__name__}: {error}"[:200]
    return inbound
