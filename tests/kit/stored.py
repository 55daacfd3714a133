"""Everything that services in a folder keep, to be searched for words: the rows of every table, and the bytes of every file."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def rows_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every table of every database, row by row, as `file/table` and the row's values."""
    for path in sorted(folder.glob("*.db")):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield f"{path.name}/{table}", b"\x1f".join(map(_bytes, row))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def words_in(data: bytes, words: Sequence[str]) -> list[str]:
    """Those of the words that the bytes hold, in whatever case."""
    folded = data.lower()
    return [word for word in words if word.lower().encode() in folded]


def places_of(folder: Path, words: Sequence[str]) -> dict[str, set[str]]:
    """The tables that hold any of the words, generations of a read model as one, and which words."""
    found: dict[str, set[str]] = {}
    for place, row in rows_in(folder):
        if hits := words_in(row, words):
            found.setdefault(place.partition("_g")[0], set()).update(hits)
    return found


def files_with(folder: Path, words: Sequence[str]) -> set[str]:
    """The names of the files that hold any of the words in any byte, deleted rows and write-ahead logs included."""
    return {path.name for path in folder.rglob("*") if path.is_file() and words_in(path.read_bytes(), words)}
