"""Sets of documents of one segment as packed bits: bit `doc` of word `doc // 64`, least significant first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Docs = NDArray[np.int32]
Flags = NDArray[np.bool_]
WORD = 64
FIRST_WORDS, MORE = 64, 8
"""How many words are looked at for the first hits, and how many times more each time."""


def words_of(size: int) -> int:
    return (size + WORD - 1) // WORD


def none(size: int) -> Bits:
    return np.zeros(words_of(size), np.uint64)


def every(size: int) -> Bits:
    return of_flags(np.ones(size, np.bool_))


def of_flags(flags: Flags) -> Bits:
    """The documents whose flag is set."""
    packed = np.packbits(flags, bitorder="little")
    made = np.zeros(words_of(len(flags)) * 8, np.uint8)
    made[: len(packed)] = packed
    return made.view(np.uint64)


def of_docs(docs: NDArray[Any], size: int) -> Bits:
    """These documents, in any order."""
    flags = np.zeros(size, np.bool_)
    flags[docs] = True
    return of_flags(flags)


def docs_of(bits: Bits) -> Docs:
    """The documents of a set, ascending; words without any cost nothing."""
    filled = np.flatnonzero(bits)
    if len(filled) * 2 > len(bits):
        return np.flatnonzero(_flags(bits)).astype(np.int32)
    return _docs(bits[filled], filled)


def _docs(words: Bits, places: NDArray[np.intp]) -> Docs:
    found = np.flatnonzero(_flags(words))
    docs: Docs = (places[found // WORD] * WORD + found % WORD).astype(np.int32)
    return docs


def _flags(words: Bits) -> Flags:
    return np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)


def first(bits: Bits, start: int, count: int) -> Docs:
    """Up to `count` documents of a set from the document `start` on, ascending."""
    word, width = start // WORD, FIRST_WORDS
    found: list[Docs] = []
    held = 0
    while word < len(bits) and held < count:
        part = bits[word : word + width]
        docs = _docs(part, np.arange(word, word + len(part)))
        docs = docs[docs >= start]
        found.append(docs)
        held, word, width = held + len(docs), word + width, width * MORE
    return np.concatenate(found)[:count] if found else np.zeros(0, np.int32)


def count(bits: Bits) -> int:
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def has(bits: Bits, docs: NDArray[Any]) -> Flags:
    """For each document whether it is in the set."""
    held: Flags = ((bits[docs >> 6] >> (docs & 63).astype(np.uint64)) & np.uint64(1)).view(np.bool_)[::8]
    return held
