"""Texts as runs of letters, folded alike when they are indexed and when they are asked for.

Scripts without spaces between words (Han, kana, hangul, Thai, Lao, Burmese, Khmer) are found by any part of a run, other letters
by the beginnings of words, whose vowel signs belong to them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from anyascii import anyascii
from opencc import OpenCC

_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_INDIC = r"\u0900-\u0963\u0966-\u0dff"
"""Letters of India's scripts with their signs, which are no letters to Unicode; the sentence's end is left out."""
_RUN = re.compile(rf"([{_UNSPACED}]+)|((?:[^\W_{_UNSPACED}]|[{_INDIC}])+)")
_LEFT_OUT = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
"""Accents that no letter takes up, points of Hebrew and of Arabic: written or not, it is the same word."""


def normal(text: str) -> str:
    """NFKC, case folded, without accents, in simplified Chinese: one form for full-width, traditional and accented writing.

    Each character is folded by itself, so that a part of a text is folded as it is inside the whole.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain).translate(FOLDED)


class _Folded(dict[int, str]):
    """Folded characters by code point, each folded at its first use; there are no more than Unicode has."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


FOLDED = _Folded()


def _folded(letter: str) -> str:
    """Latin letters in ASCII (é, ø, ß), Greek and ё without their accent, Han characters simplified; any other as it is."""
    if letter.isascii():
        return letter
    if _LEFT_OUT.match(letter):
        return ""
    name = unicodedata.name(letter, "")
    if name.startswith("LATIN"):
        return anyascii(letter).lower()
    if name.startswith("GREEK") or letter == "ё":
        return unicodedata.normalize("NFD", letter)[0]
    return _simplifier().convert(letter) if name.startswith("CJK") else letter


@cache
def _simplifier() -> OpenCC:
    """Traditional to simplified by OpenCC, also the variants of Taiwan and Hong Kong; read at the first use."""
    return OpenCC("t2s")


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Stretches of letters of normalised text, and whether they are written without spaces."""
    for found in _RUN.finditer(text):
        yield found[0], found[1] is not None


def asked(query: str) -> list[tuple[str, bool]]:
    """The parts of a query: each must be in a document, words as beginnings of its words, runs as they stand."""
    return list(runs(normal(query)))
