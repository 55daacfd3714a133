"""Private events to public ones: pure; one message per event of a published stream, requests for those of processes.

What is promised is proto/dandelion/campaigns/v1. A module per stream: campaigns, applications, work, content, requests.
"""

from collections.abc import Callable, Sequence
from typing import Any

from dandelion_contracts.wire import form, refusal
from google.protobuf.message import Message

from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.campaigns.publish.applications import wire_application
from services.campaigns.publish.campaigns import wire_campaign
from services.campaigns.publish.requests import request_of
from services.campaigns.publish.work import wire_work

WIRE: dict[str, Callable[[Any, str, Delivered[Any]], Message]] = {
    "campaign": wire_campaign,
    "application": wire_application,
    "collaboration": wire_work,
}


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event, by the category of its stream."""
    category, key = split_stream(incoming.stream)
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("campaigns", incoming.event, incoming.at))]
    wire = WIRE.get(category)
    if wire is None:
        request = request_of(incoming.event, incoming.stream)
        return [request] if request else []
    return [PublicEvent(*form(wire(incoming.event, key, incoming)))]
