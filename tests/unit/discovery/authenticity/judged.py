"""Evidence, judgements and events that tests of authenticity begin with."""

from datetime import date
from typing import Any

from services.discovery.domain.authenticity.commands import Holds, Verdict
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    LiftProposed,
)
from services.discovery.domain.authenticity.evidence import (
    Comments,
    Engagement,
    Evidence,
    FollowerSample,
    Geography,
    Growth,
    Jump,
    Likes,
    OwnAccount,
)
from services.discovery.domain.authenticity.standing import Standing, standing_of
from services.discovery.domain.authenticity.weighing import weigh

FAKE_FOLLOWERS = FollowerSample(500, 4_800, 4_300, 5_300, "scorecard@1-test")
JUMPS = Growth(90, 89, 3_100, (Jump(date(2026, 2, 3), 31_000, 900),))
FRAUD = Evidence(
    FAKE_FOLLOWERS,
    JUMPS,
    Engagement(90, 200, 900, 120, "koc/美妆"),
    Likes(60, 300),
    Comments(400, 20, 800, 1_200),
    Geography(2_000, 5_500, "CN"),
    OwnAccount(400, 0, "scorecard@1-test"),
)
HONEST = Evidence(
    FollowerSample(500, 600, 400, 800, "scorecard@1-test"), Growth(90, 89, 0), Engagement(420, 200, 900, 120, "koc")
)
DOUBTED = Evidence(growth=JUMPS)


def assessed(evidence: Evidence, holds: Holds = Holds.NOTHING, held: Holds = Holds.NOTHING) -> AuthenticityAssessed:
    """The judgement of a creator that was never judged before."""
    score = weigh(evidence)
    standing = standing_of(score, None)
    return AuthenticityAssessed(evidence, score, standing, holds if standing is Standing.FRAUD else Holds.NOTHING, held)


SAMPLES: dict[str, Any] = {
    "authenticity.assessed@1": assessed(FRAUD, Holds.BOTH),
    "authenticity.appealed@1": AuthenticityAppealed("a television show named me"),
    "authenticity.lift_proposed@1": LiftProposed("the show was real", "r-1"),
    "authenticity.ruled@1": AuthenticityRuled(
        Verdict.LIFTED, "the show was real", ("r-1", "r-2"), Standing.CREDIBLE, 5, Holds.NOTHING, Holds.BOTH
    ),
}
