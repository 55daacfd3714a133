"""How well creators are ranked for a brief, measured offline: `python -m tools.matching_quality [briefs]`.

Preferences are planted over the shipped creators: a hidden brand values the parts of a match by weights that nobody knows, bends
them, likes some creators for no reason, and decides with noise. Half of the briefs teach, the other half are ranked; NDCG@10 is
printed for the learned weights, for the platform's own, and for two baselines that look at no part: docs/matching.md.
"""

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp
from statistics import fmean

from services.discovery.domain.categories import FIRST_LEVEL
from services.discovery.domain.commands import (
    ChangeAvailability,
    ChangeRateCard,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
)
from services.discovery.domain.creator_csv import parse
from services.discovery.domain.csv_columns import CreatorRow
from services.discovery.domain.events import (
    AudienceReported,
    AvailabilityChanged,
    CreatorRegistered,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.matching import Brief, Wanted
from services.discovery.domain.mix import Goal
from services.discovery.domain.rate_card import Format
from services.discovery.domain.state import INITIAL, State, evolve
from services.discovery.matching.encoder import Vector, encode
from services.discovery.matching.learning import Values, learned, ndcg
from services.discovery.matching.parts import NEUTRAL, parts, score
from services.discovery.matching.suiting import WEIGHTS, Suitor, price_of, weighed
from services.discovery.planning.portraits import Portrait
from services.discovery.tables.track_records import RECORDS
from tools.make_creators import TARGET

AT = datetime(2026, 11, 1, tzinfo=UTC)
SEED, BRIEFS, TOP, PAIRS = 20261201, 60, 10, 25
HIDDEN: Mapping[str, float] = {
    "style": 0.05, "category": 0.35, "audience": 0.05, "forecast": 0.05, "price": 0.3, "safety": 0.05, "reliability": 0.05,
    "availability": 0.1,
}  # fmt: skip
"""What the hidden brand values; the platform's own weights are others."""
NOISE, WHIM = 0.04, 0.04


@dataclass(frozen=True, slots=True)
class Asked:
    """A brief's creators with the parts that are shown, and what the hidden brand makes of each."""

    values: Sequence[Values]
    relevance: Sequence[float]
    followers: Sequence[int]


def creators() -> list[tuple[State, str]]:
    """The shipped creators, each with what it says of itself."""
    rows = parse(TARGET.read_bytes()).rows
    return [(_state(row), ". ".join((row.bio, *row.profile.tags))) for row in rows]


def _state(row: CreatorRow) -> State:
    state = evolve(INITIAL, CreatorRegistered(row.creator_id, row.profile, (row.account,)))
    for change in row.changes:
        match change:
            case ChangeRateCard():
                state = evolve(state, RateCardChanged(change.card))
            case ReportFollowers():
                state = evolve(state, FollowersReported(change.followers))
            case ReportPerformance():
                state = evolve(state, PerformanceReported(change.performance))
            case ReportAudience():
                state = evolve(state, AudienceReported(change.audience))
            case ChangeAvailability():
                state = evolve(state, AvailabilityChanged(change.availability, change.max_parallel_jobs))
    return state


def asked(count: int, seed: int = SEED, with_style: bool = True) -> list[Asked]:
    """So many briefs over the shipped creators; the same ones for the same seed."""
    draw, found = random.Random(seed), creators()
    encoded = encode([text for _, text in found]) if with_style else None
    vectors: Sequence[Vector | None] = encoded or [None] * len(found)
    suitors = [
        Suitor(Portrait(str(at), 1, state, _records(draw), {}, draw.choice((None, draw.randint(20, 100)))), vector)
        for at, ((state, _), vector) in enumerate(zip(found, vectors, strict=True))
    ]
    return [_asked(draw, suitors, with_style) for _ in range(count)]


def _records(draw: random.Random) -> dict[str, int]:
    """A track record, which the file has none of."""
    made = dict.fromkeys(RECORDS, 0)
    if draw.random() < 0.6:
        made |= {
            "settled": draw.randint(0, 9),
            "cancelled": draw.choice((0, 0, 1, 3)),
            "findings": draw.choice((0, 0, 0, 2)),
        }
    return made


def _asked(draw: random.Random, suitors: Sequence[Suitor], with_style: bool) -> Asked:
    category = draw.choice(list(FIRST_LEVEL)[:12])
    wanted = Wanted(genders=(draw.choice(("female", "male")),), ages=(draw.choice(("18-24", "25-34")),))
    brief = Brief(f"{category} {FIRST_LEVEL[category]}", Goal.READS, Format.VIDEO, "CNY", draw.randint(5, 80) * 10_000)
    brief = Brief(brief.text, brief.goal, brief.format, brief.currency, brief.price_max_minor, "", (category,), wanted)
    said = encode([brief.text]) if with_style else None
    words = said[0] if said else None
    prices = {one.portrait.creator_id: price_of(brief, one.portrait, AT) for one in suitors}
    values = weighed(brief, words, suitors, prices)
    relevance = [max(_liked(one) + draw.gauss(0, NOISE) + WHIM * (draw.random() < 0.05) * 3, 0.0) for one in values]
    return Asked(values, relevance, [one.portrait.state.largest_followers() for one in suitors])


def _liked(values: Values) -> float:
    """What the hidden brand makes of a creator: bent, so that no sum of parts says it exactly."""
    known = {name: NEUTRAL if values.get(name) is None else values[name] or 0.0 for name in HIDDEN}
    total = sum(weight * known[name] ** 1.5 for name, weight in HIDDEN.items())
    return 1 / (1 + exp(-10 * (total - 0.55)))


def pairs(briefs: Sequence[Asked], seed: int = SEED) -> list[tuple[Values, Values]]:
    """What was taken and what was not, some of each brief."""
    draw, made = random.Random(seed), list[tuple[Values, Values]]()
    for one in briefs:
        for _ in range(PAIRS):
            first, second = draw.sample(range(len(one.values)), 2)
            if one.relevance[first] != one.relevance[second]:
                better, worse = (first, second) if one.relevance[first] > one.relevance[second] else (second, first)
                made.append((one.values[better], one.values[worse]))
    return made


def quality(briefs: Sequence[Asked], rank: Callable[[Asked, int], float]) -> float:
    """The mean NDCG@10 of an order."""
    return fmean(_ndcg(one, rank) for one in briefs)


def _ndcg(one: Asked, rank: Callable[[Asked, int], float]) -> float:
    order = sorted(range(len(one.values)), key=lambda at: (-rank(one, at), at))
    return ndcg([one.relevance[at] for at in order], one.relevance, TOP)


def by(weights: Mapping[str, float]) -> Callable[[Asked, int], float]:
    return lambda one, at: score(parts(one.values[at], weights))


def measured(
    count: int = BRIEFS, seed: int = SEED, with_style: bool = True
) -> tuple[dict[str, float], dict[str, float]]:
    """(NDCG@10 by order, the learned weights) of the briefs that taught nothing."""
    briefs = asked(count, seed, with_style)
    teach, rank = briefs[: count // 2], briefs[count // 2 :]
    weights = learned(pairs(teach, seed), WEIGHTS)
    chance = random.Random(seed)
    return {
        "by chance": quality(rank, lambda one, at: chance.random()),
        "by followers": quality(rank, lambda one, at: one.followers[at]),
        "the platform's own weights": quality(rank, by(WEIGHTS)),
        "learned weights": quality(rank, by(weights)),
        "the hidden weights themselves": quality(rank, by(HIDDEN)),
    }, weights


def main(arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else BRIEFS
    found, weights = measured(count)
    print(f"{count} briefs, half of them to learn from; seed {SEED}\n")
    print("| order | NDCG@10 |\n| --- | --- |")
    for name, value in found.items():
        print(f"| {name} | {value:.3f} |")
    print("\n| part | own weight | learned | hidden |\n| --- | --- | --- | --- |")
    for name, weight in WEIGHTS.items():
        print(f"| {name} | {weight:.2f} | {weights[name]:.2f} | {HIDDEN[name]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
