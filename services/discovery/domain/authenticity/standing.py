"""credible, watch, fraud: states of a score that do not flicker, since leaving one takes a better score than entering it."""

from enum import StrEnum

from services.discovery.domain.authenticity.weighing import Score

FRAUD_BELOW, FRAUD_UNTIL = 35, 45
WATCH_BELOW, WATCH_UNTIL = 65, 72
STRONG, STRONG_NEEDED = 50, 2
"""`fraud` takes so many signals of at least this suspicion, and a range that ends under WATCH_BELOW."""


class Standing(StrEnum):
    """What the platform thinks of a creator's figures."""

    CREDIBLE = "credible"
    WATCH = "watch"
    FRAUD = "fraud"


def standing_of(score: Score, before: Standing | None) -> Standing:
    """The state that a score leads to from the one before (None: never judged)."""
    strong = sum(one.suspicion >= STRONG for one in score.signals)
    if before is Standing.FRAUD and score.score < FRAUD_UNTIL:
        return Standing.FRAUD
    if score.score < FRAUD_BELOW and strong >= STRONG_NEEDED and score.high < WATCH_BELOW:
        return Standing.FRAUD
    doubted = before in (Standing.WATCH, Standing.FRAUD)
    return Standing.WATCH if score.score < (WATCH_UNTIL if doubted else WATCH_BELOW) else Standing.CREDIBLE
