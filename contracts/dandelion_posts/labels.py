"""Where a text carries a label of paid content, as people read it: a word of its own, in its place, not taken back.

A label is no part of another word ("Adidas"), of an address, of a longer tag ("#ad-free") or of a denial ("not an ad"). It leads
where it is seen before the text is opened: near the start, not behind three line breaks, not behind other tags.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice

LEADING_CHARACTERS = 60
"""Characters of a text that a feed shows before "more"."""
HEAD = 400
"""A label that leads, and what stands round it, lies in so many characters."""
LINE_BREAKS = 3
"""So many line breaks push what follows out of sight."""
WIDEST = 4
DROPPED = "\x00"
MAX_LETTERS = 65_536
UNSEEN = frozenset({"Cf", "Mn", "Me", "Cc"})
OPENING, CLOSING, DASHES = r"\[(【〔「『<《{*~", r"\])】〕」』>》}*~", r":|\-–—·•/,.。!"
COLONS = ":|-–—"
SENTENCE = re.compile(r"[.!?。！？;；\n…]")
ADDRESS = re.compile(
    r"(?:https?://|www\.)\S{1,2000}|(?<![\w.])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|net|org|io|co|cn|uk|de|fr|eu|shop|me)\b/?\S{0,2000}"
)
TAG_BEFORE = re.compile(r"#[^\s#]{1,100}[\s#]{0,3}$")
MAX_PLACES = 100
"""More places of one word, or addresses, in one text say nothing new."""
WINDOW = 80
"""So much of the text before a label is looked at."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label in a text: its word [start, end), and all that belongs to it [opens, closes): hash sign, brackets, colon."""

    start: int
    end: int
    opens: int
    closes: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Words:
    """labels.toml, compiled."""

    nouns: frozenset[str]
    affirmed: re.Pattern[str]
    denied_before: re.Pattern[str]
    denied_after: re.Pattern[str]
    continued: re.Pattern[str]
    tied: re.Pattern[str]
    instead: Mapping[str, Sequence["Dated"]]
    toggles: Mapping[tuple[str, str], Sequence["Dated"]]
    """By label and platform: the platform's own mark."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Wordings that a law takes on the days [starts, ends)."""

    wordings: tuple[str, ...]
    starts: date
    ends: date | None

    def holds(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


@cache
def _words() -> Words:
    data = tomllib.loads(files(__package__).joinpath("labels.toml").read_text("utf-8"))
    nouns, instead, toggles = frozenset(data.pop("nouns")), data.pop("instead"), data.pop("toggle")
    taken, marks_of = defaultdict(list), defaultdict(list)
    for row in instead:
        taken[row["label"]].append(Dated(tuple(row["wordings"]), row["from"], row.get("to")))
    for row in toggles:
        for platform in row["platforms"]:
            marks_of[row["label"], platform].append(Dated((row["mark"],), row["from"], row.get("to")))
    joined = {name: re.compile("|".join(f"(?:{one})" for one in patterns)) for name, patterns in data.items()}
    return Words(nouns, instead=taken, toggles=marks_of, **joined)


@lru_cache(maxsize=64)
def folded(text: str) -> tuple[str, Sequence[int]]:
    """Lower case, without compatibility forms, accents and what is not seen; and where each character came from."""
    plain = text.translate(LETTERS)
    if len(plain) == len(text) and DROPPED not in plain:
        return plain, range(len(text))
    pairs = [
        (letter, index) for index, code in enumerate(map(ord, text)) for letter in LETTERS[code] if letter != DROPPED
    ]
    return "".join(letter for letter, _ in pairs), [index for _, index in pairs]


class Letters(dict[int, str]):
    """For str.translate: what a character is read as, found once; DROPPED for what is not seen. Bounded."""

    def __missing__(self, code: int) -> str:
        if len(self) > MAX_LETTERS:
            self.clear()
        found = self[code] = _letters(chr(code)) or DROPPED
        return found


LETTERS = Letters()


def _letters(character: str) -> str:
    if character.isspace():
        return "\n" if character in "\n\x0b\x0c\r\x85\u2028\u2029" else " "
    letters = unicodedata.normalize("NFKD", character).casefold()[:WIDEST]
    return "".join(letter for letter in letters if unicodedata.category(letter) not in UNSEEN)


def core(wording: str) -> str:
    """The word itself: "#ad", "[Ad]" and "AD:" are one label."""
    return folded(wording)[0].strip(" #[]()【】:|｜-")


def find(wording: str, text: str) -> Mark | None:
    """The first place where the text carries the wording as a label."""
    return next(marks(wording, text), None)


def leading(wordings: Iterable[str], text: str) -> Mark | None:
    """A label among the wordings that is seen before the text is opened."""
    return next((mark for wording in wordings for mark in marks(wording, text[:HEAD]) if mark.leads), None)


def same(one: str, other: str) -> bool:
    """True for two spellings of one label."""
    return bool(core(one)) and core(one) == core(other)


def spellings(label: str, day: date) -> tuple[str, ...]:
    """An attached label, then what the same law takes in its place on the day: "Anzeige" for the EU's "Advertising"."""
    return (label, *_holding(_words().instead.get(label, ()), day))


def toggle(label: str, platform: str, day: date) -> str:
    """The mark that a platform shows of its own accord, where the label's law takes it on the day; "" where there is none."""
    return next(_holding(_words().toggles.get((label, platform), ()), day), "")


def _holding(rows: Iterable[Dated], day: date) -> Iterator[str]:
    return (wording for row in rows if row.holds(day) for wording in row.wordings)


def shown(label: str, text: str, day: date) -> str:
    """The spelling of an attached label that leads the text, "" for none."""
    return next((spelling for spelling in spellings(label, day) if any(_leading(label, spelling, text))), "")


def without(label: str, text: str, day: date) -> str:
    """The text without the leading spellings of this label, with what belongs to them."""
    for spelling in sorted(spellings(label, day), key=len, reverse=True):  # "本文为广告" goes whole
        for mark in reversed(list(_leading(label, spelling, text))):
            text = text[: mark.opens] + text[mark.closes :]
    return text


def _leading(label: str, spelling: str, text: str) -> Iterator[Mark]:
    """Where a spelling leads. A phrase in the place of a label stands first and by itself: "my sponsored run" has none."""
    is_plain = spelling == label or core(spelling) in _words().nouns
    return (mark for mark in marks(spelling, text[:HEAD]) if mark.leads and (is_plain or _is_first(mark, text[:HEAD])))


def _is_first(mark: Mark, text: str) -> bool:
    before, after = text[: mark.start], folded(text[mark.end :])[0]
    closed = mark.closes > mark.end or "#" in before or after[:1] in ("", "\n") or _words().tied.search(after)
    return bool(closed) and not any(character.isalnum() for character in before)


def marks(wording: str, text: str) -> Iterator[Mark]:
    """All places, in order."""
    plain, origin = folded(text)
    word = core(wording)
    if not word or word.split()[0] not in plain:
        return
    for match in islice(_pattern(word).finditer(plain), MAX_PLACES):
        if not _in_address(plain, match.start("word")) and _is_label(wording, word, plain, match):
            yield _mark(plain, origin, match, len(text))


def _in_address(plain: str, start: int) -> bool:
    return any(begins <= start < ends for begins, ends in _addresses(plain))


@lru_cache(maxsize=64)
def _addresses(plain: str) -> list[tuple[int, int]]:
    return [match.span() for match in islice(ADDRESS.finditer(plain), MAX_PLACES)]


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str]:
    """The word with what belongs to it. A Latin word touches no letter, digit or joiner; a Chinese one may."""
    body = r"\s{1,3}".join(re.escape(part) for part in word.split())
    head = rf"(?P<head>[{OPENING}]{{1,2}}\s?)?(?:(?<![a-z0-9_@/=&+.'’-])(?P<tag>\#)\s?)?"
    border = r"(?(tag)|(?<![\w@/=&+.'’#-]))" if word.isascii() else ""
    behind = r"(?!\w|[-–'’@&+][^\W_])" if word.isascii() else ""
    tail = rf"(?P<tail>\s?[{CLOSING}]{{1,2}})?(?P<dash>\s{{0,2}}[{DASHES}])?"
    return re.compile(rf"{head}{border}(?P<word>{body}){behind}{tail}")


def _is_label(wording: str, word: str, plain: str, match: re.Match[str]) -> bool:
    words, (start, end) = _words(), match.span("word")
    breaks = [found.end() for found in SENTENCE.finditer(plain, max(0, start - WINDOW), start)]
    before, after = plain[breaks[-1] if breaks else max(0, start - WINDOW) : start], plain[end : end + WINDOW]
    if words.denied_before.search(before) or words.denied_after.search(after):
        return False
    if match["tag"] or (match["head"] and match["tail"]):
        return not after[:1].isalnum()
    if word in words.nouns:
        is_said = words.affirmed.search(before) and (word.isascii() or not words.continued.search(after))
        return bool(is_said) or _stands(words, word, plain, match)
    return not wording.startswith("#") and _apart(plain, start, end)


def _apart(plain: str, start: int, end: int) -> bool:
    """No letter touches the word."""
    return not (plain[start - 1 : start].isalnum() or plain[end : end + 1].isalnum())


def _stands(words: Words, word: str, plain: str, match: re.Match[str]) -> bool:
    """A bare noun: first in its line and no longer phrase (with a colon, in its sentence), or last behind a dash; a Chinese one
    wherever no letter touches it."""
    start, end = match.span("word")
    line = plain[plain.rfind("\n", 0, start) + 1 : start]
    if match["dash"] and match["dash"].strip() in COLONS:
        line = SENTENCE.split(line)[-1]
    first = not any(character.isalnum() for character in line)
    if not word.isascii() and _apart(plain, start, end):
        return True
    if first:
        return not words.continued.search(plain[end : end + WINDOW])
    ends = plain[end : end + 1] in ("", "\n")
    return word.isascii() and ends and line.rstrip()[-1:] in "|·•—–:"


def _mark(plain: str, origin: Sequence[int], match: re.Match[str], length: int) -> Mark:
    start, end = match.span("word")
    opens, closes = match.start(), match.end()
    if match["head"] and not match["tail"]:
        opens = match.start("tag") if match["tag"] else start
    if match["dash"] and any(character.isalnum() for character in plain[plain.rfind("\n", 0, start) + 1 : start]):
        closes = match.start("dash")  # it belongs to the sentence that the label ends
    seen = origin[start] < LEADING_CHARACTERS and plain.count("\n", 0, start) < LINE_BREAKS
    leads = seen and not TAG_BEFORE.search(plain[max(0, opens - WINDOW) : opens])
    last = origin[closes - 1] + 1 if closes < len(plain) else length
    return Mark(origin[start], origin[end - 1] + 1, origin[opens], last, leads)
