"""An immutable part of the index: documents in the order of their followers with their columns, labels and texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns.bits import Docs
from services.discovery.search.index.columns.labels import Labels
from services.discovery.search.index.columns.letters import Alphabet, Codes
from services.discovery.search.index.columns.numbers import Numbers
from services.discovery.search.index.columns.texts import Texts

RANKED = "followers"
"""Documents are numbered by this column, the largest first, then by id: pages in this order cost nothing to sort."""
Ids = NDArray[np.bytes_]
ID_BYTES = 16


def packed_ids(ids: Sequence[str]) -> Ids:
    """Ids (UUIDs) as 16 bytes each, which sort as their text does."""
    return np.frombuffer(b"".join(UUID(one).bytes for one in ids), f"S{ID_BYTES}")


def written(packed: bytes) -> str:
    """An id as text; numpy takes zeros off the end of bytes."""
    return str(UUID(bytes=bytes(packed).ljust(ID_BYTES, b"\0")))


@dataclass(frozen=True, slots=True)
class Rows:
    """What a segment is made of, row by row in any order; `numbers` by column as rows (ascending) and values, `labels` as pairs.

    `codes` and `ends` are the texts as Texts.of takes them.
    """

    ids: Ids
    numbers: Mapping[str, tuple[Docs, NDArray[np.float64]]]
    labels: Mapping[str, tuple[Docs, NDArray[np.int32]]]
    codes: Codes
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """`sorted_ids` ascending; document d has the id `sorted_ids[rank[d]]`, and `doc_of` is the way back."""

    size: int
    sorted_ids: Ids
    rank: Docs
    doc_of: Docs
    numbers: Mapping[str, Numbers]
    labels: Mapping[str, Labels]
    texts: Texts
    kept: dict[object, object] = field(default_factory=dict)
    """Orders and unit costs that questions have made, by what they are of; see orders.py."""

    @classmethod
    def of(cls, alphabet: Alphabet, rows: Rows) -> "Segment":
        size, fields = len(rows.ids), _fields(rows)
        by_id = np.argsort(rows.ids, kind="stable")
        row_rank = _inverse(by_id)
        order = np.lexsort((row_rank, -_ranked(rows)))
        doc_of_row, rank = _inverse(order), row_rank[order]
        return cls(
            size,
            rows.ids[by_id],
            rank,
            _inverse(rank),
            {name: _moved(size, doc_of_row, *column) for name, column in rows.numbers.items()},
            {name: Labels.of(size, doc_of_row[docs], codes) for name, (docs, codes) in rows.labels.items()},
            Texts.of(alphabet, size, fields, *_gathered(rows.codes, rows.ends, order, fields)),
        )

    @property
    def nbytes(self) -> int:
        own = sum(one.nbytes for one in (self.sorted_ids, self.rank, self.doc_of))
        columns = sum(one.nbytes for one in self.numbers.values()) + sum(one.nbytes for one in self.labels.values())
        return own + columns + self.texts.nbytes

    def id_of(self, doc: int) -> str:
        return written(self.sorted_ids[self.rank[doc]])

    def docs_of_ids(self, ids: Ids) -> Docs:
        """The documents of those ids that the segment has."""
        if not self.size:
            return self.doc_of[:0]
        place = np.minimum(np.searchsorted(self.sorted_ids, ids), self.size - 1)
        found: Docs = self.doc_of[place[self.sorted_ids[place] == ids]]
        return found

    def rows(self, docs: Docs) -> Rows:
        """The rows of these documents (ascending) again, to be merged into another segment."""
        row_of = np.full(self.size, -1, np.int32)
        row_of[docs] = np.arange(len(docs), dtype=np.int32)
        return Rows(
            self.sorted_ids[self.rank[docs]],
            {name: _kept(row_of, *column.known()) for name, column in self.numbers.items()},
            {name: _kept(row_of, *column.pairs()) for name, column in self.labels.items()},
            *_gathered(self.texts.codes(), self.texts.ends, docs, self.texts.fields),
        )


def merged(alphabet: Alphabet, parts: Sequence[Rows]) -> Segment:
    """One segment of the rows of several, no id twice."""
    starts = np.cumsum([0, *[len(rows.ids) for rows in parts]])
    letters = np.cumsum([0, *[int(rows.ends[-1]) for rows in parts]])
    ends = [rows.ends[1:] + letters[place] for place, rows in enumerate(parts)]
    return Segment.of(
        alphabet,
        Rows(
            np.concatenate([rows.ids for rows in parts]),
            _joined([rows.numbers for rows in parts], starts),
            _joined([rows.labels for rows in parts], starts),
            np.concatenate([rows.codes for rows in parts]),
            np.concatenate([np.zeros(1, np.int64), *ends]),
        ),
    )


def _joined(
    columns: Sequence[Mapping[str, tuple[Docs, Any]]], starts: NDArray[np.int64]
) -> dict[str, tuple[Docs, Any]]:
    made = {}
    for name in sorted({name for part in columns for name in part}):
        held = [(place, part[name]) for place, part in enumerate(columns) if name in part]
        docs = [docs + np.int32(starts[place]) for place, (docs, _) in held]
        made[name] = (np.concatenate(docs), np.concatenate([values for _, (_, values) in held]))
    return made


def _inverse(order: NDArray[Any]) -> Docs:
    made = np.empty(len(order), np.int32)
    made[order] = np.arange(len(order), dtype=np.int32)
    return made


def _fields(rows: Rows) -> int:
    return (len(rows.ends) - 1) // max(len(rows.ids), 1)


def _ranked(rows: Rows) -> NDArray[np.float64]:
    made = np.zeros(len(rows.ids))
    docs, values = rows.numbers[RANKED]
    made[docs] = values
    return made


def _moved(size: int, doc_of_row: Docs, rows: Docs, values: NDArray[np.float64]) -> Numbers:
    docs = doc_of_row[rows]
    order = np.argsort(docs)
    return Numbers.of(size, docs[order], values[order])


def _kept(row_of: Docs, docs: Docs, values: NDArray[Any]) -> tuple[Docs, NDArray[Any]]:
    rows = row_of[docs]
    there = rows >= 0
    return rows[there], values[there]


def _gathered(
    codes: Codes, ends: NDArray[np.int64], docs: NDArray[Any], fields: int
) -> tuple[Codes, NDArray[np.int64]]:
    """The texts of these documents in this order."""
    texts = (docs.astype(np.int64)[:, None] * fields + np.arange(fields)).ravel()
    lengths = ends[texts + 1] - ends[texts]
    made = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    moved = np.repeat(ends[texts] - made[:-1], lengths) + np.arange(made[-1])
    return codes[moved], made
