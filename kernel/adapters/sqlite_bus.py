"""Bus on an SQLite file, for one process (`local:///path/bus.db`): demo, tests and embedding."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice

import orjson

from kernel.adapters.bus import COMMAND_RETENTION_MS, BusRecord, Message, TopicPartition
from kernel.adapters.sqlite.line import Line
from kernel.core.faults import Internal, Unavailable
from kernel.runtime.wakeup import Wakeup, wait

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  key BLOB NOT NULL, value BLOB NOT NULL, headers BLOB NOT NULL, timestamp_ms INTEGER NOT NULL,
  PRIMARY KEY (topic, partition, "offset")) WITHOUT ROWID;
"""
_INSERT = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)"
_READ = (
    'SELECT "offset", key, value, headers, timestamp_ms FROM records '
    'WHERE topic = ? AND partition = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?'
)
_ENDS = 'SELECT partition, max("offset") + 1 FROM records WHERE topic = ? GROUP BY partition'
_TRIM = """
DELETE FROM records WHERE topic LIKE '%.commands.%' AND timestamp_ms < ? AND "offset" <
(SELECT max("offset") FROM records AS newest WHERE newest.topic = records.topic AND newest.partition = records.partition)
"""
"""The newest record of a partition stays, because it says where the partition ends."""
TAIL_BYTES = 8 * 1024 * 1024
OVERHEAD_BYTES = 600
"""Memory that one record takes beside its key and value: objects and headers."""


class SqliteBus:
    """Bus over one connection and one lock: a send is a transaction, a read sees committed sends."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._line: Line | None = None
        self._lock = asyncio.Lock()
        self._ends: dict[TopicPartition, int] = {}
        self._tail = Tail()
        self.signal = Wakeup()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Line]:
        """The connection for one caller at a time; a full disk or a foreign lock is Unavailable `bus.unavailable`."""
        async with self._lock:
            try:
                yield await self._open()
            except (sqlite3.OperationalError, OSError) as error:
                raise Unavailable("bus.unavailable", why=type(error).__name__) from error

    async def _open(self) -> Line:
        """The connection, opened at its first use. Call with the lock held."""
        if self._line is None:
            line = Line(self._path, isolation_level=None, timeout=30)
            try:
                self._ends |= await line.do(_begin)
            except BaseException:
                line.stop()
                raise
            self._line = line
        return self._line

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        async with self._locked() as line:
            for topic, partitions in topics.items():
                found = await line.do(partial(_make, topic=topic, partitions=partitions))
                if found != partitions:
                    raise Internal("bus.partition_count", topic=topic, expected=partitions, found=found)
                self._ends |= await line.do(partial(_ends, topic=topic, partitions=partitions))

    async def producer(self) -> "SqliteProducer":
        return SqliteProducer(self)

    async def store(self, batches: Mapping[TopicPartition, Sequence[Message]]) -> None:
        """Stores all batches in one transaction, then wakes the readers."""
        now = time.time_ns() // 1_000_000
        async with self._locked() as line:
            self._check(batches)
            records = list(self._records(batches, now))
            await line.do(partial(_insert, records=records))
            for record in records:
                self._ends[record.topic, record.partition] = record.offset + 1
                self._tail.keep(record)
        self.signal.notify()

    def _records(self, batches: Mapping[TopicPartition, Sequence[Message]], now_ms: int) -> Iterable[BusRecord]:
        for where, messages in batches.items():
            for offset, message in enumerate(messages, start=self._ends[where]):
                yield BusRecord(*where, offset, message.key, message.value, list(message.headers), now_ms)

    def _check(self, wanted: Iterable[TopicPartition]) -> None:
        unknown = sorted(set(wanted) - self._ends.keys())
        if unknown:
            raise Unavailable("bus.unknown_topic", topic=unknown[0][0], partition=unknown[0][1])

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> "SqliteReader":
        async with self._locked():
            self._check(positions)
        return SqliteReader(self, positions)

    async def fetch(self, where: TopicPartition, offset: int, limit: int) -> list[BusRecord]:
        """Records from `offset` on: from the tail, or from the file when the tail begins behind `offset`."""
        if not self.has(where, offset):
            return []
        found = self._tail.read(where, offset, limit)
        if found is None:
            async with self._locked() as line:
                found = await line.do(partial(_select, where=where, offset=offset, limit=limit))
        return found

    def has(self, where: TopicPartition, offset: int) -> bool:
        """Whether a committed record stands at `offset`; every send wakes every reader, and most find nothing."""
        return offset < self._ends.get(where, 0)

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        async with self._locked():
            return {where: end for where, end in self._ends.items() if where[0] in topics}

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        async with self._locked() as line:
            self._tail = Tail()
            for topic in topics:
                await line.do(partial(_delete, topic=topic))
        await self.ensure_topics(topics)

    def end_of(self, where: TopicPartition) -> int:
        return self._ends[where]

    async def close(self) -> None:
        async with self._lock:
            if self._line is not None:
                line, self._line = self._line, None
                await line.close()


class Tail:
    """The newest committed records, at most TAIL_BYTES of them: every consumer of the process reads the same ones."""

    def __init__(self, limit_bytes: int = TAIL_BYTES) -> None:
        self._limit_bytes, self._bytes = limit_bytes, 0
        self._records: dict[TopicPartition, deque[BusRecord]] = {}
        self._order: deque[TopicPartition] = deque()

    def keep(self, record: BusRecord) -> None:
        """Adds a record and drops the oldest past the limit. Call in the order of offsets."""
        where = (record.topic, record.partition)
        self._records.setdefault(where, deque()).append(record)
        self._order.append(where)
        self._bytes += _size(record)
        while self._bytes > self._limit_bytes:
            self._bytes -= _size(self._records[self._order.popleft()].popleft())

    def read(self, where: TopicPartition, offset: int, limit: int) -> list[BusRecord] | None:
        """Records from `offset` on; None when the tail begins behind `offset`."""
        kept = self._records.get(where)
        if not kept or kept[0].offset > offset:
            return None
        start = offset - kept[0].offset
        return list(islice(kept, start, start + limit))


def _size(record: BusRecord) -> int:
    return OVERHEAD_BYTES + len(record.key) + len(record.value)


def _begin(connection: sqlite3.Connection) -> dict[TopicPartition, int]:
    """Makes missing tables, and deletes commands past their time, bytes and all; returns the end offset of each partition."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.executescript(_SCHEMA)
    connection.execute(_TRIM, (time.time_ns() // 1_000_000 - COMMAND_RETENTION_MS,))
    found: dict[TopicPartition, int] = {}
    for topic, partitions in connection.execute("SELECT topic, partitions FROM topics").fetchall():
        found |= _ends(connection, topic, partitions)
    return found


def _make(connection: sqlite3.Connection, topic: str, partitions: int) -> int:
    """Makes the topic unless it exists; returns its number of partitions."""
    connection.execute("INSERT OR IGNORE INTO topics VALUES (?, ?)", (topic, partitions))
    count: int = connection.execute("SELECT partitions FROM topics WHERE topic = ?", (topic,)).fetchone()[0]
    return count


def _ends(connection: sqlite3.Connection, topic: str, partitions: int) -> dict[TopicPartition, int]:
    ends = {(topic, partition): 0 for partition in range(partitions)}
    return ends | {(topic, partition): end for partition, end in connection.execute(_ENDS, (topic,))}


def _insert(connection: sqlite3.Connection, records: Sequence[BusRecord]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(_INSERT, [(*one[:5], _headers(one), one.timestamp_ms) for one in records])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _headers(record: BusRecord) -> bytes:
    return orjson.dumps([(name, value.decode("latin-1")) for name, value in record.headers])


def _select(connection: sqlite3.Connection, where: TopicPartition, offset: int, limit: int) -> list[BusRecord]:
    return [
        BusRecord(*where, row[0], row[1], row[2], [(n, v.encode("latin-1")) for n, v in orjson.loads(row[3])], row[4])
        for row in connection.execute(_READ, (*where, offset, limit))
    ]


def _delete(connection: sqlite3.Connection, topic: str) -> None:
    connection.execute("DELETE FROM records WHERE topic = ?", (topic,))


class SqliteProducer:
    def __init__(self, bus: SqliteBus) -> None:
        self._bus = bus

    async def send(self, batches: Mapping[TopicPartition, Sequence[Message]], deadline_s: float) -> None:
        try:
            await asyncio.wait_for(asyncio.shield(self._bus.store(batches)), deadline_s)
        except TimeoutError as late:
            raise Unavailable("bus.unavailable", why="deadline") from late

    async def close(self) -> None:
        """Closes nothing: the connection is the bus's."""


class SqliteReader:
    def __init__(self, bus: SqliteBus, positions: Mapping[TopicPartition, int]) -> None:
        self._bus = bus
        self._positions = dict(positions)
        self._woken = bus.signal.listen()

    async def read(self, limit: int, wait_s: float) -> dict[TopicPartition, list[BusRecord]]:
        found = await self._read_now(limit)
        if not found and await wait(self._woken, wait_s):
            found = await self._read_now(limit)
        return found

    async def _read_now(self, limit: int) -> dict[TopicPartition, list[BusRecord]]:
        self._woken.clear()
        found: dict[TopicPartition, list[BusRecord]] = {}
        for where, offset in self._positions.items():
            if limit > 0 and self._bus.has(where, offset) and (records := await self._bus.fetch(where, offset, limit)):
                found[where] = records
                self._positions[where] = records[-1].offset + 1
                limit -= len(records)
        if limit <= 0:
            self._woken.set()
            self._positions = dict(reversed(self._positions.items()))
        return found

    async def end_offsets(self) -> dict[TopicPartition, int]:
        return {where: self._bus.end_of(where) for where in self._positions}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits nothing: no lag dashboard looks at an embedded bus."""

    async def close(self) -> None:
        self._bus.signal.leave(self._woken)
