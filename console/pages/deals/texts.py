"""Texts of submissions as they are shown: with findings at their place, and against the version before."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dandelion.compliance.v1.events_pb2 import SEVERITY_BLOCKING, Finding

TOKENS = re.compile(r"[\u3400-\u9fff]|\w+|\s+|[^\w\s]")
"""A word, a blank, a sign; of Chinese each character."""
COMPARED = 4_000
"""Tokens up to which two texts are compared: longer ones cost more than a page may take."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `kind` is "" (plain), "bad" or "warn" (a finding), "new" or "gone" (a difference)."""

    text: str
    kind: str = ""
    why: str = ""


def marked(text: str, findings: Iterable[Finding], field: str = "text") -> list[Piece]:
    """The text cut where findings begin and end; of two that overlap the first one shows."""
    pieces, done = list[Piece](), 0
    spans = sorted((one for one in findings if one.field == field and one.span_end > one.span_start), key=_begins)
    for one in spans:
        begin, end = min(one.span_start, len(text)), min(one.span_end, len(text))
        if begin < done or begin >= end:
            continue
        pieces.append(Piece(text[done:begin]))
        pieces.append(Piece(text[begin:end], "bad" if one.severity == SEVERITY_BLOCKING else "warn", one.reason))
        done = end
    return [piece for piece in [*pieces, Piece(text[done:])] if piece.text]


def _begins(finding: Finding) -> int:
    return finding.span_start


def compared(before: str, after: str) -> list[Piece]:
    """What changed from one version to the next; the newer text alone where both are too long to compare."""
    old, new = TOKENS.findall(before), TOKENS.findall(after)
    if len(old) + len(new) > COMPARED:
        return [Piece(after)]
    return [piece for piece in _differences(old, new) if piece.text]


def _differences(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("".join(new[new_from:new_to]))
            continue
        yield Piece("".join(old[old_from:old_to]), "gone")
        yield Piece("".join(new[new_from:new_to]), "new")
