"""Normalised texts as numbers: a letter's number, its kind, and the runs that search/words.py sees in a text.

The alphabet grows as letters are met and is shared by all segments of an index; number 0 separates texts, 1 is in no run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.discovery.search.words import runs

LETTERS_LIMIT = 1 << 18
OTHER, WORD, UNSPACED = 0, 1, 2
SEPARATOR, NO_LETTER = 0, 1
UNICODE = 0x110000
Codes = NDArray[np.uint32]


@dataclass(slots=True)
class Alphabet:
    """Letters by number. Only ever grows, and by one thread at a time; readers may read while it does."""

    letters: list[int] = field(default_factory=list)
    """Code points in the order of their numbers, the first of which is 2."""
    _number: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(UNICODE, np.uint32))
    _kind: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(1024, np.uint8))

    def __post_init__(self) -> None:
        known, self.letters = self.letters, []
        self._learn(known)

    def _learn(self, points: Sequence[int]) -> None:
        for point in points:
            kind = _kind(chr(point))
            if kind == OTHER:
                self._number[point] = NO_LETTER
                continue
            number = len(self.letters) + 2
            if number >= len(self._kind):
                self._kind = np.concatenate((self._kind, np.zeros_like(self._kind)))
            self._kind[number], self._number[point] = kind, number
            self.letters.append(point)

    def codes(self, text: str) -> Codes:
        """The numbers of a text's letters; NUL separates."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = self._number[points]
        strange = np.unique(points[(codes == 0) & (points != 0)])
        if len(strange):
            self._learn(strange.tolist())
            codes = self._number[points]
        return codes

    def known(self, run: str) -> Codes | None:
        """The numbers of a run that is asked for; None where one of its letters was never met."""
        codes = self._number[np.frombuffer(run.encode("utf-32-le", "surrogatepass"), np.uint32)]
        return None if np.any(codes <= NO_LETTER) else codes

    def kinds(self, codes: Codes) -> NDArray[np.uint8]:
        return self._kind[codes]


def _kind(letter: str) -> int:
    found = next(iter(runs(letter)), None)
    if found is None:
        return OTHER
    return UNSPACED if found[1] else WORD
