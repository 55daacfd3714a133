"""Labels of paid content: which one is due, whether it is there, whether it can be seen.

A label is attached on every advert, so a text without it is not refused in review: the finding says what will be
attached and where, and publication without it is refused (campaigns) and looked for afterwards (live.py).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.compliance.domain.findings import Content
from services.compliance.domain.text import Span, plain

ANY = "*"
LEADING_CHARACTERS = 60
"""A label counts as leading when it begins within this many visible characters: what a feed shows before "more"."""


@dataclass(frozen=True, slots=True)
class Label:
    """The label due for `platform` and `format` ("*" fits all) in a jurisdiction and language, and where it stands.

    `placement`: "title_start", "text_start", "platform_toggle" or "overlay", the words of common.v1.LabelPlacement.
    """

    jurisdiction: str
    language: str
    platform: str
    format: str
    label: str
    placement: str


@dataclass(frozen=True, slots=True)
class LabelLaw:
    """A jurisdiction's labels: what is attached, which wordings suffice, which were judged not enough alone."""

    attach: tuple[Label, ...]
    accepted: tuple[str, ...]
    weak: tuple[str, ...]

    def due(self, content: Content) -> Label:
        """The label with the closest fit; exact platform outweighs exact format. `attach` ends with a label for all."""
        fitting = [label for label in self.attach if _fits(label, content)]
        return max(fitting, key=lambda label: (label.platform != ANY, label.format != ANY))


def _fits(label: Label, content: Content) -> bool:
    return label.platform in (ANY, content.platform) and label.format in (ANY, content.format)


@lru_cache(maxsize=4096)
def _pattern(wording: str) -> re.Pattern[str]:
    """Latin wordings as whole words; others (a Chinese label) only where no letter touches them: "【广告】", not "不是广告"."""
    words = plain(wording).text
    body = r"\s+".join(re.escape(word) for word in words.split())
    if not wording.isascii():
        return re.compile(rf"(?<!\w){body}(?!\w)")
    left = r"(?<![\w#@])" if words[0] != "#" else r"(?<![\w])"
    return re.compile(left + body + r"(?!\w)", re.ASCII)


def find(wording: str, text: str) -> Span | None:
    """Where `text` first carries the wording as a label, in characters of `text`."""
    folded = plain(text)
    match = _pattern(wording).search(folded.text)
    return folded.span(match.start(), match.end()) if match else None


def shows(wording: str, text: str) -> bool:
    """True when the text carries the wording as a label, at any place."""
    return find(wording, text) is not None


def first_shown(wordings: Iterable[str], texts: Sequence[str]) -> str:
    """The first of the wordings that any of the texts carries, or ""."""
    return next((wording for wording in wordings if any(shows(wording, text) for text in texts)), "")


def leads(wordings: Sequence[str], title: str, text: str) -> bool:
    """True when one of the wordings stands in the title or begins within the first LEADING_CHARACTERS of the text."""
    spans = (find(wording, text) for wording in wordings)
    return any(shows(wording, title) for wording in wordings) or any(s and s.start < LEADING_CHARACTERS for s in spans)


def with_label(label: Label, title: str, text: str) -> tuple[str, str]:
    """Title and text as they are to be published: the label in front where its placement says so, once."""
    if label.placement == "title_start":
        return _led(label.label, title), text
    return title, _led(label.label, text)


def _led(label: str, text: str) -> str:
    return text if leads((label,), "", text) else f"{label} {text}"


def carries(label: str, title: str, text: str) -> bool:
    """True when a published post carries its label: as a label anywhere, or as the first characters of title or text."""
    begins = any(plain(part).text.lstrip(" \u3000【[#").startswith(plain(label).text) for part in (title, text))
    return begins or shows(label, title) or shows(label, text)
