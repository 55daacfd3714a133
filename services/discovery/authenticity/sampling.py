"""A sample of followers, and the creator's own profile, as evidence: shares and chances; profiles are not kept."""

from services.discovery.authenticity.base_rate import interval
from services.discovery.authenticity.columns import Profiles
from services.discovery.authenticity.rule import points
from services.discovery.authenticity.scorecard import model, score
from services.discovery.domain.authenticity.evidence import FollowerSample, OwnAccount

SAMPLE, SAMPLE_LIMIT = 100, 5_000


def sample_of(profiles: Profiles) -> FollowerSample:
    """The share of fakes among followers, from a sample of them."""
    among = interval(score(profiles).chances, model().calibration_error)
    share, low, high = (round(10_000 * one) for one in (among.share, among.low, among.high))
    return FollowerSample(profiles.rows, share, low, high, model().name)


def own_account(profiles: Profiles) -> OwnAccount:
    """What the first profile looks like by itself."""
    chance = float(score(profiles, model().trained).chances[0])
    return OwnAccount(round(10_000 * chance), int(points(profiles)[0]), model().name)
