"""Text as a censor-proof reader sees it: folded to plain simplified characters, with every place mapped back to the original.

Folding: NFKC and lower case, traditional to simplified, marks and invisible characters dropped. What stands between two
kept characters counts too: blanks, symbols and emoji between Chinese characters vanish, sentence marks stay as a break
that no match crosses, and single characters each set apart are joined ("国，家，级", "N o . 1").
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby, islice, pairwise

from ahocorasick_rs import AhoCorasick, MatchKind

WIDEST = 4
"""A compatibility character stands for at most this many letters here; a few stand for 18 and would swell a text."""
CONTEXT = 60
"""A clause is looked at up to this many characters on either side."""
MAX_HITS = 200
"""More hits of one list in one text say nothing new."""
BREAK = "\n"
"""Stands for sentence marks and line ends in folded text."""
GAP = " "
"""Stands for a blank or symbol between two Latin words or numbers."""
SENTENCE_MARKS = frozenset("。！？；：，,;!?:\n\r…")
INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cc"})
"""Unicode categories that leave no trace when read."""
FILLERS = frozenset("\u115f\u1160\u3164\uffa0'\u2019")
"""Letters by category that are blank to the eye; and apostrophes, so that "can't" stays one word."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the original text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; `origin[i]` is the index in the original of the character that folded character i came from."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The original characters behind folded [start, end); takes in what was dropped between them."""
        return Span(self.origin[start], self.origin[end - 1] + 1)

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the clause round folded [start, end): up to the next break, at most CONTEXT characters away."""
        left = self.text.rfind(BREAK, max(0, start - CONTEXT), start) + 1 or max(0, start - CONTEXT)
        right = self.text.find(BREAK, end, end + CONTEXT)
        return left, min(len(self.text), end + CONTEXT) if right < 0 else right


@dataclass(frozen=True)
class Folding:
    """How to fold: `simplified` maps traditional and look-alike characters, `syllables` a character to one letter a syllable."""

    simplified: Mapping[int, str]
    syllables: Mapping[int, str]

    def fold(self, original: str) -> Folded:
        kept: list[str] = []
        origin: list[int] = []
        for character, index in _joined(list(_runs(_atoms(original, self.simplified)))):
            kept.append(character)
            origin.append(index)
        return Folded("".join(kept), tuple(origin))

    def sound(self, folded: str) -> str:
        """The same length, each Chinese character replaced by its syllable's letter; the rest unchanged."""
        return folded.translate(self.syllables)


def _atoms(original: str, simplified: Mapping[int, str]) -> Iterator[tuple[str, int]]:
    """Kept characters, GAP or BREAK, each with its index in the original; invisible characters are no atoms at all."""
    for index, character in enumerate(original):
        for atom in _folded_character(character).translate(simplified):
            yield atom, index


@lru_cache(maxsize=65_536)
def _folded_character(character: str) -> str:
    if character in SENTENCE_MARKS:
        return BREAK
    if character.isspace():
        return GAP
    return "".join(map(_atom, unicodedata.normalize("NFKC", character).lower()[:WIDEST]))


def _atom(character: str) -> str:
    category = unicodedata.category(character)
    if category in INVISIBLE or character in FILLERS:
        return ""
    if character == "%" or category[0] in "LN":
        return character
    return BREAK if character in SENTENCE_MARKS else GAP


Letters = list[tuple[str, int]]
Run = tuple[Letters, str]


def _runs(atoms: Iterable[tuple[str, int]]) -> Iterator[Run]:
    """Runs of kept characters, each with the strongest separator that follows it ("" at the end)."""
    run: Letters = []
    separator = ""
    for atom, index in atoms:
        if atom in (GAP, BREAK):
            separator = BREAK if BREAK in (atom, separator) else GAP
            continue
        if separator and run:
            yield run, separator
            run = []
        separator = ""
        run.append((atom, index))
    if run:
        yield run, separator


def _joined(runs: Sequence[Run]) -> Iterator[tuple[str, int]]:
    streaks = _streaks(runs)
    for n, (run, separator) in enumerate(runs):
        yield from run
        if n + 1 < len(runs) and (kept := _between(run, separator, runs[n + 1][0], streaks[n])):
            yield kept, run[-1][1]


def _streaks(runs: Sequence[Run]) -> list[int]:
    """For each gap the number of gaps in a row that lie between single characters (a gap that does not: 0)."""
    single = [_tail(left[0]) == 1 == _head(right[0]) for left, right in pairwise(runs)]
    streaks = [0] * len(runs)
    for lone, group in groupby(range(len(single)), key=lambda n: single[n]):
        members = list(group)
        for n in members:
            streaks[n] = len(members) if lone else 0
    return streaks


def _tail(run: Letters) -> int:
    """How many characters of one script the run ends with: "款1" ends with one."""
    return _head(run[::-1])


def _head(run: Letters) -> int:
    latin = _is_latin(run[0][0])
    return next((n for n, (character, _) in enumerate(run) if _is_latin(character) != latin), len(run))


def _between(run: Letters, separator: str, following: Letters, streak: int) -> str:
    """The separator that stays between two runs, or "": one gap between Latin singles may part words ("a 5"), two do not."""
    if _is_latin(run[-1][0]) and _is_latin(following[0][0]):
        return "" if streak >= 2 else separator
    lone = len(run) == 1 or len(following) == 1
    return separator if separator == BREAK and not lone else ""


def _is_latin(character: str) -> bool:
    return character < "\u2e80" and character != "%"


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in folded text: its place [start, end) and which term (as listed)."""

    start: int
    end: int
    term: str


class Matcher:
    """Finds listed terms in folded text, longest first, except inside a listed harmless phrase.

    Terms of three and more Chinese characters are also found by their sound, when at most half of the characters differ.
    """

    def __init__(self, terms: Iterable[str], harmless: Iterable[str], folding: Folding) -> None:
        self._folding = folding
        self._terms = {folding.fold(term).text: term for term in sorted(terms)}
        self._patterns = sorted(self._terms)
        self._exact = AhoCorasick(self._patterns, matchkind=MatchKind.LeftmostLongest)
        self._harmless = AhoCorasick(sorted({folding.fold(phrase).text for phrase in harmless}))
        by_sound = {folding.sound(term): term for term in self._patterns if len(term) >= 3 and _all_chinese(term)}
        self._sounding = [by_sound[sound] for sound in sorted(by_sound)]
        self._sounds = AhoCorasick(sorted(by_sound), matchkind=MatchKind.LeftmostLongest)

    def find(self, folded: Folded) -> list[Hit]:
        """Hits in order of place, at most MAX_HITS; a Latin term only matches whole words."""
        exact = [Hit(start, end, self._terms[self._patterns[n]]) for n, start, end in self._matches(folded.text)]
        taken = Places((hit.start, hit.end) for hit in exact)
        sounding = [hit for hit in self._by_sound(folded.text) if not taken.touch(hit.start, hit.end)]
        excused = self.harmless(folded)
        hits = sorted(exact + sounding, key=lambda hit: hit.start)
        return list(islice((hit for hit in hits if not excused.hold(hit.start, hit.end)), MAX_HITS))

    def harmless(self, folded: Folded) -> "Places":
        """Where the harmless phrases stand."""
        found = self._harmless.find_matches_as_indexes(folded.text, overlapping=True)
        return Places((start, end) for _, start, end in found)

    def _matches(self, text: str) -> Iterator[tuple[int, int, int]]:
        for n, start, end in self._exact.find_matches_as_indexes(text):
            if _whole_word(text, start, end):
                yield n, start, end

    def _by_sound(self, text: str) -> Iterator[Hit]:
        for n, start, end in self._sounds.find_matches_as_indexes(self._folding.sound(text)):
            term = self._sounding[n]
            differing = sum(a != b for a, b in zip(text[start:end], term, strict=True))
            if 0 < differing * 2 <= len(term):
                yield Hit(start, end, self._terms[term])


class Places:
    """Intervals [start, end) of one text, asked about by bisection: long texts are full of them."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(intervals)
        self._starts = [start for start, _ in ordered]
        self._furthest = list(accumulate((end for _, end in ordered), max))
        """The furthest end among the intervals up to each."""

    def hold(self, start: int, end: int) -> bool:
        """True when [start, end) lies inside one of them."""
        before = bisect_right(self._starts, start)
        return before > 0 and self._furthest[before - 1] >= end

    def touch(self, start: int, end: int) -> bool:
        """True when [start, end) overlaps one of them."""
        before = bisect_left(self._starts, end)
        return before > 0 and self._furthest[before - 1] > start


def _all_chinese(term: str) -> bool:
    return all(not _is_latin(character) and character != "%" for character in term)


def _whole_word(text: str, start: int, end: int) -> bool:
    """False when a Latin letter or a digit is cut in two at either end."""
    return not (_glued(text, start) or _glued(text, end))


def _glued(text: str, index: int) -> bool:
    if not 0 < index < len(text):
        return False
    left, right = text[index - 1], text[index]
    return (left.isascii() and right.isascii()) and (
        (left.isalpha() and right.isalpha()) or (left.isdigit() and right.isdigit())
    )
