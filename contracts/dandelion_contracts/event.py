"""An event as a subscriber gets it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, cast

from dandelion.metrics.v1.events_pb2 import EngagementRecorded
from google.protobuf.message import Message

from dandelion_contracts.events import type_name
from dandelion_contracts.lanes import Received, place, recorded_at
from dandelion_contracts.positions import Position
from dandelion_contracts.source import TopicPartition

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Event(Generic[M]):
    """One event. `id` is unique (`<stream>@<version>`; for engagement `<envelope>/<row>`) and the same in every repeat."""

    message: M
    type: str
    id: str
    stream: str
    version: int
    """Of the stream, from 1; 0 for engagement."""
    tenant: str
    at: datetime
    """When the service recorded it; for engagement when it was observed. UTC."""
    where: TopicPartition
    offset: int
    after: Position
    """Where `where` stands once this event is done: store it in your own transaction to apply each event exactly once."""
    correlation: str = ""
    causation: str = ""
    traceparent: str = ""


def event_of(received: Received) -> Event[M]:
    record, headers = received.record, received.headers or {}
    message = cast(M, received.message)
    if isinstance(received.message, EngagementRecorded):
        identity, tenant = f"{received.message.envelope_id}/{received.row}", received.message.tenant
    else:
        identity, tenant = headers["ce_id"], headers.get("ce_tenant", "")
    return Event(
        message=message,
        type=type_name(message),
        id=identity,
        stream=headers.get("ce_subject", record.key.decode("utf-8", "replace")),
        version=int(headers.get("ce_sequence", "0")),
        tenant=tenant,
        at=recorded_at(received),
        where=place(record),
        offset=record.offset,
        after=received.after,
        correlation=headers.get("ce_correlation", ""),
        causation=headers.get("ce_causation", ""),
        traceparent=headers.get("traceparent", ""),
    )
