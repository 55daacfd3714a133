"""Wire format of the services: times, messages by their type name, and refusals, in one copy for all services.

Writing: `form(message)` is the type name and the bytes of a message, `stamp(at)` a time, `refusal(...)` a refused command.
Reading: `decoder({Message: function})` makes the `decode(type_name, bytes)` of a service, `time_of(stamp)` a time in UTC.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, overload

from dandelion.common.v1.common_pb2 import CommandRefused, Fact
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from dandelion_contracts.events import EVENTS, type_name

M = TypeVar("M", bound=Message)
T = TypeVar("T")


@overload
def stamp(at: datetime) -> Timestamp: ...
@overload
def stamp(at: datetime | None) -> Timestamp | None: ...
def stamp(at: datetime | None) -> Timestamp | None:
    """Timestamp of a message's field; None leaves the field unset."""
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made


def time_of(stamp: Timestamp) -> datetime:
    """Time of a message's field, in UTC; raises ValueError for a time outside of the calendar."""
    try:
        return stamp.ToDatetime(UTC)
    except (OverflowError, ValueError) as error:
        raise ValueError("a time out of range") from error


def form(message: Message) -> tuple[str, bytes]:
    """Type name and deterministic bytes of a message."""
    return type_name(message), message.SerializeToString(deterministic=True)


def parsed(kind: type[M], value: bytes) -> M:
    """Parses a message; raises ValueError for bytes that hold none."""
    try:
        return kind.FromString(value)
    except DecodeError as error:
        raise ValueError(f"not a {type_name(kind)}") from error


def decoder(readers: Mapping[type[Message], Callable[[Any], T]]) -> Callable[[str, bytes], T | None]:
    """Makes the `decode(type_name, bytes)` of a service: it parses a message and returns its reader's value.

    `decode` returns None for a type without a reader. It raises ValueError for bytes that are no such message, and lets a
    reader's own error pass.
    """
    by_name = {type_name(kind): (kind, read) for kind, read in readers.items()}

    def decode(name: str, value: bytes) -> T | None:
        found = by_name.get(name)
        return None if found is None else found[1](parsed(found[0], value))

    return decode


def facts(stored: str) -> list[Fact]:
    """Facts of a refusal, from their stored JSON object: numbers in decimal, `true` and `false`, "" for null."""
    return [Fact(name=name, value=_text(value)) for name, value in json.loads(stored).items()]


def _text(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


class Refused(Protocol):
    """Refused command, as a service's log stores it; `facts` is a JSON object."""

    @property
    def command_id(self) -> str: ...
    @property
    def requester(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def facts(self) -> str: ...


def refusal(service: str, refused: Refused, at: datetime) -> tuple[str, bytes]:
    """Type name and bytes of a refused command, under the name by which the service's consumers select it (common.proto)."""
    message = CommandRefused(
        command_id=refused.command_id,
        requester=refused.requester,
        code=refused.code,
        facts=facts(refused.facts),
        command=refused.command,
        refused_at=stamp(at),
    )
    name, value = form(message)
    own = f"dandelion.{service}.v1.CommandRefused"
    return own if own in EVENTS else name, value
