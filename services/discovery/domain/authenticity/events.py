"""What happened to a creator's authenticity. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass
from typing import Annotated

from kernel.core.personal import PersonalData
from services.discovery.domain.authenticity.commands import Holds, Verdict
from services.discovery.domain.authenticity.evidence import Evidence
from services.discovery.domain.authenticity.standing import Standing
from services.discovery.domain.authenticity.weighing import Score


@dataclass(frozen=True, slots=True)
class AuthenticityAssessed:
    """All evidence that is known now, what it weighs, and what follows: `holds` from now on, `held` until then."""

    evidence: Evidence
    score: Score
    standing: Standing
    holds: Holds
    held: Holds


@dataclass(frozen=True, slots=True)
class AuthenticityAppealed:
    """The creator says why the judgement is wrong."""

    statement: Annotated[str, PersonalData()]


@dataclass(frozen=True, slots=True)
class LiftProposed:
    """One reviewer would lift `fraud`; another has to agree."""

    reason: Annotated[str, PersonalData()]
    reviewer_id: str


@dataclass(frozen=True, slots=True)
class AuthenticityRuled:
    """A ruling, by one reviewer or two. Lifted: the standing is `credible` until the score falls under the floor.

    `holds` from now on, `held` until then.
    """

    verdict: Verdict
    reason: Annotated[str, PersonalData()]
    reviewers: tuple[str, ...]
    standing: Standing
    floor: int
    holds: Holds
    held: Holds


Event = AuthenticityAssessed | AuthenticityAppealed | LiftProposed | AuthenticityRuled
