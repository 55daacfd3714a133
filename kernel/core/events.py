"""Events as they are stored, as they are delivered, and the receipt that a command is answered with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

E = TypeVar("E")


class Recorded(NamedTuple):
    """One row of the log. `data` and `meta` are the stored bytes (canonical JSON); `partition` None means private."""

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
    """The answer to a command: where its last event stands; `token` (`<service>:<position>:<partition>`) lets a query wait."""

    stream: str
    version: int
    position: int
    token: str


class Delivered(NamedTuple, Generic[E]):
    """An event as projections and processes see it, from the own log or from another service's topic alike.

    A tuple because millions are made: a frozen dataclass of ten fields takes six times as long to make.

    `id` is unique (`<stream>@<version>`), `event` is the service's own dataclass for it, `at` its recorded time (UTC).
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
