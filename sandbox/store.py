"""Where the stand-ins keep what they know over a restart: one SQLite file, each change in it before it is answered."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

V = TypeVar("V")
TABLE = (
    "CREATE TABLE IF NOT EXISTS kept "
    "(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, key))"
)
ALL = "SELECT key, value FROM kept WHERE kind = ? ORDER BY number"
PUT = (
    "INSERT INTO kept (kind, key, value) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value"
)
DROP = "DELETE FROM kept WHERE kind = ? AND key = ?"
BUSY_S = 5.0


class Store:
    """The file; without a path nothing outlives the process. A change survives kill -9 of the process; a loss of power may
    take the newest ones."""

    def __init__(self, path: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            made = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            made.execute("PRAGMA journal_mode = WAL")
            made.execute("PRAGMA synchronous = NORMAL")
            made.execute(TABLE)
            self._connection = made

    def shelf(self, kind: str, write: Callable[[V], Any], read: Callable[[Any], V]) -> "Shelf[V] | None":
        """The entries of one kind; `write` makes JSON of a value, `read` the value again."""
        return Shelf(self._connection, kind, write, read) if self._connection else None

    def close(self) -> None:
        if self._connection:
            self._connection.close()


@dataclass(frozen=True, slots=True)
class Shelf(Generic[V]):
    """Entries of one kind by key, in order of arrival."""

    connection: sqlite3.Connection
    kind: str
    write: Callable[[V], Any]
    read: Callable[[Any], V]

    def all(self) -> Iterator[tuple[str, V]]:
        for key, value in self.connection.execute(ALL, (self.kind,)):
            yield key, self.read(json.loads(value))

    def put(self, key: str, value: V) -> None:
        self.connection.execute(PUT, (self.kind, key, json.dumps(self.write(value), ensure_ascii=False)))

    def drop(self, key: str) -> None:
        self.connection.execute(DROP, (self.kind, key))
