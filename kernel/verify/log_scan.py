"""Log scan: reads the log in pages and checks positions, versions, commands, times and partitions.

A scan continues from its own position, so a long log can be scanned in pieces.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.check import PROBLEMS_LIMIT, Check
from kernel.core.events import Recorded
from kernel.core.faults import Fault, Poison
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.log import Head, StoredLog

PAGE_EVENTS = 1_000
"""Events in a page. A page is decoded without an await, so it must be short enough for the event loop of a running service."""
START = datetime(1, 1, 1, tzinfo=UTC)


class LogScan:
    """One scan of the log. Memory does not grow with the log."""

    def __init__(self, log: StoredLog, deciders: DeciderRegistry) -> None:
        self._log, self._deciders = log, deciders
        self._events = log.database.metadata.tables["log_events"]
        self.position, self._at = 0, START
        self._command: Recorded | None = None
        self._left: int | None = 0
        """Events still expected of the current command; None after a hole, where the current command is unknown."""
        self.positions, self.readable = Check("positions_dense"), Check("events_readable")
        self.versions, self.commands = Check("versions_dense"), Check("commands_once")
        self.whole, self.time = Check("commands_whole"), Check("time_forward")
        self.partitions = Check("partitions_fixed")

    def checks(self) -> Iterator[Check]:
        yield from (self.positions, self.readable, self.versions, self.commands, self.whole, self.time, self.partitions)

    async def scan_all(self) -> None:
        """Scans the whole log as it stands when the call begins."""
        head, last = await self._ends()
        self.positions.that(last <= head.position, f"position {last} is past the head, {head.position}")
        await self.scan_to(head.position)
        self.positions.that(self.position >= head.position, f"the last of {head.position} is {self.position}")
        self.time.that(head.at >= self._at, f"the head's time {head.at} is before its last event's")

    async def _ends(self) -> tuple[Head, int]:
        async with self._log.database.snapshot() as connection:
            head = await self._log.head(connection)
            last = (await connection.execute(sa.select(sa.func.max(self._events.c.position)))).scalar()
        return head, last or 0

    async def scan_to(self, upto: int) -> None:
        """Scans on from `position` to `upto`, a position that has been appended."""
        query = sa.select(self._events).order_by(self._events.c.position).limit(PAGE_EVENTS)
        while self.position < upto:
            after = self.position
            page = query.where(self._events.c.position > after, self._events.c.position <= upto)
            async with self._log.database.reading() as connection:
                found = [Recorded(*row) for row in (await connection.execute(page)).all()]
                for recorded in found:
                    self._check_event(recorded)
                if not found:
                    return
                await self._check_streams(connection, after, self.position)

    def _check_event(self, recorded: Recorded) -> None:
        follows = recorded.position == self.position + 1
        self.positions.that(follows, f"positions {self.position + 1} to {recorded.position - 1} are missing")
        self.position = recorded.position
        self._check_command(recorded, follows)
        self.time.that(
            recorded.recorded_at >= self._at, f"{recorded.id} was recorded before position {recorded.position - 1}"
        )
        self._at = recorded.recorded_at
        try:
            self._deciders.codec.decode(recorded.name, recorded.data)
            self.readable.that(True, "")
        except Poison as poison:
            self.readable.that(False, f"{recorded.id}: {poison}")
        self._check_partition(recorded)

    def _check_partition(self, recorded: Recorded) -> None:
        try:
            partition = self._deciders.blank(recorded.stream).partition
        except Fault:
            self.partitions.that(False, f"{recorded.id} is of no category known here")
            return
        self.partitions.that(
            recorded.partition == partition, f"{recorded.id} is in {recorded.partition}, not {partition}"
        )

    def _check_command(self, recorded: Recorded, follows: bool) -> None:
        """Commands are whole: the first event names the command and the count of its events, and the others follow directly."""
        if not follows:
            self._left = None
        if recorded.command is not None:
            self.whole.that(not self._left, f"{recorded.id} stands where another command's event is missing")
            self._command, self._left = recorded, _events_of(recorded) - 1
            if self._left < 0:
                self.whole.fail(f"{recorded.id} does not say how many events its command has")
        elif self._left is not None:
            first = self._command
            mine = (
                first is not None and self._left > 0 and (first.stream, first.meta) == (recorded.stream, recorded.meta)
            )
            self.whole.that(mine, f"{recorded.id} belongs to no command")
            self._left = max(0, self._left - 1)

    async def _check_streams(self, connection: AsyncConnection, after: int, upto: int) -> None:
        """Checks a page against other rows of the same streams, by queries on the indexes of `log_events`."""
        event, other = self._events.alias("event"), self._events.alias("other")
        before = sa.exists().where(
            other.c.stream == event.c.stream,
            other.c.version == event.c.version - 1,
            other.c.position < event.c.position,
        )
        elsewhere = (other.c.stream == event.c.stream, other.c.position != event.c.position)
        twin = sa.exists().where(*elsewhere, other.c.version == event.c.version)
        again = sa.exists().where(*elsewhere, other.c.command == event.c.command)
        gap = (event.c.version != 1) & ~before
        page = sa.select(event.c.stream, event.c.version).where(event.c.position > after, event.c.position <= upto)
        for check, broken, what in (
            (self.versions, gap, "follows no version"),
            (self.versions, twin, "is there twice"),
            (self.commands, again, "was appended for a command that was appended before"),
        ):
            for stream, version in await _rows(connection, page.where(broken)):
                check.fail(f"{stream}@{version} {what}")
        self.versions.checked = self.commands.checked = self.positions.checked


async def _rows(connection: AsyncConnection, query: "sa.Select[Any]") -> list[Any]:
    return list((await connection.execute(query.limit(PROBLEMS_LIMIT))).all())


def _events_of(recorded: Recorded) -> int:
    """Count of events that the command appended, as its first event says; 0 when that event does not say it."""
    try:
        return int(orjson.loads(recorded.meta)["events"])
    except (ValueError, KeyError, TypeError):
        return 0
