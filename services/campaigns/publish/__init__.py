"""Private events to public ones: pure; one message per event of a published stream, requests for those of processes.

What is promised is proto/dandelion/campaigns/v1. A module per stream: campaigns, applications, work, content, requests.
"""

from collections.abc import Callable, Sequence
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from google.protobuf.message import Message

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.eventlog.commands import CommandRefused
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.campaigns.publish.applications import wire_application
from services.campaigns.publish.campaigns import wire_campaign
from services.campaigns.publish.content import wire_content
from services.campaigns.publish.requests import request_of
from services.campaigns.publish.wire import facts, stamp
from services.campaigns.publish.work import wire_work

WIRE: dict[str, Callable[[Any, str, Delivered[Any]], Message | None]] = {
    "campaign": wire_campaign,
    "application": wire_application,
    "collaboration": wire_work,
}


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event, by the category of its stream."""
    category, key = split_stream(incoming.stream)
    if isinstance(incoming.event, CommandRefused):
        return [_announce(_refused(incoming.event, incoming))]
    wire = WIRE.get(category)
    if wire is None:
        request = request_of(incoming.event, incoming.stream)
        return [request] if request else []
    message = wire(incoming.event, key, incoming) or wire_content(incoming.event, key, incoming)
    return [_announce(message)]


def _announce(message: Message) -> PublicEvent:
    return PublicEvent(message.DESCRIPTOR.full_name, message.SerializeToString(deterministic=True))


def _refused(event: CommandRefused, incoming: Delivered[Any]) -> Message:
    return pb.CommandRefused(
        command_id=event.command_id,
        requester=event.requester,
        code=event.code,
        facts=facts(event.facts),
        command=event.command,
        refused_at=stamp(incoming.at),
    )
