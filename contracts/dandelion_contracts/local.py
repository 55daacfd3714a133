"""Source on the embedded bus: reads the SQLite file with its topics, read-only, from any process."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dandelion_contracts.errors import PositionLost, Unreachable
from dandelion_contracts.source import Record, TopicPartition

_READ = (
    'SELECT "offset", key, value, headers, timestamp_ms FROM records '
    'WHERE topic = ? AND partition = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?'
)
_ENDS = 'SELECT partition, max("offset") + 1 FROM records WHERE topic = ? GROUP BY partition'
_AT = 'SELECT partition, min("offset") FROM records WHERE topic = ? AND timestamp_ms >= ? GROUP BY partition'
POLL_S = (0.01, 0.2)
"""First and longest pause between two polls of the file's version: a file cannot wake a reader in another process."""


class LocalSource:
    """Source over one read-only connection. A lock gives it to one thread at a time: a cancelled call's thread may still run."""

    def __init__(self, path: str | Path, connect_within_s: float = 30.0) -> None:
        self._path = Path(path)
        self._connect_within_s = connect_within_s
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._offsets: dict[TopicPartition, int] = {}
        self._seen_version = -1

    async def open(self, topic: str) -> list[int]:
        pause_s, deadline = POLL_S[0], time.monotonic() + self._connect_within_s
        while not (partitions := await asyncio.to_thread(self._try_open, topic)):
            if time.monotonic() > deadline:
                raise Unreachable(f"{self._path} has no topic {topic}")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_S[1])
        return list(range(partitions))

    def _try_open(self, topic: str) -> int:
        """Partition count of the topic; 0 while the file or the topic does not exist yet."""
        try:
            with self._lock:
                self._connection = self._connection or self._connected()
                row = self._connection.execute("SELECT partitions FROM topics WHERE topic = ?", (topic,)).fetchone()
        except sqlite3.OperationalError:
            return 0
        return int(row[0]) if row else 0

    def _connected(self) -> sqlite3.Connection:
        where = f"{self._path.resolve().as_uri()}?mode=ro"
        return sqlite3.connect(where, uri=True, timeout=30, isolation_level=None, check_same_thread=False)

    def _rows(self, sql: str, parameters: Sequence[object]) -> list[tuple[int, int]]:
        with self._lock:
            assert self._connection is not None, "open() comes first"
            return self._connection.execute(sql, parameters).fetchall()

    async def begin_offsets(self, topic: str) -> dict[int, int]:
        return dict.fromkeys(await self.open(topic), 0)

    async def end_offsets(self, topic: str) -> dict[int, int]:
        return await self.begin_offsets(topic) | dict(await asyncio.to_thread(self._rows, _ENDS, (topic,)))

    async def offsets_at(self, topic: str, at_ms: int) -> dict[int, int]:
        found = dict(await asyncio.to_thread(self._rows, _AT, (topic, at_ms)))
        return await self.end_offsets(topic) | found

    async def start(self, offsets: Mapping[TopicPartition, int]) -> None:
        for topic in {topic for topic, _ in offsets}:
            ends = await self.end_offsets(topic)
            ahead = [place for place, offset in offsets.items() if place[0] == topic and offset > ends.get(place[1], 0)]
            if ahead:
                raise PositionLost(
                    f"{self._path} does not reach offset {offsets[ahead[0]]} of {ahead[0]}; is it another file?"
                )
        self._offsets = dict(offsets)
        self._seen_version = -1

    async def seek(self, place: TopicPartition, offset: int) -> None:
        self._offsets[place] = offset
        self._seen_version = -1

    async def read(self, limit: int, wait_s: float) -> list[Record]:
        pause_s, deadline = POLL_S[0], time.monotonic() + wait_s
        while True:
            found: list[Record] = []
            if not self._is_unchanged():
                version, found = await asyncio.to_thread(self._read_now, dict(self._offsets), limit)
                self._advance(found)  # not in the thread: what a cancelled call has read is read again
                self._seen_version = version if len(found) < limit else -1
            if found or time.monotonic() >= deadline:
                return found
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_S[1])

    def _is_unchanged(self) -> bool:
        """True if no commit followed the last full read. Reads the version without a thread: it is in shared memory."""
        if self._seen_version < 0 or not self._lock.acquire(blocking=False):
            return False
        try:
            return self._version() == self._seen_version
        finally:
            self._lock.release()

    def _version(self) -> int:
        assert self._connection is not None, "open() comes first"
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _advance(self, records: Sequence[Record]) -> None:
        """Moves partitions that were read to the end of the order, so that a busy one does not starve the others."""
        for record in records:
            self._offsets.pop((record.topic, record.partition))
            self._offsets[record.topic, record.partition] = record.offset + 1

    def _read_now(self, offsets: Mapping[TopicPartition, int], limit: int) -> tuple[int, list[Record]]:
        """File version and next records; queries only if a commit has changed the version since the last full read."""
        with self._lock:
            version = self._version()
            found: list[Record] = []
            for place, offset in offsets.items() if version != self._seen_version else ():
                found += self._read_partition(place, offset, limit - len(found))
        return version, found

    def _read_partition(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        assert self._connection is not None
        rows = self._connection.execute(_READ, (*place, offset, limit)).fetchall() if limit > 0 else []
        return [Record(*place, row[0], row[1], row[2], _headers(row[3]), row[4]) for row in rows]

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _headers(stored: bytes) -> list[tuple[str, bytes]]:
    return [(name, value.encode("latin-1")) for name, value in json.loads(stored)]
