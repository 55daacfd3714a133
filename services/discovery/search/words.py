"""Texts in Chinese and English as tokens. Han, kana and hangul are cut into characters and pairs, other letters into words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_RUN = re.compile(
    r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)|([^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)"
)
WORD_CHARS = 40


def normal(text: str) -> str:
    """NFKC and case folded: full-width letters, ligatures and capitals are the plain ones."""
    return unicodedata.normalize("NFKC", text).casefold()


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Stretches of letters of normalised text, and whether they are written without spaces."""
    for found in _RUN.finditer(text):
        yield found[0], found[1] is not None


def tokens(text: str) -> set[str]:
    """What a document with this normalised text is found by: single characters and pairs, or whole words."""
    made: set[str] = set()
    for run, unspaced in runs(text):
        if unspaced:
            made.update(run)
            made.update(run[at : at + 2] for at in range(len(run) - 1))
        else:
            made.add(run[:WORD_CHARS])
    return made


def asked(query: str) -> list[tuple[str, bool]]:
    """The parts of a query: each must be in a document, words as beginnings of its words, runs as they stand."""
    return list(runs(normal(query)))


def pairs(run: str) -> Iterable[str]:
    """The tokens that a run of a query needs: its pairs, or its only character."""
    return (run[at : at + 2] for at in range(len(run) - 1)) if len(run) > 1 else (run,)
