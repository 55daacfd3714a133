"""What every rule looks at and what it answers; no rule knows another."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.core.faults import Invalid
from services.compliance.domain.disclosure import LabelLaw
from services.compliance.domain.findings import Content, Severity
from services.compliance.domain.heads import Heads
from services.compliance.domain.health import Health
from services.compliance.domain.text import Folded, Folding


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the content by name ("title", "text", "tags[n]"), as written and folded."""

    name: str
    original: str
    folded: Folded

    @property
    def written(self) -> str:
        """As it is published: a tag with its hash sign."""
        return f"#{self.original.lstrip('#')}" if self.name.startswith("tags") else self.original


@dataclass(frozen=True, slots=True)
class Case:
    """The content under one pack: its parts, the category in the pack's words ("" unknown), the label law, the day."""

    content: Content
    category: str
    parts: tuple[Part, ...]
    labels: LabelLaw
    day: date


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule's hit: characters [start, end) of `part` ("content": the whole); `severity` None takes the rule's own."""

    part: str = "content"
    start: int = 0
    end: int = 0
    severity: Severity | None = None
    fix: str = ""


Check = Callable[[Case], Iterator[Breach]]


@dataclass(frozen=True, slots=True)
class Lists:
    """What packs refer to by name: term lists `{list: {term: severity}}`, harmless phrases `{list: phrases}`; the folding.

    `heads` tell what a Chinese phrase is about, `health` holds the words and registers of health claims, `categories` those that
    no rule speaks of: name to word.
    """

    terms: Mapping[str, Mapping[str, Severity]]
    harmless: Mapping[str, tuple[str, ...]]
    folding: Folding
    heads: Heads
    health: Health
    categories: Mapping[str, str]


def parts_of(content: Content, folding: Folding) -> tuple[Part, ...]:
    named = [("title", content.title), ("text", content.text)]
    named += [(f"tags[{n}]", tag) for n, tag in enumerate(content.tags)]
    return tuple(Part(name, original, folding.fold(original)) for name, original in named if original)


def texts(value: Any, where: str) -> tuple[str, ...]:
    """A YAML list of texts (or nothing) as a tuple; raises Invalid `pack.malformed`."""
    items = [] if value is None else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise Invalid("pack.malformed", where=where, expected="a list of texts")
    return tuple(items)


UNBOUNDED = re.compile(r"(?<!\\)[*+]|\{\d*,\}")
MAX_REPEATS = 20


def pattern(text: str) -> re.Pattern[str]:
    """A pack's regular expression; unbounded repetition is refused, as it makes long texts take for ever."""
    repeats = [int(most) for most in re.findall(r",(\d+)\}", text)]
    if UNBOUNDED.search(text) or max(repeats, default=0) > MAX_REPEATS:
        raise Invalid("pack.malformed", where=text[:80], expected=f"repetitions of at most {MAX_REPEATS}")
    return re.compile(text)


def known(params: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Raises Invalid `pack.malformed` when `params` has a field that its rule does not know."""
    unknown = sorted(set(params) - set(allowed))
    if unknown:
        raise Invalid("pack.malformed", where=where, expected=f"no field {unknown[0]}")
