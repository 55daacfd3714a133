"""Subject: the parts of an opened service that the checks of this room read. `kernel.host.app.App` implements it.

A protocol, because this room may not import the host above it, and because a check needs a log, tables and names only.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.core.check import CheckResult
from kernel.core.codec import Codec
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.log import StoredLog
from kernel.processors.projector import Projection
from kernel.runtime.settings import Settings
from kernel.streams.records import Decode
from kernel.streams.relay import Publish


class Declared(Protocol):
    """Declaration of a service, as far as checks read it."""

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
        """Invariants of the service's own; each is called with the subject."""
        ...


class Subject(Protocol):
    """An opened service: its declaration, database, log, deciders and bus."""

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
    def log(self) -> StoredLog: ...
    @property
    def deciders(self) -> DeciderRegistry: ...
