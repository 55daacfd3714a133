"""Creators with and without planted fraud, made from fixed seeds, and how many of each the judgement finds or accuses.

Honest creators have posts that spread, quiet weeks, loyal fans, a purge of followers, and a few fakes as everybody has.
Fraud is planted at strengths drawn at random, from weak to plain. Follower samples are drawn from the training accounts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from services.discovery.authenticity.columns import Profiles
from services.discovery.authenticity.comments import Comment, comments_of
from services.discovery.authenticity.growth import growth_of
from services.discovery.authenticity.posts import likes_of
from services.discovery.authenticity.sampling import sample_of
from services.discovery.domain.authenticity.evidence import Engagement, Evidence
from services.discovery.domain.authenticity.standing import Standing, standing_of
from services.discovery.domain.authenticity.weighing import weigh
from tools.authenticity import accounts

EACH, SEED = 300, 7
DAYS, POSTS = 120, 60
START = datetime(2026, 1, 1, tzinfo=UTC)
BAND = (200, 900)
"""Engagements by reads of the middle nine tenths of the peers, basis points."""
WORDS = ("love", "this", "where", "did", "you", "buy", "it", "how", "long", "does", "one", "last", "my", "sister", "uses", "too",
         "best", "colour", "price", "please", "again")  # fmt: skip
Draw = np.random.Generator


@dataclass(frozen=True, slots=True)
class Plant:
    """What is wrong with a creator; all false: nothing."""

    followers: bool = False
    likes: bool = False
    spike: bool = False
    pod: bool = False


KINDS = {
    "honest": Plant(),
    "bought followers": Plant(followers=True),
    "bought likes": Plant(likes=True),
    "growth spike": Plant(spike=True),
    "pod": Plant(pod=True),
}


@dataclass(frozen=True, slots=True)
class Found:
    """Of `creators` with one plant, how many were not credible, and how many of those were called fraud."""

    kind: str
    creators: int
    doubted: int
    fraud: int


def measured(seed: int = SEED, each: int = EACH) -> Iterator[Found]:
    """Every kind, judged as a creator that was never judged before."""
    for place, (kind, plant) in enumerate(KINDS.items()):
        draw = np.random.default_rng((seed, place))
        told = [standing_of(weigh(evidence(plant, draw)), None) for _ in range(each)]
        yield Found(kind, each, sum(one is not Standing.CREDIBLE for one in told), told.count(Standing.FRAUD))


def evidence(plant: Plant, draw: Draw) -> Evidence:
    """What would be known of one creator after four months."""
    diluted = draw.uniform(0.25, 0.5) if plant.followers else 0.0
    rate = float(np.exp(draw.normal(np.log(425), 0.46))) * (1 - diluted)
    return Evidence(
        followers=sample_of(_followers(0.3 + diluted / 2 if plant.followers else draw.beta(2, 25), draw)),
        growth=growth_of(_series(plant, diluted, draw)),
        engagement=Engagement(int(rate), *BAND, 200, "koc"),
        likes=likes_of(_posts(plant.likes, draw)),
        comments=comments_of(_comments(plant.pod, draw)),
    )


def _followers(share: float, draw: Draw) -> Profiles:
    """A sample of 400 in which this part is fake."""
    profiles, fake = accounts.training()
    bad, good = np.flatnonzero(fake == 1), np.flatnonzero(fake == 0)
    count = int(draw.binomial(400, share))
    return accounts.part(profiles, np.concatenate([draw.choice(bad, count), draw.choice(good, 400 - count)]))


def _series(plant: Plant, diluted: float, draw: Draw) -> list[tuple[datetime, int]]:
    """Daily counts."""
    count = float(np.exp(draw.uniform(np.log(3_000), np.log(300_000))))
    gains = count * 0.002 * np.exp(draw.normal(0, 0.8, DAYS))
    for _ in range(draw.poisson(2)):
        day, size = draw.integers(0, DAYS - 1), count * draw.uniform(0.01, 0.12)
        tail = size * draw.uniform(0.35, 0.75) ** np.arange(DAYS - day)
        gains[day:] += tail * np.exp(draw.normal(0, 0.3, DAYS - day))
    if draw.random() < 0.1:
        gains[draw.integers(0, DAYS)] -= count * draw.uniform(0.01, 0.05)
    for _ in range(draw.integers(1, 4) if plant.followers else int(plant.spike)):
        share = diluted / 2 if plant.followers else draw.uniform(0.08, 0.6)
        gains[draw.integers(10, DAYS - 5)] += count * share
    counts = np.maximum(count + np.cumsum(gains), 0)
    return [(START + timedelta(days=day), int(one)) for day, one in enumerate(counts)]


def _posts(bought: bool, draw: Draw) -> list[tuple[int, int]]:
    """Likes and comments; a post that spreads has more of both."""
    likes = np.exp(draw.normal(6.5, 0.9, POSTS))
    comments = likes * 0.04 * np.exp(draw.normal(0, draw.uniform(0.25, 0.55), POSTS))
    if bought:
        likes *= np.where(draw.random(POSTS) < 1 / 3, draw.uniform(3, 10, POSTS), 1)
    return [(int(one), int(draw.poisson(other))) for one, other in zip(likes, comments, strict=True)]


def _comments(pod: bool, draw: Draw) -> list[Comment]:
    """Ten to thirty comments on each of twenty posts; some fans come often."""
    found: list[Comment] = []
    circle, loyal = draw.integers(12, 40), draw.integers(0, 6)
    for post in range(20):
        usual = [(f"u{draw.integers(0, 5_000)}", _text(draw)) for _ in range(draw.integers(10, 30))]
        fans = [(f"fan{one}", _text(draw)) for one in range(loyal) if draw.random() < 0.7]
        members = [(f"m{one}", _praise(draw)) for one in range(circle if pod else 0) if draw.random() < 0.85]
        found += [Comment(str(post), author, text) for author, text in (*usual, *fans, *members)]
    return found


def _text(draw: Draw) -> str:
    return "nice" if draw.random() < 0.15 else " ".join(draw.choice(WORDS, draw.integers(3, 9)))


def _praise(draw: Draw) -> str:
    return str(
        draw.choice(["amazing content as always", "so inspiring thank you", "you never disappoint", _text(draw)])
    )


def table(found: Iterator[Found]) -> Iterator[str]:
    yield f"{'planted':<18}{'creators':>9}{'doubted':>10}{'of it fraud':>13}"
    for one in found:
        yield f"{one.kind:<18}{one.creators:>9}{one.doubted / one.creators:>10.1%}{one.fraud / one.creators:>13.1%}"


def main(printed: Callable[[str], None] = print) -> None:
    """Prints the table; doubted: not credible."""
    for line in table(measured()):
        printed(line)
