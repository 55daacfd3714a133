"""Texts as hashed n-grams, counted for many texts at once in numpy: no text is walked in Python."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import opencc
from numpy.typing import NDArray

CHARS_LIMIT = 1_000
"""Of a text that are looked at."""
Hashes = NDArray[np.uint64]
Docs = NDArray[np.int64]
STEP = np.uint64(0x9E3779B97F4A7C15)
CHAR_SIZES = {"zh": (1, 2, 3), "en": (3, 4, 5)}
"""Sizes of character n-grams; English has words and pairs of words beside."""


@dataclass(frozen=True, slots=True)
class Counted:
    """1 + log of how often a text has an n-gram: sparse rows, sorted by text. `texts` is how many there are."""

    texts: int
    doc: Docs
    column: Docs
    value: NDArray[np.float64]


def counted(texts: Sequence[str], language: str, bits: int) -> Counted:
    """N-grams of texts in one language, in 2**bits columns."""
    points, doc = _points(texts, language)
    found = [_grams(points, doc, CHAR_SIZES[language])]
    if language == "en":
        found.append(_words(points, doc))
    hashes, docs = (np.concatenate([one[at] for one in found]) for at in (0, 1))
    keys = (docs.astype(np.uint64) << np.uint64(bits)) | (hashes >> np.uint64(64 - bits))
    keys.sort()
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.zeros(0, np.int64)
    times, keys = np.diff(np.append(first, len(keys))), keys[first]
    column = (keys & np.uint64((1 << bits) - 1)).astype(np.int64)
    return Counted(len(texts), (keys >> np.uint64(bits)).astype(np.int64), column, 1 + np.log(times))


def normal(text: str, language: str) -> str:
    """NFKC in small letters, traditional Chinese folded to simplified."""
    folded = unicodedata.normalize("NFKC", text[:CHARS_LIMIT]).lower()
    return str(_simplifier().convert(folded)) if language == "zh" else folded


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _points(texts: Sequence[str], language: str) -> tuple[Hashes, Docs]:
    """Code points of all texts in one row, and which text each is of."""
    folded = [normal(text, language) for text in texts]
    lengths = np.array([len(one) for one in folded], np.int64)
    points = np.frombuffer("".join(folded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return points, np.repeat(np.arange(len(folded)), lengths)


def _mixed(hashes: Hashes) -> Hashes:
    """Bits spread over the whole word (the finaliser of SplitMix64)."""
    hashes = hashes ^ (hashes >> np.uint64(31))
    hashes = hashes * np.uint64(0xBF58476D1CE4E5B9)
    return hashes ^ (hashes >> np.uint64(29))


def _grams(points: Hashes, doc: Docs, sizes: tuple[int, ...]) -> tuple[Hashes, Docs]:
    """Runs of so many characters, none across two texts."""
    found, docs = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    rolling = np.zeros(len(points), np.uint64)
    for size in range(1, max(sizes) + 1):
        left = len(points) - size + 1
        if left <= 0:
            break
        rolling = rolling[:left] * STEP + _mixed(points[size - 1 :] + np.uint64(7_919))
        if size in sizes:
            whole = doc[:left] == doc[size - 1 :]
            found.append(_mixed(rolling[whole] + np.uint64(size * 1_000_003 + 1)))
            docs.append(doc[:left][whole])
    return np.concatenate(found), np.concatenate(docs)


def _words(points: Hashes, doc: Docs) -> tuple[Hashes, Docs]:
    """Words, and pairs of words that follow each other; any other sign is a word of its own."""
    if not len(points):
        return points, doc
    letters = ((points >= 97) & (points <= 122)) | ((points >= 48) & (points <= 57)) | (points == 39) | (points == 8217)
    letters |= (points >= 0xC0) & (points < 0x250)
    blank = (points == 32) | ((points >= 9) & (points <= 13)) | (points == 0xA0)
    begins = np.ones(len(points), bool)
    begins[1:] = ~(letters[1:] & letters[:-1] & (doc[1:] == doc[:-1]))
    starts = np.flatnonzero(begins)
    place = np.arange(len(points)) - np.repeat(starts, np.diff(np.append(starts, len(points))))
    words = np.add.reduceat(_mixed(points * STEP + _mixed(place.astype(np.uint64) + np.uint64(77))), starts)
    kept = ~blank[starts]
    words, docs = words[kept], doc[starts][kept]
    pairs = np.flatnonzero(docs[1:] == docs[:-1])
    both = _mixed(words[pairs] * STEP + words[pairs + 1])
    return np.concatenate([_mixed(words), both]), np.concatenate([docs, docs[pairs]])
