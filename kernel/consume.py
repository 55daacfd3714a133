"""Reading on from where the guards stand: the service's own log and other services' topics, in batches, with fencing.

The loop that projectors, processes and command executors share. It never trusts a group protocol: leases share partitions
out, the guards' table says where to start, and the guard row moves by compare-and-set in the handler's transaction.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.bus import PARTITIONS, Bus, BusRecord, Reader, TopicPartition
from kernel.codec import Codec
from kernel.database import Database
from kernel.errors import Fault
from kernel.guard import Admitted, Guard
from kernel.lease import Leases
from kernel.log import Log
from kernel.model import Incoming
from kernel.relay import incoming_of
from kernel.signal import wait
from kernel.writer import Fenced

logger = logging.getLogger(__name__)

OWN_LOG = "log"
BATCH_RECORDS = 5_000
IDLE_S = 1.0
Decode = Callable[[str, bytes], Any]
"""`(ce_type, value) -> the service's own dataclass`, or None for a type it does not care about; ValueError if malformed."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`chained`: an event topic with `ce_position` and `ce_previous`. Command and envelope topics are not: ids suffice there."""

    name: str
    chained: bool = True

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


@dataclass(slots=True)
class Sourced:
    """One record with what it became: `incoming` (None: not cared about) or `error` (undecodable)."""

    offset: int
    position: int
    previous: int
    key: str
    type: str
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    incoming: Incoming[Any] | None = None
    error: str | None = None
    requester: str = ""


@dataclass(slots=True)
class Part:
    """What one partition of one source brought, and how its guard moves."""

    source: str
    partition: int
    guard: Guard
    admitted: Admitted[Sourced]
    broken: list[Sourced] = field(default_factory=list)
    """Records whose headers cannot be read: they have no place in the chain; they are parked by offset."""


class Guards:
    """The guard rows of one consumer."""

    def __init__(self, database: Database, consumer: str) -> None:
        self.consumer = consumer
        self._database = database
        self._table = database.metadata.tables["guards"]

    async def load(self, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, Guard]:
        """Rows are made where missing: offset 0, last position 0."""
        async with self._database.reading() as connection:
            found = await self._select(connection)
        missing = [where for where in wanted if where not in found]
        if missing:
            async with self._database.transaction() as connection:
                await self._insert(connection, missing)
                found = await self._select(connection)
        return {where: found[where] for where in wanted}

    async def _select(self, connection: AsyncConnection) -> dict[TopicPartition, Guard]:
        rows = await connection.execute(sa.select(self._table).where(self._table.c.consumer == self.consumer))
        return {(row.source, row.partition): Guard(row.next_offset, row.last_position) for row in rows}

    async def _insert(self, connection: AsyncConnection, missing: Sequence[TopicPartition]) -> None:
        dialect = sa.dialects.sqlite if self._database.is_sqlite else sa.dialects.postgresql
        rows = [
            {"consumer": self.consumer, "source": source, "partition": partition, "next_offset": 0, "last_position": 0}
            for source, partition in sorted(missing)
        ]
        await connection.execute(dialect.insert(self._table).on_conflict_do_nothing(), rows)

    async def move(self, connection: AsyncConnection, parts: Sequence[Part]) -> bool:
        """Compare-and-set of every part's guard; False when one of them belongs to somebody else by now."""
        for part in sorted(parts, key=lambda part: (part.source, part.partition)):
            guard, after = part.guard, part.admitted
            where = (
                (self._table.c.consumer == self.consumer)
                & (self._table.c.source == part.source)
                & (self._table.c.partition == part.partition)
                & (self._table.c.next_offset == guard.next_offset)
                & (self._table.c.last_position == guard.last_position)
            )
            values = {"next_offset": after.next_offset, "last_position": after.last_position}
            if (await connection.execute(sa.update(self._table).where(where).values(**values))).rowcount != 1:
                return False
        return True


Handle = Callable[[Sequence[Part]], Awaitable[None]]
Observe = Callable[[str, str, int, int, int], None]
"""`(consumer, source, partition, next offset, records held behind a hole)` after each batch."""


class Consumer:
    """One consumer's loops: `handle` applies a batch and moves the guards in one transaction, or raises."""

    def __init__(
        self, name: str, database: Database, handle: Handle, *, log: Log | None = None, codec: Codec | None = None,
        service: str = "", bus: Bus | None = None, topics: Sequence[Topic] = (), decode: Decode | None = None,
        partitions: int = PARTITIONS, batch_records: int = BATCH_RECORDS, observe: Observe | None = None,
    ) -> None:  # fmt: skip
        self.name, self._database, self._handle = name, database, handle
        self._log, self._codec, self._service = log, codec, service
        self._bus, self._topics, self._decode = bus, {topic.name: topic for topic in topics}, decode
        self._partitions, self._batch_records = partitions, batch_records
        self._observe = observe or (lambda *_: None)
        self.guards = Guards(database, name)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; the batch under way is finished."""
        loops = []
        if self._log is not None:
            loops.append(self._forever(self._follow_log, stop))
        if self._bus is not None and self._topics:
            loops.append(self._forever(self._follow_topics, stop))
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def _forever(self, follow: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event) -> None:
        """Transient faults wait with jitter and start again at the stored guards; anything else ends the process."""
        pause = 0.1
        while not stop.is_set():
            try:
                await follow(stop)
                pause = 0.1
            except Fenced:
                await asyncio.sleep(pause * random.random())
            except Fault as fault:
                if fault.kind != "unavailable":
                    raise
                logger.warning("waits", exc_info=fault, extra={"consumer": self.name, "code": fault.code})
                await asyncio.sleep(pause * (0.5 + random.random()))
                pause = min(pause * 2, 5.0)

    async def _follow_log(self, stop: asyncio.Event) -> None:
        assert self._log is not None
        lease = Leases(self._database, f"{self.name}/log", ["log"])
        woken = self._log.signal.listen()
        try:
            guard = (await self.guards.load([(OWN_LOG, 0)]))[OWN_LOG, 0]
            while not stop.is_set():
                woken.clear()
                if not (await lease.held() and await self._log_batch(guard)):
                    await wait(woken, IDLE_S)
        finally:
            self._log.signal.leave(woken)
            await lease.release()

    async def _log_batch(self, guard: Guard) -> bool:
        assert self._log is not None
        assert self._codec is not None
        recorded = await self._log.read(guard.last_position, self._batch_records)
        if not recorded:
            return False
        sourced = [
            _attempt(
                Sourced(event.position, event.position, event.position - 1, event.stream, event.name, event.data, ()),
                lambda event=event: incoming_of(self._service, event, self._codec),  # type: ignore[misc]
            )
            for event in recorded
        ]
        last = recorded[-1].position
        await self._settle([Part(OWN_LOG, 0, guard, Admitted(sourced, last + 1, last))])
        return True

    async def _settle(self, parts: Sequence[Part]) -> None:
        await self._handle(parts)
        for part in parts:
            part.guard.move(part.admitted)
            self._observe(self.name, part.source, part.partition, part.guard.next_offset, part.admitted.held)

    async def _follow_topics(self, stop: asyncio.Event) -> None:
        assert self._bus is not None
        names = [f"{topic}/{partition}" for topic in sorted(self._topics) for partition in range(self._partitions)]
        leases = Leases(self._database, f"{self.name}/topics", names)
        try:
            while not stop.is_set():
                held = await leases.held()
                if held:
                    await self._follow_held(held, leases, stop)
                else:
                    await asyncio.sleep(IDLE_S)
        finally:
            await leases.release()

    async def _follow_held(self, held: frozenset[str], leases: Leases, stop: asyncio.Event) -> None:
        """Reads the held partitions until the share changes."""
        assert self._bus is not None
        wanted = [(name.rpartition("/")[0], int(name.rpartition("/")[2])) for name in sorted(held)]
        guards = await self.guards.load(wanted)
        positions = {where: guard.next_offset for where, guard in guards.items()}
        reader = await self._bus.reader(positions, f"{self._service}.{self.name}")
        try:
            while not stop.is_set() and await leases.held() == held:
                await self._topic_batch(reader, guards)
        finally:
            await reader.close()

    async def _topic_batch(self, reader: Reader, guards: Mapping[TopicPartition, Guard]) -> None:
        found = await reader.read(self._batch_records, IDLE_S)
        parts = [self._part(where, guards[where], records) for where, records in found.items()]
        if parts:
            await self._settle(parts)
            await reader.commit({(part.source, part.partition): part.guard.next_offset for part in parts})

    def _part(self, where: TopicPartition, guard: Guard, records: Sequence[BusRecord]) -> Part:
        topic = self._topics[where[0]]
        read = [self._sourced(topic, guard, record) for record in records if record.offset >= guard.next_offset]
        broken = [sourced for sourced in read if sourced.position < 0]
        whole = [sourced for sourced in read if sourced.position >= 0]
        unchained = Admitted(whole, guard.next_offset, guard.last_position)
        admitted = guard.admit(whole) if topic.chained else unchained
        if read and admitted.hole is None:
            admitted = Admitted(admitted.fresh, read[-1].offset + 1, admitted.last_position)
        for sourced in admitted.fresh:
            _attempt(sourced, lambda sourced=sourced: self._incoming(topic, sourced))  # type: ignore[misc]
        return Part(*where, guard, admitted, broken)

    def _sourced(self, topic: Topic, guard: Guard, record: BusRecord) -> Sourced:
        key = record.key.decode("utf-8", "replace").replace("\x00", "\ufffd")
        sourced = Sourced(record.offset, -1, -1, key, "", record.value, record.headers)
        try:
            headers = {name: _text(value) for name, value in record.headers}
            sourced.type, sourced.requester = headers["ce_type"], headers.get("ce_requester", "")
            if topic.chained:
                position, previous = int(headers["ce_position"]), int(headers["ce_previous"])
                sourced.position, sourced.previous = position, previous
            else:
                sourced.position = record.offset
        except (KeyError, ValueError) as error:
            sourced.error = f"headers: {type(error).__name__}: {error}"[:200]
        return sourced

    def _incoming(self, topic: Topic, sourced: Sourced) -> Incoming[Any] | None:
        assert self._decode is not None
        headers = {name: value.decode() for name, value in sourced.headers}
        event = self._decode(sourced.type, sourced.value)
        if event is None:
            return None
        return Incoming(
            headers.get("ce_source", topic.service), headers["ce_id"], headers.get("ce_subject", sourced.key),
            int(headers.get("ce_sequence", "0")), sourced.position, headers.get("ce_tenant", ""),
            datetime.fromisoformat(headers["ce_time"]).astimezone(UTC), event,
            headers.get("ce_correlation", ""), headers.get("traceparent", ""),
        )  # fmt: skip


def _text(value: bytes) -> str:
    """A header's text; PostgreSQL stores no NUL, and no honest sender writes one."""
    if b"\x00" in value:
        raise ValueError("a header holds a NUL byte")
    return value.decode()


def _attempt(sourced: Sourced, make: Callable[[], Incoming[Any] | None]) -> Sourced:
    """What cannot be decoded is kept with its reason; it is parked by its key, never skipped."""
    try:
        sourced.incoming = make()
    except (Fault, ArithmeticError, ValueError, LookupError, TypeError) as error:
        sourced.error = f"{type(error).__name__}: {error}"[:200]
    return sourced
