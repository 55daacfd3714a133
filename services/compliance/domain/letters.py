"""Reading of one character: as plain letters, a gap, a break, or nothing."""

import re
import unicodedata
from collections.abc import Mapping

WIDEST = 4
"""A compatibility character stands for at most this many letters here; a few stand for 18 and would swell a text."""
BREAK = "\n"
"""Stands for sentence marks and line ends in folded text."""
GAP = " "
"""Stands for a blank or symbol between two Latin words or numbers."""
DROPPED = "\x00"
"""Stands for a character that leaves no trace, until runs are made."""
MAX_TABLE = 65_536
SENTENCE_MARKS = frozenset("。！？；：，,;!?:\n\r…")
INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cc"})
"""Unicode categories that leave no trace when read."""
DRAWN = frozenset({"So", "No", "Ll", "Lu"})
"""Categories of symbols and letters that may be drawings of plain ones."""
NAMED = re.compile(
    r"(?:LATIN (?:SMALL|CAPITAL) LETTER|LATIN LETTER SMALL CAPITAL|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])(?: WITH .+)?$"
)
FILLERS = frozenset("\u115f\u1160\u3164\uffa0'\u2019")
"""Letters by category that are blank to the eye; and apostrophes, so that "can't" stays one word."""


class Table(dict[int, str]):
    """For str.translate: each character's folded letters, found once; DROPPED for what leaves no trace. Bounded."""

    def __init__(self, simplified: Mapping[int, str]) -> None:
        self._simplified = simplified

    def __missing__(self, code: int) -> str:
        if len(self) > MAX_TABLE:
            self.clear()
        found = self[code] = _folded_character(chr(code)).translate(self._simplified) or DROPPED
        return found


def _folded_character(character: str) -> str:
    if character in SENTENCE_MARKS:
        return BREAK
    if character.isspace():
        return GAP
    return "".join(map(_atom, unicodedata.normalize("NFKD", character).casefold()[:WIDEST]))


def _atom(character: str) -> str:
    category = unicodedata.category(character)
    if category in INVISIBLE or character in FILLERS:
        return ""
    if category in DRAWN and (letter := _drawn(character)):
        return letter
    if character == "%" or category[0] in "LN":
        return character
    return BREAK if character in SENTENCE_MARKS else GAP


def _drawn(character: str) -> str:
    """The plain letter or digit that a symbol draws, by its Unicode name (🅽, ɴ, ø) or value (❶); "" for any other."""
    digit = unicodedata.digit(character, None)
    named = NAMED.search(unicodedata.name(character, "")) if digit is None else None
    return str(digit) if digit is not None else named.group(1).lower() if named else ""
