"""Event: a message with its envelope, as a subscriber gets it."""

from datetime import datetime
from typing import Generic, TypeVar, cast

from dandelion.metrics.v1.events_pb2 import EngagementRecorded
from google.protobuf.message import Message

from dandelion_contracts.events import type_name
from dandelion_contracts.lanes import Received, place, recorded_at
from dandelion_contracts.positions import Position
from dandelion_contracts.source import TopicPartition

M = TypeVar("M", bound=Message)


class Event(Generic[M]):
    """An event: its `message`, and the headers of its record. A property parses its header when it is asked for."""

    __slots__ = ("_received", "message")

    def __init__(self, received: Received) -> None:
        self._received = received
        self.message = cast(M, received.message)

    def __repr__(self) -> str:
        return f"<Event {self.id} {self.type} at {self.where[0]}[{self.where[1]}]@{self.offset}>"

    def header(self, name: str) -> str:
        """Header of the record, e.g. `ce_source`; empty when absent."""
        return (self._received.headers or {}).get(name, "")

    @property
    def type(self) -> str:
        """Full protobuf name of the message."""
        return type_name(self.message)

    @property
    def id(self) -> str:
        """Id of the event, the same in every repeat: `<stream>@<version>`; for engagement `<envelope>/<row>`."""
        if isinstance(self.message, EngagementRecorded):
            return f"{self.message.envelope_id}/{self.message.row}"
        return self.header("ce_id")

    @property
    def stream(self) -> str:
        """Id of the stream, `<noun>-<uuid>`; events of one stream come in order."""
        return self.header("ce_subject") or self._received.record.key.decode("utf-8", "replace")

    @property
    def version(self) -> int:
        """Version of the stream at this event, from 1; 0 for engagement."""
        return int(self.header("ce_sequence") or "0")

    @property
    def tenant(self) -> str:
        """Organisation that owns the stream, or that sent the engagement."""
        return self.message.tenant if isinstance(self.message, EngagementRecorded) else self.header("ce_tenant")

    @property
    def at(self) -> datetime:
        """Time at which the service recorded the event, or the platform observed the engagement. UTC."""
        return recorded_at(self._received)

    @property
    def where(self) -> TopicPartition:
        return place(self._received.record)

    @property
    def offset(self) -> int:
        return self._received.record.offset

    @property
    def after(self) -> Position:
        """Position of the partition after this event: store it in your own transaction, and a restart brings no event again.

        For an event topic that is exactly once. An envelope of engagement that the bus has twice is told apart by
        `message.envelope_id` only while the first one is remembered, which a restart forgets.
        """
        return self._received.after

    @property
    def correlation(self) -> str:
        """Correlation id: the same for all events that follow from one client's request, over all services."""
        return self.header("ce_correlation")

    @property
    def causation(self) -> str:
        """Id of the event or command that caused this event."""
        return self.header("ce_causation")

    @property
    def traceparent(self) -> str:
        """W3C trace context."""
        return self.header("traceparent")
