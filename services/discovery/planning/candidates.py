"""Who may be in a mix of those that a search found, and why the others may not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.discovery.domain.audience import AudienceKind
from services.discovery.domain.categories import first_level
from services.discovery.domain.mix import Goal, MixAsked, QuotaKind
from services.discovery.domain.profile import Availability
from services.discovery.domain.rate_card import quote
from services.discovery.domain.state import State
from services.discovery.domain.tiers import tier_of
from services.discovery.planning.forecast import Known, forecasts
from services.discovery.planning.pool import Candidate, Forecast, Out

UNKNOWN_AGE = "?"


@dataclass(frozen=True, slots=True)
class Seen:
    """A creator as the planner reads it: `authenticity` 0..100, None where nobody assessed it; brands with the last contract."""

    known: Known
    authenticity: int | None
    brands: Mapping[str, datetime]


def sorted_out(asked: MixAsked, seen: Sequence[Seen], at: datetime) -> tuple[list[Candidate], dict[str, Out]]:
    """Candidates, and the others by creator id with what keeps each out."""
    expected = forecasts(asked.goal, asked.format, [one.known for one in seen])
    candidates: list[Candidate] = []
    out: dict[str, Out] = {}
    for one in seen:
        creator_id = one.known.creator_id
        price, forecast = _price(asked, one.known.state, at), expected.get(creator_id)
        why = _why_out(asked, one, price, forecast, at)
        if why or price is None or forecast is None:
            out[creator_id] = why or Out.NO_FORECAST
            continue
        labels = frozenset(labels_of(one.known.state))
        cells = _cells(one.known.state, forecast) if asked.goal is Goal.REACH else {}
        candidates.append(Candidate(creator_id, price, forecast, labels, cells))
    return candidates, out


def _price(asked: MixAsked, state: State, at: datetime) -> int | None:
    if state.card is None or state.card.currency != asked.currency:
        return None
    return quote(state.card, asked.format, asked.industry, at)


def _why_out(asked: MixAsked, one: Seen, price: int | None, forecast: Forecast | None, at: datetime) -> Out | None:
    available = one.known.state.availability
    since = at - timedelta(days=asked.competitor_days)
    reasons = (
        (one.known.creator_id in asked.never, Out.NEVER),
        (available is not None and available.availability is Availability.CLOSED, Out.CLOSED),
        (price is None, Out.NO_PRICE),
        (one.authenticity is not None and one.authenticity < asked.authenticity_min, Out.AUTHENTICITY),
        (any(one.brands.get(brand, since) > since for brand in asked.competitors), Out.COMPETITOR),
        (forecast is None, Out.NO_FORECAST),
    )
    return next((why for is_so, why in reasons if is_so), None)


def labels_of(state: State) -> Iterable[tuple[str, str]]:
    """What quotas count a creator by."""
    yield QuotaKind.TIER.value, tier_of(state.largest_followers()).value
    for account in state.accounts:
        yield QuotaKind.PLATFORM.value, account.platform.value
    profile = state.profile
    if profile is None:
        return
    for category in profile.categories:
        yield QuotaKind.CATEGORY.value, first_level(category)
    place = ""
    for part in filter(None, (profile.country, profile.province, profile.city)):
        place = f"{place}/{part}" if place else part
        yield QuotaKind.PLACE.value, place


def _cells(state: State, forecast: Forecast) -> dict[str, float]:
    """People reached, by category of what they follow and by age: two creators of one cell reach some people twice."""
    profile, audience = (
        state.profile,
        state.audience_of(AudienceKind.VIEWERS) or state.audience_of(AudienceKind.FOLLOWERS),
    )
    categories = sorted({first_level(one) for one in profile.categories}) if profile and profile.categories else [""]
    ages = {one.name: one.bps / 10_000 for one in audience.ages} if audience else {}
    ages[UNKNOWN_AGE] = max(1 - sum(ages.values()), 0.0)
    cells = {
        f"{category} {age}": forecast.median * share / len(categories)
        for category in categories
        for age, share in ages.items()
    }
    return {cell: count for cell, count in cells.items() if count > 0}
