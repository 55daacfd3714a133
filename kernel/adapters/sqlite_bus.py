"""Bus on an SQLite file, for one process (`local:///path/bus.db`): demo, tests and embedding."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import aiosqlite
import orjson

from kernel.adapters.bus import BusRecord, Message, TopicPartition
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


class SqliteBus:
    """Bus over one connection and one lock: a send is a transaction, a read sees committed sends."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None
        self._lock = asyncio.Lock()
        self._ends: dict[TopicPartition, int] = {}
        self.signal = Wakeup()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[aiosqlite.Connection]:
        """The connection, for one caller at a time; a full disk or another's lock raises Unavailable `bus.unavailable`."""
        async with self._lock:
            try:
                yield await self._open()
            except (sqlite3.OperationalError, OSError) as error:
                raise Unavailable("bus.unavailable", why=type(error).__name__) from error

    async def _open(self) -> aiosqlite.Connection:
        """Opens the connection at its first use. The caller holds the lock."""
        if self._connection is None:
            self._connection = await aiosqlite.connect(self._path, isolation_level=None, timeout=30)
            await self._connection.execute("PRAGMA journal_mode=WAL")
            await self._connection.execute("PRAGMA synchronous=FULL")
            await self._connection.executescript(_SCHEMA)
            for topic, partitions in await (await self._connection.execute("SELECT * FROM topics")).fetchall():
                await self._load_ends(topic, partitions)
        return self._connection

    async def _load_ends(self, topic: str, partitions: int) -> None:
        assert self._connection is not None
        found = await (await self._connection.execute(_ENDS, (topic,))).fetchall()
        self._ends |= {(topic, partition): 0 for partition in range(partitions)}
        self._ends |= {(topic, partition): end for partition, end in found}

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        async with self._locked() as connection:
            for topic, partitions in topics.items():
                await connection.execute("INSERT OR IGNORE INTO topics VALUES (?, ?)", (topic, partitions))
                row = await (
                    await connection.execute("SELECT partitions FROM topics WHERE topic = ?", (topic,))
                ).fetchone()
                found = row[0] if row else 0
                if found != partitions:
                    raise Internal("bus.partition_count", topic=topic, expected=partitions, found=found)
                await self._load_ends(topic, partitions)

    async def producer(self) -> "SqliteProducer":
        return SqliteProducer(self)

    async def store(self, batches: Mapping[TopicPartition, Sequence[Message]]) -> None:
        """Stores all batches in one transaction, then wakes the readers."""
        now = time.time_ns() // 1_000_000
        async with self._locked() as connection:
            self._check(batches)
            ends = {where: self._ends[where] + len(messages) for where, messages in batches.items()}
            await connection.execute("BEGIN IMMEDIATE")
            try:
                await connection.executemany(_INSERT, list(self._rows(batches, now)))
                await connection.execute("COMMIT")
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            self._ends |= ends
        self.signal.notify()

    def _rows(
        self, batches: Mapping[TopicPartition, Sequence[Message]], now_ms: int
    ) -> Iterable[tuple[str, int, int, bytes, bytes, bytes, int]]:
        for (topic, partition), messages in batches.items():
            for offset, message in enumerate(messages, start=self._ends[topic, partition]):
                headers = orjson.dumps([(name, value.decode("latin-1")) for name, value in message.headers])
                yield topic, partition, offset, message.key, message.value, headers, now_ms

    def _check(self, wanted: Iterable[TopicPartition]) -> None:
        unknown = sorted(set(wanted) - self._ends.keys())
        if unknown:
            raise Unavailable("bus.unknown_topic", topic=unknown[0][0], partition=unknown[0][1])

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> "SqliteReader":
        async with self._locked():
            self._check(positions)
        return SqliteReader(self, positions)

    async def fetch(self, where: TopicPartition, offset: int, limit: int) -> list[BusRecord]:
        if offset >= self._ends.get(where, 0):
            return []
        async with self._locked() as connection:
            rows = await (await connection.execute(_READ, (*where, offset, limit))).fetchall()
        return [
            BusRecord(
                *where, row[0], row[1], row[2], [(n, v.encode("latin-1")) for n, v in orjson.loads(row[3])], row[4]
            )
            for row in rows
        ]

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        async with self._locked():
            return {where: end for where, end in self._ends.items() if where[0] in topics}

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        async with self._locked() as connection:
            for topic in topics:
                await connection.execute("DELETE FROM records WHERE topic = ?", (topic,))
        await self.ensure_topics(topics)

    def end_of(self, where: TopicPartition) -> int:
        return self._ends[where]

    async def close(self) -> None:
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None


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
            if limit > 0 and (records := await self._bus.fetch(where, offset, limit)):
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
