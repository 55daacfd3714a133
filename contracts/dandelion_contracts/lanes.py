"""Lanes: turn the records of one partition into events. A lane drops repeats, holds back what follows a hole, and decodes."""

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
    """A record's result: an event (`message`) or its defect (`bad`), and the partition's position after it."""

    record: Record
    after: Position
    message: Message | None = None
    headers: Mapping[str, str] | None = None
    bad: BadRecord | None = None


class Lane(Protocol):
    """Lane of one partition."""

    after: Position
    """Position of the partition once everything admitted so far is done."""
    held: int
    """Count of records held behind a hole. `after` stays before the hole, so that a restart reads them again."""

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        """New events of the records, in order. The caller consumes the iterator whole before the next call."""


@dataclass(slots=True)
class _Chained:
    """A record with its parsed place in the partition's chain, in the form that the guard takes."""

    record: Record
    headers: Mapping[str, str]
    position: int
    previous: int

    @property
    def offset(self) -> int:
        return self.record.offset


class EventLane:
    """Lane of a partition of `<service>.events.v1`, behind the position guard.

    `wanted` maps a `ce_type` to its class. Records of other types move the guard and are skipped.
    """

    def __init__(self, start: Position, wanted: Mapping[str, type[Message]]) -> None:
        self.after = start
        self.held = 0
        self._wanted = wanted
        self._guard = Guard(start.next_offset, start.last_position or 0)
        self._adopts = start.last_position is None

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        """Admits records through the guard. One without readable headers has no place in the chain: it is reported, skipped."""
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
    """Lane of a partition of `metrics.engagement.v1`: skips a repeated envelope, by the ids of the last ENVELOPES_REMEMBERED.

    A position inside an envelope is the record's own offset with the number of its rows that are done.
    """

    def __init__(self, start: Position) -> None:
        self.after = start
        self.held = 0
        self._begun = start
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def admit(self, records: Sequence[Record]) -> Iterator[Received]:
        for record in records:
            self.after = Position(record.offset + 1, 0)
            try:
                found = self._rows(record)
            except (DecodeError, MalformedEnvelope) as error:
                yield Received(record, self.after, bad=_bad(record, f"value: {error}"))
                continue
            for row in found[self._done_of(record) :]:
                done = row.row + 1
                yield Received(record, self.after if done == len(found) else Position(record.offset, done), row)

    def _done_of(self, record: Record) -> int:
        """How many of the record's rows were done before the start."""
        return (self._begun.last_position or 0) if record.offset == self._begun.next_offset else 0

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
    """Time at which the service recorded the event (`ce_time`), or the platform observed the engagement. UTC."""
    if isinstance(received.message, EngagementRecorded):
        return received.message.observed_at.ToDatetime(UTC)
    return datetime.fromisoformat((received.headers or {})["ce_time"]).astimezone(UTC)


def is_before(received: Received, at: datetime | None) -> bool:
    """True for an event recorded before `at`. Engagement has no recorded time, so it is never before."""
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
