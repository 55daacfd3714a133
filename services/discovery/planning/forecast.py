"""What one piece of a creator is expected to bring, with an interval of 80 %.

Measured or told medians of the format are taken where there are some: of 30 days, else of 90. Where there are none, the creator
has the median ratio to followers of its tier among the candidates. The interval comes from how far the candidates of a tier
scatter: the whole scatter where peers stand in, half of it around a median that was told, a third around one that was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median, pstdev

from services.discovery.domain.checks import Provenance
from services.discovery.domain.mix import Goal
from services.discovery.domain.rate_card import Format
from services.discovery.domain.state import State
from services.discovery.domain.tiers import Tier, tier_of
from services.discovery.planning.pool import Forecast, Source

TENTH = 1.2816
"""Standard deviations from the median to the tenth part of a normal distribution."""
SPREAD_LEAST, SPREAD_MOST = 0.2, 1.5
SPREAD = {Source.MEASURED: 1 / 3, Source.TOLD: 1 / 2, Source.PEERS: 1.0}
PEERS_LEAST = 5
PRIOR_JOBS = 3.0
"""Orders of a creator count beside so many jobs of the mean."""
FIELDS = {
    Goal.EXPOSURES: "exposures", Goal.READS: "reads", Goal.ENGAGEMENTS: "engagements", Goal.REACH: "reads",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a creator: its state, and its jobs that were settled and orders led back to it."""

    creator_id: str
    state: State
    settled: int
    orders: int


@dataclass(frozen=True, slots=True)
class Peers:
    """Of a tier: median ratio to followers, and the scatter of the ratio's logarithm."""

    ratio: float
    spread: float


def forecasts(goal: Goal, kind: Format, known: Sequence[Known]) -> dict[str, Forecast]:
    """By creator id; without those of whom neither they nor their peers say anything."""
    if goal is Goal.SALES:
        return _orders(known)
    told = {one.creator_id: _told(one.state, kind, FIELDS[goal]) for one in known}
    peers = _peers([(one, value[0]) for one in known if (value := told[one.creator_id])])
    found = ((one.creator_id, _forecast(one, told[one.creator_id], peers)) for one in known)
    return {creator_id: made for creator_id, made in found if made is not None}


def _told(state: State, kind: Format, field: str) -> tuple[float, Source] | None:
    cell = state.performance_of(kind, 30) or state.performance_of(kind, 90)
    value = float(getattr(cell, field)) if cell else 0.0
    if cell is None or value <= 0:
        return None
    return value, Source.MEASURED if cell.provenance is Provenance.PLATFORM else Source.TOLD


def _peers(told: Sequence[tuple[Known, float]]) -> Mapping[Tier | None, Peers]:
    """Of each tier with five creators or more, and of all tiers together under None."""
    logs: dict[Tier | None, list[float]] = {}
    for one, value in told:
        followers = one.state.largest_followers()
        if followers > 0:
            for tier in (tier_of(followers), None):
                logs.setdefault(tier, []).append(log(value / followers))
    return {
        tier: Peers(exp(median(ratios)), min(max(pstdev(ratios), SPREAD_LEAST), SPREAD_MOST))
        for tier, ratios in logs.items()
        if len(ratios) >= PEERS_LEAST
    }


def _forecast(one: Known, told: tuple[float, Source] | None, peers: Mapping[Tier | None, Peers]) -> Forecast | None:
    followers = one.state.largest_followers()
    among = peers.get(tier_of(followers)) or peers.get(None)
    if told is not None:
        return _around(*told, among.spread if among else SPREAD_MOST)
    return _around(among.ratio * followers, Source.PEERS, among.spread) if among and followers else None


def _around(value: float, source: Source, spread: float) -> Forecast:
    width = exp(TENTH * max(spread * SPREAD[source], SPREAD_LEAST))
    return Forecast(value / width, value, value * width, source)


def _orders(known: Sequence[Known]) -> dict[str, Forecast]:
    """Orders of one job: the creator's own, drawn towards the mean of all jobs by so many jobs of the mean."""
    settled = sum(one.settled for one in known)
    if settled == 0:
        return {}
    mean = fmean([one.orders for one in known]) * len(known) / settled
    made: dict[str, Forecast] = {}
    for one in known:
        value = (one.orders + PRIOR_JOBS * mean) / (one.settled + PRIOR_JOBS)
        if value > 0:
            source = Source.MEASURED if one.settled else Source.PEERS
            half = TENTH * (value / (one.settled + PRIOR_JOBS)) ** 0.5 + TENTH * value / 2
            made[one.creator_id] = Forecast(max(value - half, 0.0), value, value + half, source)
    return made
