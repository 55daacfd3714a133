"""What was found in a content, for a person to read: marked where it stands, in the reader's language."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dandelion.compliance.v1.events_pb2 import SEVERITY_BLOCKING, Finding
from dandelion.compliance.v1.queries_pb2 import Rule, RuleText

from console.words import mark, translations

FIX = "{fix}"
PLACES = {
    "title_start": mark("Title start"),
    "text_start": mark("Text start"),
    "platform_toggle": mark("Platform toggle"),
    "overlay": mark("Overlay"),
}
PLACED = re.compile(rf"\(({'|'.join(PLACES)})\)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that has the same findings; `numbers` count from 1, `tone` is the gravest one's: "" for none."""

    text: str
    numbers: tuple[int, ...]
    tone: str


def pieces(text: str, field: str, findings: Sequence[Finding]) -> list[Piece]:
    """The text of a field, cut where a finding begins or ends."""
    spans = [(n, one) for n, one in enumerate(findings, 1) if one.field == field and one.span_end > one.span_start]
    cuts = {0, len(text)} | {min(at, len(text)) for _, one in spans for at in (one.span_start, one.span_end)}
    edges = sorted(cuts)
    return [_piece(text, begin, end, spans) for begin, end in pairwise(edges)]


def _piece(text: str, begin: int, end: int, spans: Iterable[tuple[int, Finding]]) -> Piece:
    here = [(number, one) for number, one in spans if one.span_start <= begin and end <= one.span_end]
    tone = "bad" if any(one.severity == SEVERITY_BLOCKING for _, one in here) else "warn" if here else ""
    return Piece(text[begin:end], tuple(number for number, _ in here), tone)


@dataclass(frozen=True, slots=True)
class Told:
    """What a finding says, in one language."""

    law: str
    reason: str
    suggestion: str


def told(finding: Finding, rules: Mapping[str, Rule], lang: str) -> Told:
    """In the reader's language where its rule is known there; else as the service said it."""
    plain, rule = Told(finding.law, finding.reason, _placed(finding.suggestion, lang)), rules.get(finding.rule_id)
    if rule is None:
        return plain
    own, *others = rule.texts
    for other in others:
        if other.language == lang[:2] != own.language:
            suggestion = _filled(own, other, finding.suggestion)
            return Told(f"{other.law} {other.article}", other.reason, _placed(suggestion, lang))
    return plain


def _placed(suggestion: str, lang: str) -> str:
    """The suggestion with the place of a label named as people name it, in place of the contracts' word."""
    return PLACED.sub(lambda found: f"({translations(lang).gettext(PLACES[found[1]])})", suggestion)


def _filled(own: RuleText, other: RuleText, suggestion: str) -> str:
    """The other language's suggestion, with what the rule had filled in."""
    before, _, after = own.suggestion.partition(FIX)
    inside = suggestion.removeprefix(before)
    return other.suggestion.replace(FIX, inside[: len(inside) - len(after)] if after else inside)
