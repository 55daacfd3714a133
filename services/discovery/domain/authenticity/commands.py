"""What may be asked of a creator's authenticity; authenticity.py decides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from services.discovery.domain.authenticity.evidence import Evidence


class Holds(StrEnum):
    """What `fraud` holds, by the policy of the platform: new offers, payouts, both or nothing."""

    NOTHING = "nothing"
    OFFERS = "offers"
    PAYOUTS = "payouts"
    BOTH = "both"

    @property
    def offers(self) -> bool:
        """No new offers are made to the creator."""
        return self in (Holds.OFFERS, Holds.BOTH)

    @property
    def payouts(self) -> bool:
        """No payout of the creator's is started."""
        return self in (Holds.PAYOUTS, Holds.BOTH)


class Verdict(StrEnum):
    """What a reviewer rules: the judgement stands, or it is lifted."""

    UPHELD = "upheld"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Assess:
    """Newer evidence of some kinds; what else is known stays. By staff, and by the system when figures change."""

    creator_id: str
    evidence: Evidence
    holds: Holds = Holds.NOTHING


@dataclass(frozen=True, slots=True)
class Appeal:
    """The creator's word against a judgement that is not `credible`."""

    statement: Annotated[str, Asked(Len(1, 2_000))]


@dataclass(frozen=True, slots=True)
class Rule:
    """A reviewer's ruling. To lift `fraud` takes two reviewers who say the same."""

    verdict: Verdict
    reason: Annotated[str, Asked(Len(1, 500))]


Command = Assess | Appeal | Rule
