"""Terms spelled in Latin letters among Chinese characters: "最jia" for 最佳, "guojiaji" for 国家级, "国家j" for 国家级.

A run of letters that touches Chinese characters is read as pinyin, and written as the term's characters where it completes a
listed term: the other characters of the term stand there themselves. What completes no term stays as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

LONGEST = 6
"""A term of so many characters is looked for; longer ones are found by their parts."""
WHOLE = 3
"""A term that is spelled throughout has so many syllables: fewer make ordinary words of other languages."""
RUN = re.compile(r"(?<![a-z0-9])(?:[a-z]{1,18}|1)(?![a-z0-9])")
CHINESE = re.compile("[\u4e00-\u9fff]")
MAX_RUNS = 500
"""More runs in one text hide nothing more."""


@dataclass(frozen=True)
class Spelling:
    """Listed terms, by what is left of each when a part of it is spelled: (before, letters, after)."""

    terms: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def read(self, text: str) -> tuple[str, list[int]]:
        """The text with spelled parts written out, and for each character the place that it comes from."""
        written: list[str] = []
        places: list[int] = []
        done = 0
        for start, end, characters, begins in self._found(text):
            written += [text[done:start], characters]
            places += [*range(done, start), *_spread(start, end, len(characters), begins)]
            done = end
        return "".join([*written, text[done:]]), [*places, *range(done, len(text))]

    def _found(self, text: str) -> Iterator[tuple[int, int, str, bool]]:
        """Runs that complete a term: place, characters, and whether the term begins with the run."""
        for n, match in enumerate(RUN.finditer(text)):
            if n >= MAX_RUNS:
                return
            start, end = match.span()
            beside = text[start - 1 : start] + text[end : end + 1]
            if CHINESE.search(beside) and (completed := self._completes(text, start, end)):
                yield start, end, *completed

    def _completes(self, text: str, start: int, end: int) -> tuple[str, bool] | None:
        letters = text[start:end]
        for before in range(min(LONGEST - 1, start), -1, -1):
            for after in range(min(LONGEST - 1 - before, len(text) - end), -1, -1):
                found = self.terms.get((text[start - before : start], letters, text[end : end + after]))
                if found:
                    return found, before == 0
        return None


def _spread(start: int, end: int, characters: int, begins: bool) -> list[int]:
    """The first character comes from the first letter, the last from the last; an only one that begins its term from the first,
    any other from the last."""
    if characters == 1:
        return [start if begins else end - 1]
    places = [start + n * (end - start) // characters for n in range(characters)]
    return [*places[:-1], end - 1]


def spelling(terms: Iterable[str], syllable_of: Mapping[str, str]) -> Spelling:
    """Every way to spell one part of a Chinese term: by its syllables, or one character of three and more by its first letter."""
    ways: dict[tuple[str, str, str], str] = {}
    for term in sorted({term for term in terms if 2 <= len(term) <= LONGEST and all(map(CHINESE.match, term))}):
        syllables = [syllable_of.get(character, "") for character in term]
        if all(syllables):
            ways.update(_ways(term, syllables))
    return Spelling(ways)


def _ways(term: str, syllables: Sequence[str]) -> Iterator[tuple[tuple[str, str, str], str]]:
    for start in range(len(term)):
        for end in range(start + 1, len(term) + 1):
            if end - start < len(term) or len(term) >= WHOLE:
                yield (term[:start], "".join(syllables[start:end]), term[end:]), term[start:end]
        if len(term) >= WHOLE:
            yield (term[:start], syllables[start][0], term[start + 1 :]), term[start]
        if term[start] == "一":
            yield (term[:start], "1", term[start + 1 :]), term[start]
