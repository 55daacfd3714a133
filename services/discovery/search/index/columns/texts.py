"""Where each pair of letters stands: finds runs as they stand and words by their beginnings, exactly, without keeping a text.

A key is a letter and the next one of its run (0 at the run's end); a word's first letter is marked. The positions of a key are
ascending, so a longer run is found where its pairs stand one behind the other.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.index.columns import bits
from services.discovery.search.index.columns.bits import Bits
from services.discovery.search.index.columns.letters import LETTERS_LIMIT, OTHER, WORD, Alphabet, Codes

POSITION_BITS = 27
POSITIONS_LIMIT = 1 << POSITION_BITS
"""So many letters a segment may have."""
_NEXT = LETTERS_LIMIT
_BEGINS = LETTERS_LIMIT * LETTERS_LIMIT
OFTEN = 256
"""What more than one in so many documents has is kept as a bitset for the next question."""
KEPT = 256
Positions = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of one segment; document d has its texts between `ends[d * fields]` and `ends[(d + 1) * fields]`, one a field."""

    size: int
    fields: int
    ends: NDArray[np.int64]
    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    positions: Positions
    _kept: OrderedDict[tuple[bytes, bool], Bits] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, alphabet: Alphabet, size: int, fields: int, codes: Codes, ends: NDArray[np.int64]) -> "Texts":
        """From all letters, text behind text, each followed by a 0; `ends` begins with 0 and has one more for each text."""
        if len(codes) >= POSITIONS_LIMIT:
            raise ValueError("a segment of the search index has too many letters")
        at, keys = _keys(alphabet, codes)
        both = keys << np.uint64(POSITION_BITS) | at.astype(np.uint64)
        both.sort()
        positions = (both & np.uint64(POSITIONS_LIMIT - 1)).astype(np.uint32)
        both >>= np.uint64(POSITION_BITS)
        starts = (
            np.concatenate(([0], np.flatnonzero(both[1:] != both[:-1]) + 1, [len(both)])) if len(both) else np.zeros(1)
        )
        return cls(size, fields, ends, both[starts[:-1].astype(np.int64)], starts.astype(np.int64), positions)

    @property
    def nbytes(self) -> int:
        return self.ends.nbytes + self.keys.nbytes + self.starts.nbytes + self.positions.nbytes

    @property
    def letters(self) -> int:
        """How many letters the texts have, their separators among them."""
        return int(self.ends[-1])

    def codes(self) -> Codes:
        """All letters again, as `of` took them but for those that are in no run, which are 0."""
        made = np.zeros(int(self.ends[-1]), np.uint32)
        letters = ((self.keys // np.uint64(_NEXT)) % np.uint64(LETTERS_LIMIT)).astype(np.uint32)
        made[self.positions] = np.repeat(letters, np.diff(self.starts))
        return made

    def having(self, run: Codes, unspaced: bool) -> Bits:
        """The documents with this run in an unspaced one, or with a word that begins with it."""
        asked = (run.tobytes(), unspaced)
        found = self._kept.get(asked)
        if found is None:
            positions = self.positions_of(run, unspaced)
            found = bits.of_docs(self._texts(positions) // self.fields, self.size)
            if len(positions) * OFTEN > self.size:
                self._keep(asked, found)
        return found

    def _keep(self, asked: tuple[bytes, bool], found: Bits) -> None:
        self._kept[asked] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def fields_of(self, doc: int, run: Codes, unspaced: bool) -> set[int]:
        """In which fields of a document the run or the word stands."""
        texts = self._texts(self.positions_of(run, unspaced))
        return set((texts[texts // self.fields == doc] % self.fields).tolist())

    def _texts(self, positions: Positions) -> NDArray[np.int64]:
        found: NDArray[np.int64] = np.searchsorted(self.ends, positions, side="right") - 1
        return found

    def positions_of(self, run: Codes, unspaced: bool) -> Positions:
        """Where the run begins, in any order."""
        begins = 0 if unspaced else _BEGINS
        if len(run) == 1:
            low = begins + int(run[0]) * _NEXT
            return self._between(low, low + _NEXT)
        pairs = [int(one) * _NEXT + int(other) for one, other in pairwise(run)]
        pairs[0] += begins
        held = [(self._between(key, key + 1), place) for place, key in enumerate(pairs)]
        held.sort(key=lambda one: len(one[0]))
        rarest, place = held[0]
        found = rarest[rarest >= place] - np.uint32(place)
        for positions, place in held[1:]:
            found = _behind(found, positions, place)
        return found

    def _between(self, low: int, high: int) -> Positions:
        one, other = np.searchsorted(self.keys, np.array([low, high], np.uint64))
        return self.positions[self.starts[one] : self.starts[other]]


def _behind(found: Positions, positions: Positions, place: int) -> Positions:
    """Those of the found ones with one of the positions so many letters behind."""
    if not len(positions):
        return found[:0]
    wanted: Positions = found + np.uint32(place)
    there = np.minimum(np.searchsorted(positions, wanted), len(positions) - 1)
    held: Positions = found[positions[there] == wanted]
    return held


def _keys(alphabet: Alphabet, codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """The positions of all letters that are in a run, and the key of each."""
    kinds = alphabet.kinds(codes)
    at = np.flatnonzero(kinds != OTHER)
    ahead, before = np.append(codes, np.uint32(0)), np.append(kinds, np.uint8(OTHER))
    same = before[at + 1] == kinds[at]
    keys = codes[at].astype(np.uint64) * np.uint64(_NEXT) + np.where(same, ahead[at + 1], 0).astype(np.uint64)
    begins = (kinds[at] == WORD) & (before[at - 1] != WORD)
    keys[begins] += np.uint64(_BEGINS)
    return at, keys


def runs_of(alphabet: Alphabet, parts: list[tuple[str, bool]]) -> list[tuple[Codes, bool]] | None:
    """The parts of a question as numbers; None where no document can have one."""
    made = [(alphabet.known(run), unspaced) for run, unspaced in parts]
    return (
        None if any(codes is None for codes, _ in made) else [(codes, one) for codes, one in made if codes is not None]
    )
