"""Events as stored (Recorded) and as delivered to consumers (Delivered), and the answers to a command."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

E = TypeVar("E")
REFUSAL = "refusal"
REFUSED_NAME = "command.refused@1"


class Recorded(NamedTuple):
    """A row of the log. `data` and `meta` are the stored bytes (canonical JSON). `partition` None marks a private event."""

    position: int
    tenant: str
    stream: str
    version: int
    partition: int | None
    name: str
    data: bytes
    meta: bytes
    command: str | None
    recorded_at: datetime

    @property
    def id(self) -> str:
        return f"{self.stream}@{self.version}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Receipt of a command: stream, version and position of its last event.

    `token` (`<service>:<position>:<partition>`, and `:<stream>` of what will come of the command) makes a query wait until its
    read model has applied that event, and until what will come of the command is there.
    """

    stream: str
    version: int
    position: int
    token: str


class Delivered(NamedTuple, Generic[E]):
    """An event as projections and processes get it, in one form for the service's own log and other services' topics.

    `id` is unique (`<stream>@<version>`), `event` is the consuming service's dataclass, `at` is the recorded time (UTC).
    A tuple, because millions are made: a frozen dataclass of ten fields takes six times as long.
    """

    source: str
    id: str
    stream: str
    version: int
    position: int
    tenant: str
    at: datetime
    event: E
    correlation: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """Public event of every service: a command from the service's topic was refused. It ends the wait of the sending process."""

    command_id: str
    requester: str
    command: str
    code: str
    facts: str


def refusal_stream(command_id: str) -> str:
    return f"{REFUSAL}-{command_id}"
