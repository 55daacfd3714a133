"""Creators weighed for a brief, in parts that are each shown with their weight. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.discovery.domain.match_weights.match_weights import OWN, WHOLE_MICROS
from services.discovery.domain.matching import Brief
from services.discovery.domain.profile import Availability
from services.discovery.domain.rate_card import quote
from services.discovery.matching.encoder import Vector
from services.discovery.matching.parts import Part, categories, clipped, mean, parts, percentiles, score, shares, style
from services.discovery.planning.forecast import Known, forecasts
from services.discovery.planning.portraits import Portrait

WEIGHTS: Mapping[str, float] = {one.part: one.micros / WHOLE_MICROS for one in OWN}
"""Version 0."""
GOOD_JOBS, JOBS = 2.0, 3.0
"""A creator's settled jobs count beside so many good ones of so many: nobody is sure after one."""


@dataclass(frozen=True, slots=True)
class Suitor:
    """A creator as it is weighed."""

    portrait: Portrait
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Match:
    """A creator with its score 0..1, the parts that it comes from, and what one piece costs (None: no price)."""

    creator_id: str
    score: float
    parts: Sequence[Part]
    price_minor: int | None


def best(
    brief: Brief,
    words: Vector | None,
    suitors: Sequence[Suitor],
    weights: Mapping[str, float],
    at: datetime,
    size: int,
) -> list[Match]:
    """The best first; `words` is the vector of the brief's text."""
    prices = {one.portrait.creator_id: price_of(brief, one.portrait, at) for one in suitors}
    values = weighed(brief, words, suitors, prices)
    made: list[Match] = []
    for one, told in zip(suitors, values, strict=True):
        creator_id, shown = one.portrait.creator_id, parts(told, weights)
        made.append(Match(creator_id, score(shown), shown, prices[creator_id]))
    return sorted(made, key=lambda one: (-one.score, one.creator_id))[:size]


def price_of(brief: Brief, portrait: Portrait, at: datetime) -> int | None:
    """What one piece costs the brand now; None where it is not for sale, or for another currency."""
    card = portrait.state.card
    if card is None or card.currency != brief.currency:
        return None
    return quote(card, brief.format, brief.industry, at)


def weighed(
    brief: Brief, words: Vector | None, suitors: Sequence[Suitor], prices: Mapping[str, int | None]
) -> list[dict[str, float | None]]:
    """The values of all parts, in the order of the suitors: those that compare creators do so among these."""
    known = [
        Known(one.creator_id, one.state, one.records["settled"], one.records["orders"])
        for one in (suitor.portrait for suitor in suitors)
    ]
    expected = {name: one.median for name, one in forecasts(brief.goal, brief.format, known).items()}
    forecast = percentiles(expected)
    cheap = percentiles({name: value / price for name, value in expected.items() if (price := prices.get(name))})
    return [
        {
            "style": style(words, one.vector),
            "category": _category(brief, one.portrait),
            "audience": _audience(brief, one.portrait),
            "forecast": forecast.get(one.portrait.creator_id),
            "price": _price(brief, prices[one.portrait.creator_id], cheap.get(one.portrait.creator_id)),
            "safety": _safety(one.portrait),
            "reliability": _reliability(one.portrait),
            "availability": _availability(one.portrait),
        }
        for one in suitors
    ]


def _category(brief: Brief, portrait: Portrait) -> float | None:
    """The part of the brief's categories that the creator is in; the first level alone counts half."""
    mine = categories(portrait.state)
    if not brief.categories or not mine:
        return None
    return sum(1.0 if one in mine else 0.5 * (one.partition("/")[0] in mine) for one in brief.categories) / len(
        brief.categories
    )


def _audience(brief: Brief, portrait: Portrait) -> float | None:
    """The part of the audience that is wanted, a mean over the dimensions that the brief names and the creator tells."""
    told = shares(portrait.state)
    wanted = {name: getattr(brief.wanted, name) for name in ("genders", "ages", "locations", "interests")}
    found = [
        sum(told[name].get(one, 0.0) for one in wanted[asked])
        for name, asked in (
            ("gender", "genders"),
            ("ages", "ages"),
            ("locations", "locations"),
            ("interests", "interests"),
        )
        if wanted[asked] and name in told
    ]
    return clipped(sum(found) / len(found)) if found else None


def _price(brief: Brief, price: int | None, cheap: float | None) -> float | None:
    """How much it brings for its price among the others; half as much at twice the price that was told, and so on."""
    if price is None:
        return 0.0
    over = price / brief.price_max_minor if brief.price_max_minor else 1.0
    value = mean([cheap, 0.5]) if cheap is None else cheap
    return None if value is None else value / max(over, 1.0)


def _safety(portrait: Portrait) -> float | None:
    """Authenticity, and how few findings there were for the jobs done."""
    counts = portrait.records
    jobs = counts["settled"] + counts["cancelled"] + counts["contracted"]
    faults = counts["findings"] + counts["disclosures_missing"]
    clean = jobs / (jobs + faults) if jobs or faults else None
    authentic = None if portrait.authenticity is None else portrait.authenticity / 100
    return mean([authentic, clean])


def _reliability(portrait: Portrait) -> float | None:
    """Jobs that came to their end, of those that ended."""
    settled, cancelled = portrait.records["settled"], portrait.records["cancelled"]
    return (settled + GOOD_JOBS) / (settled + cancelled + JOBS) if settled or cancelled else None


def _availability(portrait: Portrait) -> float | None:
    """0 where it takes no jobs, else the part of its places that is free."""
    told = portrait.state.availability
    if told is None:
        return None
    if told.availability is Availability.CLOSED:
        return 0.0
    return clipped(1 - portrait.records["contracted"] / told.max_parallel_jobs) if told.max_parallel_jobs else 1.0
