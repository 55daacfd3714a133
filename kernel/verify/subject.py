"""Subject: the parts of an opened service that the checks of this room read. `kernel.host.app.App` is the implementation.

A protocol, because a check needs a log, tables and names, not the process that serves them; the host stands above this room.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.core.check import CheckResult
from kernel.core.codec import Codec
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.log import Log
from kernel.processors.projector import Projection
from kernel.runtime.settings import Settings
from kernel.streams.records import Decode
from kernel.streams.relay import Publish


class Declared(Protocol):
    """What the service declares of itself, as far as checks read it."""

    @property
    def name(self) -> str: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def publish(self) -> Publish: ...
    @property
    def decode(self) -> Decode | None: ...
    @property
    def projections(self) -> Sequence[Projection]: ...
    @property
    def invariants(self) -> Sequence[Callable[[Any], Awaitable[Sequence[CheckResult]]]]:
        """Each gets the subject itself."""
        ...


class Subject(Protocol):
    """An opened service: its declaration, its database and log, the bus it reads and writes."""

    @property
    def service(self) -> Declared: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def database(self) -> Database: ...
    @property
    def metadata(self) -> sa.MetaData: ...
    @property
    def log(self) -> Log: ...
    @property
    def deciders(self) -> DeciderRegistry: ...
