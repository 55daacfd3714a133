"""Listed terms and patterns, with the contexts in which the law lets them stand, and the proofs that answer for them.

Params: `terms` names lists of Lists, `add` further terms `{term: severity}`, `patterns` `[{find, severity}]` over folded text,
`harmless` names of phrase lists, `excuse` further phrases, `contexts` as in context.py, `runs_on` a pattern of terms that may end
inside a longer word, `proofs` `{kind of evidence: severity that is left}`. A term is meant where it is made of whole words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from services.compliance.domain.findings import Severity
from services.compliance.domain.heads import Heads
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, Part, known, pattern, texts
from services.compliance.domain.rules.context import SILENT, Circumstance, circumstance
from services.compliance.domain.rules.proof import Proofs
from services.compliance.domain.text import MAX_HITS, Folded, Hit, Matcher, Places
from services.compliance.domain.words import meant

FIELDS = ("terms", "add", "patterns", "harmless", "excuse", "contexts", "runs_on", "proofs")
Graded = tuple[Hit, Severity | None]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression over folded text and how grave its hits are."""

    find: re.Pattern[str]
    severity: Severity | None


@dataclass(frozen=True)
class Lexicon:
    """One rule's words, compiled."""

    matcher: Matcher
    terms: Mapping[str, Severity | None]
    patterns: Sequence[Pattern]
    runs_on: re.Pattern[str] | None
    goods: frozenset[str]

    def hits(self, folded: Folded) -> list[Graded]:
        """Terms and patterns; of what overlaps the graver stays, then the longer. Harmless phrases excuse both."""
        found = [(hit, self.terms[hit.term]) for hit in self.matcher.find(folded) if self._meant(folded.text, hit)]
        harmless = self.matcher.harmless(folded) if self.patterns else None
        for each in self.patterns:
            found += self._matches(folded.text, each, harmless)
        return _apart(found)

    def _meant(self, text: str, hit: Hit) -> bool:
        runs_on = self.runs_on is not None and self.runs_on.fullmatch(text[hit.start : hit.end]) is not None
        return meant(text, hit.start, hit.end, self.goods, runs_on)

    def _matches(self, text: str, each: Pattern, harmless: Places | None) -> Iterator[Graded]:
        for match in islice(each.find.finditer(text), MAX_HITS):
            start, end = match.span()
            if meant(text, start, end, self.goods, True) and not (harmless and harmless.hold(start, end)):
                yield Hit(start, end, match.group()), each.severity


def _apart(found: Sequence[Graded]) -> list[Graded]:
    kept: list[Graded] = []
    for hit, severity in sorted(found, key=_rank):
        if len(kept) < MAX_HITS and not any(hit.start < other.end and other.start < hit.end for other, _ in kept):
            kept.append((hit, severity))
    return kept


def _rank(graded: Graded) -> tuple[bool, int, int]:
    hit, severity = graded
    return severity is not Severity.BLOCKING, hit.start - hit.end, hit.start


def check(params: Mapping[str, Any], lists: Lists) -> Check:
    known(params, FIELDS, "lexicon")
    lexicon = _lexicon(params, lists)
    contexts = [circumstance(item) for item in params.get("contexts", [])]
    lowered = {str(kind): Severity(left) for kind, left in params.get("proofs", {}).items()}

    def check_words(case: Case) -> Iterator[Breach]:
        for part in case.parts:
            if hits := lexicon.hits(part.folded):
                proofs = Proofs.of(case, part, lowered)
                for hit, severity in hits:
                    yield from _judged(part, hit, severity, contexts, proofs, lists.heads)

    return check_words


def _lexicon(params: Mapping[str, Any], lists: Lists) -> Lexicon:
    terms = _terms(params, lists)
    excuses = [p for name in texts(params.get("harmless"), "harmless") for p in lists.harmless[name]]
    matcher = Matcher(terms, [*excuses, *texts(params.get("excuse"), "excuse")], lists.folding)
    runs_on = pattern(params["runs_on"]) if "runs_on" in params else None
    patterns = [_pattern(item) for item in params.get("patterns", [])]
    return Lexicon(matcher, terms, patterns, runs_on, lists.heads.goods_endings)


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


def _judged(
    part: Part,
    hit: Hit,
    severity: Severity | None,
    contexts: Sequence[Circumstance],
    proofs: Proofs,
    heads: Heads,
) -> Iterator[Breach]:
    span = part.folded.span(hit.start, hit.end)
    if proofs.registered(span):
        return
    outcome = next((c.then for c in contexts if c.fits(part.folded, hit.start, hit.end, heads)), "")
    if outcome != SILENT:
        graver = Severity(outcome) if outcome else severity
        yield Breach(part.name, span.start, span.end, proofs.lowered(span, graver))
