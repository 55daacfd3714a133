"""Evidence that a party shows for words of one part of a content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.compliance.domain.findings import Severity
from services.compliance.domain.rules.case import Case, Part
from services.compliance.domain.text import Places, Span

REGISTERED = "registered_name"
MAX_PLACES = 200
"""A phrase is looked for so often."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """Where the registered names stand in a part, and where other proofs cover its words, with the severity that is left."""

    names: Places
    others: tuple[tuple[Places, Severity], ...]

    @staticmethod
    def of(case: Case, part: Part, lowered: Mapping[str, Severity]) -> "Proofs":
        """The proofs that hold on the case's day; a proof without a phrase covers the whole, a name needs one."""
        shown = case.content.evidence
        names = [one.phrase for one in shown if one.phrase and one.holds(REGISTERED, case.day)]
        places = [place for name in names for place in _places(name, part.original)]
        others = [(one.phrase, left) for kind, left in lowered.items() for one in shown if one.holds(kind, case.day)]
        return Proofs(
            Places(place for place in places if _is_named(part.original, *place)),
            tuple((Places(_places(phrase, part.original)), left) for phrase, left in others),
        )

    def registered(self, span: Span) -> bool:
        """The words stand inside a registered name."""
        return self.names.hold(span.start, span.end)

    def lowered(self, span: Span, severity: Severity | None) -> Severity | None:
        """The severity that is left where a proof covers the words, or words in them."""
        return next((left for places, left in self.others if places.touch(span.start, span.end)), severity)


NAMED_BEFORE = re.compile(r"(?:[「『《“\"'【]|牌子(?:叫|是)|品牌(?:叫|是|名)?|名叫|叫做|名为|商标)\s{0,2}$")
NAMED_AFTER = re.compile(r"\s{0,2}(?:[」』》”\"'】®™]|牌|品牌|商标|家的|旗舰店|系列|公司|集团)")
PRAISED = re.compile(r"(?:是|为|堪称|算得上|称得上|绝对|真|真的|简直|成了|的)\s{0,2}$")


def _is_named(text: str, start: int, end: int) -> bool:
    """A name stands as that name: in quotes, before 牌 and its like; bare it may be praise, as in "真是极品"."""
    before, after = text[max(0, start - 8) : start], text[end : end + 4]
    if NAMED_BEFORE.search(before) or NAMED_AFTER.match(after):
        return True
    return not PRAISED.search(before) and bool(after[:1].strip()) and after[:1].isalnum()


def _places(phrase: str, text: str) -> list[tuple[int, int]]:
    if not phrase:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    at = text.find(phrase)
    while at >= 0 and len(found) < MAX_PLACES:
        found.append((at, at + len(phrase)))
        at = text.find(phrase, at + len(phrase))
    return found
