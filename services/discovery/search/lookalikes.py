"""Handles that look alike (UTS 39): skeletons, which are equal for look-alikes, and scripts that nobody writes together.

A look-alike is marked for people to see. No decision takes one handle for another: `handle_key` alone says what is equal.
"""

import unicodedata
from functools import cache

from confusable_homoglyphs.categories import unique_aliases
from confusable_homoglyphs.confusables import confusables_data

from services.discovery.domain.profile import Account

_MARK = "\u200e"
"""The data wrap letters that are written from the right."""
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_ANY = frozenset({"COMMON", "INHERITED"})


def skeleton(handle: str) -> str:
    """The skeleton of a handle: each letter becomes the one that stands for all that look like it (the prototype of UTS 39)."""
    letters = _prototypes()
    drawn = "".join(letters.get(letter, letter) for letter in unicodedata.normalize("NFD", handle))
    return unicodedata.normalize("NFD", drawn).casefold()


def looks_of(account: Account) -> str:
    """What an account's handle looks like, by platform: equal for handles that look alike."""
    return f"{account.platform.value} {skeleton(account.handle)}"


def mixes_scripts(handle: str) -> bool:
    """True where letters of scripts stand together that nobody writes together; Latin goes with Chinese, Japanese, Korean."""
    if handle.isascii():
        return False
    scripts = frozenset(unique_aliases(handle)) - _ANY
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


@cache
def _prototypes() -> dict[str, str]:
    """Prototypes by letter. The data name both ways: a letter has one entry, its prototype; a prototype has all its letters."""
    found = {}
    for wrapped, others in confusables_data.items():
        letter, first = wrapped.strip(_MARK), others[0]["c"]
        if len(letter) != 1 or len(others) != 1:
            continue
        several = len(first.strip(_MARK)) > 1 or len(confusables_data.get(first, ())) > 1
        if several or first < letter:
            found[letter] = first.strip(_MARK)
    return found
