"""The normal form of a post's text: what is left when everything that its platform rewrites is written one way.

`digest(form, text)` is the hash that ContentPublished and ContentLookedAt carry. A form has an id, e.g. "xiaohongshu@1",
and is never changed: other rules get the next id, so that a hash which was taken before can be taken again.
"""

import hashlib
import html
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

AS_IS = ""
"""The form of hashes from before there were forms: the text as it came."""
UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufe0e\ufe0f\ufeff"))
"""Soft hyphen, zero-width blanks, variation selectors: platforms add and drop them, nobody sees them."""
PICTOGRAPH = "[\u2600-\u2775\u2794-\u27bf\u2b50\u2b55\U0001f300-\U0001faff]"
TONED = f"{PICTOGRAPH}[\ufe0f\U0001f3fb-\U0001f3ff]{{0,2}}"
EMOJI = re.compile(f"{TONED}(?:\u200d{TONED}){{0,4}}")
MARK = "\u263a"
"""Stands for any picture of a platform that shows its own in place of emoji."""


@dataclass(frozen=True, slots=True)
class Form:
    """`rewrites` are pairs of pattern and replacement, in order; what `stickers` finds and emoji become MARK, `claims` stay."""

    id: str
    rewrites: tuple[tuple[re.Pattern[str], str], ...]
    stickers: re.Pattern[str] | None
    claims: frozenset[str]

    def apply(self, text: str) -> str:
        text = html.unescape(text)
        for pattern, put in self.rewrites:
            text = pattern.sub(put, text)
        if self.stickers:
            text = EMOJI.sub(self._picture, self.stickers.sub(MARK, text))
        return " ".join(unicodedata.normalize("NFC", text).translate(UNSEEN).split())

    def _picture(self, match: re.Match[str]) -> str:
        """A medal, a pill, "100": such pictures say something of the goods and stay as they are."""
        return match.group() if match.group()[0] in self.claims else MARK


def form_of(platform: str) -> str:
    """The id of the form in use for a platform, by its word in common.v1.Platform."""
    current = _current()
    return current.get(platform, current["*"])


def normal(form: str, text: str) -> str:
    """The text in this form; raises LookupError for a form that this release does not know."""
    return text if form == AS_IS else _forms()[form].apply(text)


def digest(form: str, text: str) -> str:
    """SHA-256, hex, of the text in this form."""
    return hashlib.sha256(normal(form, text).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _data() -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = tomllib.loads(files(__package__).joinpath("platforms.toml").read_text("utf-8"))[
        "form"
    ]
    return found


@cache
def _current() -> dict[str, str]:
    """The last form in the file that names a platform is in use."""
    return {platform: str(row["id"]) for row in _data() for platform in _texts(row, "platforms")}


@cache
def _forms() -> dict[str, Form]:
    return {str(row["id"]): _form(row) for row in _data()}


def _form(row: Mapping[str, object]) -> Form:
    pairs = _texts(row, "rewrites")
    rewrites = tuple((re.compile(find), put) for find, put in zip(pairs[::2], pairs[1::2], strict=True))
    stickers = str(row.get("stickers", ""))
    return Form(
        str(row["id"]), rewrites, re.compile(stickers) if stickers else None, frozenset(str(row.get("claims", "")))
    )


def _texts(row: Mapping[str, object], name: str) -> list[str]:
    value = row.get(name, [])
    return [str(item) for item in value] if isinstance(value, list) else []
