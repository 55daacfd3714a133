"""A column of labels of one segment: postings by the label's code, bitsets for frequent ones, codes by document."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits, Docs, Flags

FREQUENT = 256
"""A label that one in so many documents has is kept as a bitset: at most eight times its postings' memory, ten times as fast."""
DOCUMENT_NS, LABEL_NS, WORD_NS = 14, 4_000, 0.8
"""What counting takes for a document, a label, and a word of its bitset: the shorter way is reckoned with these."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The documents of label c are `docs[starts[c]:starts[c + 1]]`, the labels of document d `codes[of_doc[d]:of_doc[d + 1]]`."""

    size: int
    starts: NDArray[np.int64]
    docs: Docs
    of_doc: NDArray[np.int64]
    codes: NDArray[np.int32]
    frequent: NDArray[np.int32]
    bitsets: NDArray[np.uint64]

    @classmethod
    def of(cls, size: int, docs: Docs, codes: NDArray[np.int32]) -> "Labels":
        """From pairs in any order; one that comes twice counts once."""
        docs, codes = _each_once(docs, codes)
        by_code = np.lexsort((docs, codes))
        held = int(codes.max()) + 1 if len(codes) else 0
        starts = np.searchsorted(codes[by_code], np.arange(held + 1)).astype(np.int64)
        of_doc = np.searchsorted(docs, np.arange(size + 1)).astype(np.int64)
        posted = docs[by_code]
        frequent = np.flatnonzero(np.diff(starts) * FREQUENT >= max(size, 1)).astype(np.int32)
        made = [bits.of_docs(posted[starts[code] : starts[code + 1]], size) for code in frequent]
        bitsets = np.stack(made) if made else np.zeros((0, bits.words_of(size)), np.uint64)
        return cls(size, starts, posted, of_doc, codes, frequent, bitsets)

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in (self.starts, self.docs, self.of_doc, self.codes, self.bitsets))

    def pairs(self) -> tuple[Docs, NDArray[np.int32]]:
        """Every document with every label of it, by document."""
        return np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.of_doc)), self.codes

    def having(self, codes: NDArray[np.int32]) -> Bits:
        """The documents with any of these labels; codes that the segment does not have match none."""
        here = codes[codes < len(self.starts) - 1]
        rows, often = self._rows(here)
        rare = [self.docs[self.starts[code] : self.starts[code + 1]] for code in here[~often]]
        found = bits.of_docs(np.concatenate(rare), self.size) if rare else bits.none(self.size)
        for row in rows[often]:
            found = found | self.bitsets[row]
        return found

    def _rows(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.intp], Flags]:
        """The row of each label's bitset, and whether it has one."""
        rows = np.searchsorted(self.frequent, codes)
        if not len(self.frequent):
            return rows, np.zeros(len(codes), np.bool_)
        return rows, self.frequent[np.minimum(rows, len(self.frequent) - 1)] == codes

    def documents(self, vocabulary: int) -> NDArray[np.int64]:
        """How many documents each label has."""
        return _padded(np.diff(self.starts), vocabulary)

    def few(self, documents: int, labels: int) -> bool:
        """Whether counting document by document takes less time than label by label."""
        by_document = documents * (1 + len(self.codes) / max(self.size, 1)) * DOCUMENT_NS
        return by_document < min(labels, len(self.starts) - 1) * (LABEL_NS + WORD_NS * bits.words_of(self.size))

    def counted_of(self, docs: Docs, vocabulary: int) -> NDArray[np.int64]:
        """How many of these documents each label has, by looking at each document: for few documents."""
        starts, ends = self.of_doc[docs], self.of_doc[docs + 1]
        lengths = ends - starts
        offsets = (
            np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) if len(docs) else starts[:0]
        )
        return np.bincount(self.codes[offsets + np.arange(len(offsets))], minlength=vocabulary)

    def counted(self, found: Bits, codes: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many documents of the set each of these labels has, by looking at each label."""
        counts = np.zeros(len(codes), np.int64)
        here = np.flatnonzero(codes < len(self.starts) - 1)
        rows, often = self._rows(codes[here])
        counts[here[often]] = self._counted_bitsets(found, rows[often])
        counts[here[~often]] = self._counted_postings(found, codes[here[~often]])
        return counts

    def _counted_bitsets(self, found: Bits, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """One bitset at a time through buffers that stay in the processor's cache."""
        both, ones = np.empty_like(found), np.empty(len(found), np.uint8)
        counts = np.zeros(len(rows), np.int64)
        for place, row in enumerate(rows):
            np.bitwise_and(self.bitsets[row], found, out=both)
            np.bitwise_count(both, out=ones)
            counts[place] = np.add.reduce(ones, dtype=np.uint32)
        return counts

    def _counted_postings(self, found: Bits, codes: NDArray[np.int32]) -> NDArray[np.int64]:
        if not len(codes):
            return np.zeros(0, np.int64)
        parts = [self.docs[self.starts[code] : self.starts[code + 1]] for code in codes]
        held = np.concatenate(([0], np.cumsum(bits.has(found, np.concatenate(parts)))))
        ends = np.cumsum([len(part) for part in parts])
        counts: NDArray[np.int64] = held[ends] - held[np.concatenate(([0], ends[:-1]))]
        return counts


def _padded(counts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.concatenate((counts, np.zeros(max(length - len(counts), 0), np.int64)))[:length]


def _each_once(docs: Docs, codes: NDArray[np.int32]) -> tuple[Docs, NDArray[np.int32]]:
    """The pairs by document, then by label."""
    pairs = docs.astype(np.int64) << 32 | codes.astype(np.int64)
    pairs.sort()
    if len(pairs):
        pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
    return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
