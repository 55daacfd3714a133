"""Text as a censor-proof reader sees it: folded to plain simplified characters, with every place mapped back to the original.

Folding: compatibility forms and case, traditional to simplified, look-alikes (UTS 39) and symbols that draw a letter to that
letter (letters.py); accents, marks and invisible characters dropped; in the order in which it is read (reading_order.py). What
stands between two kept characters counts too: blanks, symbols and emoji between Chinese characters vanish, sentence marks stay as
a break that no match crosses, and single characters each set apart are joined ("国，家，级", "N o . 1").
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, groupby, islice, pairwise

from ahocorasick_rs import AhoCorasick, MatchKind

from services.compliance.domain.letters import BREAK, DROPPED, GAP, Table
from services.compliance.domain.reading_order import reading_order
from services.compliance.domain.spelled import Spelling

CONTEXT = 60
"""A clause is looked at up to this many characters on either side."""
MAX_HITS = 200
"""More hits of one list in one text say nothing new."""
RUN = re.compile(f"[^{BREAK}{GAP}]+")
FLAG = re.compile(r"[\U0001f1e6-\U0001f1ff]{2}(?!\s?[.．·。・]\s?[1１①一])")
"""Two regional indicators are a country's flag; before ".1" they are meant as letters."""
FULL_STOP = re.compile(r"\.(?=\s{1,20}[^\W\d_])")
"""A point ends a sentence before a blank and a word; elsewhere it may stand inside a number or a name."""
ELISION = re.compile(r"(?<![^\W\d_])(?:[cdjlmnst]|qu)['\u2019](?=[^\W\d_]{2})", re.IGNORECASE)
"""A French or Italian article that has lost its vowel is a word of its own: "l'eczéma"."""


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
        places = self.origin[start:end]
        return Span(min(places), max(places) + 1)

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the clause round folded [start, end): up to the next break, at most CONTEXT characters away."""
        left = self.text.rfind(BREAK, max(0, start - CONTEXT), start) + 1 or max(0, start - CONTEXT)
        right = self.text.find(BREAK, end, end + CONTEXT)
        return left, min(len(self.text), end + CONTEXT) if right < 0 else right


@dataclass(frozen=True)
class Folding:
    """How to fold: `simplified` maps traditional and look-alike characters, `syllables` a character to one letter a syllable.

    `spelled` knows the terms that may be spelled in Latin letters.
    """

    simplified: Mapping[int, str]
    syllables: Mapping[int, str]
    spelled: Spelling = field(default_factory=Spelling)

    @cached_property
    def _table(self) -> Table:
        return Table(self.simplified)

    def fold(self, original: str) -> Folded:
        kept: list[str] = []
        origin: list[int] = []
        for letters, places in _joined(list(_runs(*self._translated(original)))):
            kept.append(letters)
            origin += places
        text, places = self.spelled.read("".join(kept))
        return Folded(text, tuple(origin[place] for place in places))

    def _translated(self, original: str) -> tuple[str, Sequence[int]]:
        """Folded letters, GAP, BREAK and DROPPED in the order in which they are read, each with its index in the original."""
        read_as, order = _read_as(original), reading_order(original)
        plain = original.translate(self._table)
        if len(plain) == len(original) and not read_as and isinstance(order, range):
            return plain, order
        table = self._table
        atoms = [(atom, index) for index in order for atom in read_as.get(index) or table[ord(original[index])]]
        return "".join(atom for atom, _ in atoms), [index for _, index in atoms]

    @cached_property
    def sound(self) -> Callable[[str], str]:
        """Folded text in the same length, each Chinese character replaced by its syllable's letter; kept for a review's rules."""
        return lru_cache(maxsize=128)(lambda folded: folded.translate(self.syllables))


def _read_as(original: str) -> dict[int, str]:
    """Characters that what stands beside them makes a gap or the end of a sentence."""
    read_as = {index: GAP for match in FLAG.finditer(original) for index in range(*match.span())}
    read_as |= {match.end() - 1: GAP for match in ELISION.finditer(original)}
    return read_as | {match.start(): BREAK for match in FULL_STOP.finditer(original)}


@dataclass(frozen=True, slots=True)
class Run:
    """Kept characters without a gap between them, their places, and the strongest separator that follows ("" at the end)."""

    letters: str
    places: Sequence[int]
    separator: str


def _runs(translated: str, places: Sequence[int]) -> Iterator[Run]:
    found = [match.span() for match in RUN.finditer(translated) if match.group().strip(DROPPED)]
    for (start, end), (following, _) in pairwise([*found, (len(translated), 0)]):
        letters, kept = translated[start:end], places[start:end]
        if DROPPED in letters:
            kept = [place for place, letter in zip(kept, letters, strict=True) if letter != DROPPED]
            letters = letters.replace(DROPPED, "")
        yield Run(letters, kept, BREAK if BREAK in translated[end:following] else GAP)


def _joined(runs: Sequence[Run]) -> Iterator[tuple[str, Sequence[int]]]:
    streaks = _streaks(runs)
    for n, run in enumerate(runs):
        yield run.letters, run.places
        if n + 1 < len(runs) and (kept := _between(run, runs[n + 1], streaks[n])):
            yield kept, run.places[-1:]


def _streaks(runs: Sequence[Run]) -> list[int]:
    """For each gap the number of gaps in a row that lie between single characters (a gap that does not: 0)."""
    single = [_single(left.letters[::-1]) and _single(right.letters) for left, right in pairwise(runs)]
    streaks = [0] * len(runs)
    for lone, group in groupby(range(len(single)), key=lambda n: single[n]):
        members = list(group)
        for n in members:
            streaks[n] = len(members) if lone else 0
    return streaks


def _single(letters: str) -> bool:
    """One character of its script stands at this end: "款1" ends with one."""
    return len(letters) == 1 or _is_latin(letters[0]) != _is_latin(letters[1])


def _between(run: Run, following: Run, streak: int) -> str:
    """The separator that stays between two runs, or "": one gap between Latin singles may part words ("a 5"), two do not."""
    if _is_latin(run.letters[-1]) and _is_latin(following.letters[0]):
        return "" if streak >= 2 else run.separator
    lone = len(run.letters) == 1 or len(following.letters) == 1
    return run.separator if run.separator == BREAK and not lone else ""


def _is_latin(character: str) -> bool:
    return character < "\u2e80" and character != "%"


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in folded text: its place [start, end), and which term (as listed)."""

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
