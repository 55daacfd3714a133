"""Commands that a role of a service sends to the service itself, as messages of its command topic.

A role without a writer finds reason for a command. The message's id follows from what was found, so that the command is
decided once however many replicas find the same.
"""

from collections.abc import Iterable
from datetime import datetime

from kernel.adapters.bus import PARTITIONS, Message, Producer, TopicPartition
from kernel.core.ids import partition_of

SEND_DEADLINE_S = 15.0


def request(service: str, command: tuple[str, bytes], request_id: str, key: str, at: datetime) -> Message:
    """`command` is type name and bytes; `key` the stream's id, which decides the partition."""
    kind, value = command
    headers = {
        "ce_specversion": "1.0",
        "ce_id": request_id,
        "ce_source": service,
        "ce_type": kind,
        "ce_time": at.isoformat(),
        "ce_tenant": "platform",
        "ce_correlation": request_id,
    }
    return Message(key.encode(), value, [(name, text.encode()) for name, text in headers.items()])


async def send(producer: Producer, service: str, requests: Iterable[Message]) -> None:
    """By the partition of their keys; raises TimeoutError when the broker does not have them in time."""
    made: dict[TopicPartition, list[Message]] = {}
    for one in requests:
        made.setdefault((f"{service}.commands.v1", partition_of(one.key.decode(), PARTITIONS)), []).append(one)
    if made:
        await producer.send(made, SEND_DEADLINE_S)
