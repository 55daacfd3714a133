"""One partition's way from records to events: repeats are dropped, holes held back, values decoded and checked."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from dandelion.metrics.v1.events_pb2 import EngagementEnvelope, EngagementRecorded
from google.protobuf.message import DecodeError, Message

from dandelion_contracts.engagement import MalformedEnvelope, rows
from dandelion_contracts.errors import BadRecord
from dandelion_contracts.guard import Guard
from dandelion_contracts.positions import Position
from dandelion_contracts.source import Record, TopicPartition

ENVELOPES_REMEMBERED = 16_384


@dataclass(slots=True)
class Received:
    """An event or its defect (`message` or `bad`), and where its partition stands when it is done."""

    record: Record
    after: Position
    message: Message | None = None
    headers: Mapping[str, str] | None = None
    bad: BadRecord | None = None


class Lane(Protocol):
    after: Position
    """Where the partition stands when everything admitted so far is done."""
    held: int
    """Records waiting behind a hole; `after` stays before the hole, so that a new start reads on from there."""

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        """What is new, in order. Consume it whole before the next call."""


@dataclass(slots=True)
class _Chained:
    """A record with its place in the partition's chain, as the guard wants it."""

    record: Record
    headers: Mapping[str, str]
    position: int
    previous: int

    @property
    def offset(self) -> int:
        return self.record.offset


class EventLane:
    """A partition of a `<service>.events.v1` topic, behind the position guard.

    `wanted` maps ce_type to class; records of other types move the guard and are passed over.
    """

    def __init__(self, start: Position, wanted: Mapping[str, type[Message]]) -> None:
        self.after = start
        self.held = 0
        self._wanted = wanted
        self._guard = Guard(start.next_offset, start.last_position or 0)
        self._adopts = start.last_position is None

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        """A record without readable headers has no place in the chain: it is reported and passed over."""
        chained: list[_Chained] = []
        for record in records:
            try:
                chained.append(_chained(record))
            except (KeyError, ValueError, OverflowError) as error:
                yield Received(record, self.after, bad=_bad(record, f"headers: {type(error).__name__} {error}"))
        if chained:
            yield from self._admit(chained)

    def _admit(self, chained: Sequence[_Chained]) -> Iterator[Received]:
        if self._adopts:
            self._guard.last_position, self._adopts = chained[0].previous, False
        admitted = self._guard.admit(chained)
        self._guard.move(admitted)
        if admitted.fresh or admitted.held:
            self.held = admitted.held
        for each in admitted.fresh:
            self.after = Position(each.offset + 1, each.position)
            if each.headers["ce_type"] in self._wanted:
                yield self._decoded(each)
        if not self.held:
            self.after = Position(admitted.next_offset, admitted.last_position)

    def _decoded(self, each: _Chained) -> Received:
        try:
            message = self._wanted[each.headers["ce_type"]].FromString(each.record.value)
        except DecodeError as error:
            return Received(each.record, self.after, bad=_bad(each.record, f"value: {error}"))
        return Received(each.record, self.after, message, each.headers)


class EngagementLane:
    """A partition of `metrics.engagement.v1`: an envelope that was sent twice counts once (among ENVELOPES_REMEMBERED)."""

    def __init__(self, start: Position) -> None:
        self.after = start
        self.held = 0
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        for record in records:
            before, self.after = self.after, Position(record.offset + 1, 0)
            try:
                found = self._rows(record)
            except (DecodeError, MalformedEnvelope) as error:
                yield Received(record, self.after, bad=_bad(record, f"value: {error}"))
                continue
            for row in found:
                after = self.after if row.row == len(found) - 1 else before
                yield Received(record, after, row)

    def _rows(self, record: Record) -> list[EngagementRecorded]:
        envelope = EngagementEnvelope.FromString(record.value)
        identity = _uuid(envelope.envelope_id)
        if identity in self._seen:
            self._seen.move_to_end(identity)
            return []
        found = rows(envelope)
        self._seen[identity] = None
        if len(self._seen) > ENVELOPES_REMEMBERED:
            self._seen.popitem(last=False)
        return found


def place(record: Record) -> TopicPartition:
    return record.topic, record.partition


def recorded_at(received: Received) -> datetime:
    """When the service recorded the event (`ce_time`); for engagement when the platform observed it. UTC."""
    if isinstance(received.message, EngagementRecorded):
        return received.message.observed_at.ToDatetime(UTC)
    return datetime.fromisoformat((received.headers or {})["ce_time"]).astimezone(UTC)


def is_before(received: Received, at: datetime | None) -> bool:
    """An event that was recorded before `at`. Envelopes carry no recorded time and are never before."""
    return at is not None and bool(received.headers) and recorded_at(received) < at


def _uuid(text: str) -> bytes:
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise MalformedEnvelope(f"envelope_id {text[:40]!r} is not a UUID") from error


def _chained(record: Record) -> _Chained:
    headers: dict[str, str] = {name: value.decode() for name, value in record.headers}
    if not headers["ce_id"] or not headers["ce_type"]:
        raise ValueError("ce_id and ce_type may not be empty")
    at = datetime.fromisoformat(headers["ce_time"])
    if at.tzinfo is None:
        raise ValueError("ce_time needs its zone")
    at.astimezone(UTC)  # the first and the last day of the calendar may have no UTC
    int(headers.get("ce_sequence", "0"))
    return _Chained(record, headers, int(headers["ce_position"]), int(headers["ce_previous"]))


def _bad(record: Record, rule: str) -> BadRecord:
    return BadRecord(record.topic, record.partition, record.offset, rule[:200])
