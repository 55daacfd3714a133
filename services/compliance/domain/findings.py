"""The words of a review: what is looked at, what is found, what follows from it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.personal import PersonalData


class Severity(StrEnum):
    """What a finding does to the verdict: `blocking` forbids publishing, `warning` asks a reviewer, `notice` only informs."""

    BLOCKING = "blocking"
    WARNING = "warning"
    NOTICE = "notice"


class Verdict(StrEnum):
    """`clear`: the brand may approve; `needs_human`: a reviewer decides; `blocked`: may not be published as it stands."""

    CLEAR = "clear"
    NEEDS_HUMAN = "needs_human"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule: where (characters [start, end) of `part`), by which law, why, and what would mend it.

    `part` is "title", "text", "tags[n]" or "content" (the whole; then start = end = 0). `excerpt` is what stands there.
    """

    rule_id: str
    jurisdiction: str
    law: str
    article: str
    severity: Severity
    part: str
    start: int
    end: int
    excerpt: Annotated[str, PersonalData()]
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a party can show: `kind` e.g. "registered_name", "approval", "efficacy_report"; `phrase` the words it covers.

    A person can look up `reference`; `expires_on` is the last day on which it holds.
    """

    kind: str
    phrase: Annotated[str, PersonalData()]
    reference: Annotated[str, PersonalData()]
    expires_on: date | None = None

    def holds(self, kind: str, day: date) -> bool:
        """True when it is of this kind, names what can be looked up, and has not run out."""
        in_time = self.expires_on is None or day <= self.expires_on
        return self.kind == kind and bool(self.reference) and in_time


Items = Annotated[tuple[str, ...], Asked(Len(0, 50), Len(0, 2_000)), PersonalData(())]
Words = Annotated[tuple[str, ...], Asked(Len(0, 50), Len(0, 200)), PersonalData(())]
"""What rules read as text is bounded, so that a review is: campaigns sends tags of 100 characters at most."""


@dataclass(frozen=True, slots=True)
class Content:
    """One piece of content and the deal behind it, as far as the law asks.

    `jurisdiction` ISO-like ("CN", "US", "UK", "EU", "FR"); `platform`, `format`, `compensation` are the words of
    common.v1's enums; an empty `compensation` is unknown and counts as paid, "none" is a plain post without a deal.
    `links` are buying routes, `codes` discount codes; `ai_made`: a picture, video or sound of it was made by AI.
    """

    text: Annotated[str, Asked(Len(0, 20_000)), PersonalData()]
    title: Annotated[str, Asked(Len(0, 200)), PersonalData()] = ""
    tags: Words = ()
    links: Items = ()
    platform: str = ""
    format: str = ""
    jurisdiction: str = "CN"
    product_category: str = ""
    compensation: str = ""
    codes: Words = ()
    stage: str = "final"
    product_used: bool = True
    ai_made: bool = False
    evidence: tuple[Evidence, ...] = ()


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """The strictest finding decides; notices alone leave the content clear."""
    severities = {finding.severity for finding in findings}
    if Severity.BLOCKING in severities:
        return Verdict.BLOCKED
    return Verdict.NEEDS_HUMAN if Severity.WARNING in severities else Verdict.CLEAR


def is_advert(content: Content) -> bool:
    """Decided by the deal, the gift, a buying route: never by the label. Unknown compensation counts as a deal."""
    return content.compensation != "none" or bool(content.links) or bool(content.codes)
