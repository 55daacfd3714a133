"""Listed terms and patterns, with the contexts in which the law lets them stand.

Params: `terms` names lists of Lists, `add` further terms `{term: severity}`, `patterns` `[{find, severity}]` over folded text,
`harmless` names of phrase lists, `excuse` further phrases, `contexts` `[{id, hit, before, after, near, then}]`.
A context fits when every pattern that it gives fits: `hit` is all of the hit, `before` ends where the hit starts, `after`
starts where it ends, `near` lies in the same clause; `then` is "silent" or the severity that is left.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known, pattern, texts
from services.compliance.domain.text import MAX_HITS, Folded, Hit, Matcher, Span

FIELDS = ("terms", "add", "patterns", "harmless", "excuse", "contexts")
SILENT = "silent"
REGISTERED = "registered_name"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression over folded text and how grave its hits are."""

    find: re.Pattern[str]
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class Circumstance:
    """A use that the law allows or wants proven; see the module's `contexts`."""

    hit: re.Pattern[str] | None
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    near: re.Pattern[str] | None
    then: str

    def fits(self, folded: Folded, start: int, end: int) -> bool:
        left, right = folded.clause(start, end)
        text = folded.text
        return not (
            (self.hit and not self.hit.fullmatch(text[start:end]))
            or (self.before and not self.before.search(text[left:start]))
            or (self.after and not self.after.match(text[end:right]))
            or (self.near and not self.near.search(text[left:right]))
        )


def check(params: Mapping[str, Any], lists: Lists) -> Check:
    known(params, FIELDS, "lexicon")
    terms = _terms(params, lists)
    excuses = [p for name in texts(params.get("harmless"), "harmless") for p in lists.harmless[name]]
    matcher = Matcher(terms, [*excuses, *texts(params.get("excuse"), "excuse")], lists.folding)
    patterns = [_pattern(item) for item in params.get("patterns", [])]
    contexts = [_circumstance(item) for item in params.get("contexts", [])]

    def lexicon(case: Case) -> Iterator[Breach]:
        for part in case.parts:
            for hit, severity in _hits(part.folded, matcher, terms, patterns):
                yield from _judged(case, part, hit, severity, contexts)

    return lexicon


def _terms(params: Mapping[str, Any], lists: Lists) -> dict[str, Severity | None]:
    terms: dict[str, Severity | None] = {}
    for name in texts(params.get("terms"), "terms"):
        terms.update(lists.terms[name])
    for term, severity in params.get("add", {}).items():
        terms[str(term)] = Severity(severity)
    return terms


def _pattern(item: Mapping[str, Any]) -> Pattern:
    known(item, ("find", "severity"), "lexicon.patterns")
    return Pattern(pattern(item["find"]), Severity(item["severity"]) if "severity" in item else None)


def _circumstance(item: Mapping[str, Any]) -> Circumstance:
    known(item, ("id", "hit", "before", "after", "near", "then"), "lexicon.contexts")
    hit, before, after, near = (item.get(name) for name in ("hit", "before", "after", "near"))
    return Circumstance(
        pattern(hit) if hit else None,
        pattern(f"(?:{before})$") if before else None,
        pattern(after) if after else None,
        pattern(near) if near else None,
        SILENT if item["then"] == SILENT else Severity(item["then"]).value,
    )


Graded = tuple[Hit, Severity | None]


def _hits(
    folded: Folded, matcher: Matcher, terms: Mapping[str, Severity | None], patterns: Sequence[Pattern]
) -> list[Graded]:
    """Terms and patterns; of what overlaps the graver stays, then the longer. Harmless phrases excuse both."""
    found: list[Graded] = [(hit, terms[hit.term]) for hit in matcher.find(folded)]
    harmless = matcher.harmless(folded)
    for each in patterns:
        matches = ((match, match.span()) for match in islice(each.find.finditer(folded.text), MAX_HITS))
        found += [(Hit(*span, match.group()), each.severity) for match, span in matches if not harmless.hold(*span)]
    kept: list[Graded] = []
    for hit, severity in sorted(found, key=_rank):
        if len(kept) < MAX_HITS and not any(hit.start < other.end and other.start < hit.end for other, _ in kept):
            kept.append((hit, severity))
    return kept


def _rank(graded: Graded) -> tuple[bool, int, int]:
    hit, severity = graded
    return severity is not Severity.BLOCKING, hit.start - hit.end, hit.start


def _judged(
    case: Case, part: Part, hit: Hit, severity: Severity | None, contexts: Sequence[Circumstance]
) -> Iterator[Breach]:
    span = part.folded.span(hit.start, hit.end)
    if _registered(case, part.original, span):
        return
    outcome = next((c.then for c in contexts if c.fits(part.folded, hit.start, hit.end)), "")
    if outcome != SILENT:
        yield Breach(part.name, span.start, span.end, Severity(outcome) if outcome else severity)


def _registered(case: Case, original: str, span: Span) -> bool:
    """The words stand inside a registered name for which a party shows evidence."""
    names = [
        item.phrase for item in case.content.evidence if item.kind == REGISTERED and item.reference and item.phrase
    ]
    return any(_inside(span, name, original) for name in names)


def _inside(span: Span, name: str, original: str) -> bool:
    places = (match.start() for match in re.finditer(re.escape(name), original))
    return any(start <= span.start and span.end <= start + len(name) for start in places)
