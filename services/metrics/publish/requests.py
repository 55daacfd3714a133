"""Requests of metrics to itself: a command that one of its own roles found reason for, as a message of its command topic."""

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.message import Message as Wire

from kernel.adapters.bus import PARTITIONS, Message, TopicPartition
from kernel.core.ids import partition_of

COMMANDS = "metrics.commands.v1"
SEND_DEADLINE_S = 15.0


def request(asked: Wire, request_id: str, key: str, at: datetime) -> Message:
    """A command under an id that follows from what was found, so that it is decided once however many replicas find it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": request_id,
        "ce_source": "metrics",
        "ce_type": asked.DESCRIPTOR.full_name,
        "ce_time": at.isoformat(),
        "ce_tenant": "platform",
        "ce_correlation": request_id,
    }
    encoded = [(name, text.encode()) for name, text in headers.items()]
    return Message(key.encode(), asked.SerializeToString(deterministic=True), encoded)


def addressed(requests: Iterable[Message]) -> dict[TopicPartition, list[Message]]:
    """The requests by the partition of their keys, as a producer takes them."""
    made: dict[TopicPartition, list[Message]] = {}
    for one in requests:
        made.setdefault((COMMANDS, partition_of(one.key.decode(), PARTITIONS)), []).append(one)
    return made
