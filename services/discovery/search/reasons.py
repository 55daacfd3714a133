"""Why a creator was found: one sentence per filter that matched, naming what it matched on. Pure."""

from collections.abc import Iterable, Sequence

from services.discovery.domain.criteria import Criteria
from services.discovery.domain.state import State
from services.discovery.domain.tiers import tier_of
from services.discovery.search.words import normal


def reasons(criteria: Criteria, state: State, text_fields: Sequence[str]) -> list[str]:
    """`text_fields` are the fields in which the text index found the words."""
    return [f"{name}: {what}" for name, what in _found(criteria, state, text_fields) if what]


def _found(criteria: Criteria, state: State, text_fields: Sequence[str]) -> Iterable[tuple[str, str]]:
    profile, followers = state.profile, state.largest_followers()
    if profile is None:
        return
    yield "text", f"{criteria.text} in {', '.join(text_fields)}" if text_fields else ""
    yield "category", _shared(criteria.categories, _with_first(profile.categories))
    yield "language", _shared(criteria.languages, profile.languages)
    wanted = {normal(tag) for tag in criteria.tags}
    yield "tag", ", ".join(tag for tag in profile.tags if normal(tag) in wanted)
    yield "platform", _shared(criteria.platforms, [account.platform for account in state.accounts])
    yield (
        "location",
        "/".join(filter(None, (profile.country, profile.province, profile.city))) if criteria.locations else "",
    )
    yield "tier", tier_of(followers).value if criteria.tiers else ""
    yield "followers", str(followers) if criteria.followers_min or criteria.followers_max else ""
    yield "engagement rate", _rate(criteria, state)
    yield "price", _price(criteria, state)


def _shared(wanted: Sequence[str], held: Sequence[str]) -> str:
    return ", ".join(one for one in held if one in wanted)


def _with_first(categories: Sequence[str]) -> list[str]:
    return [part for one in categories for part in dict.fromkeys((one, one.partition("/")[0]))]


def _rate(criteria: Criteria, state: State) -> str:
    bps = state.engagement_rate_bps()
    return f"{bps} bps" if criteria.engagement_rate_min_bps and bps is not None else ""


def _price(criteria: Criteria, state: State) -> str:
    """The base price on the card: what holds at the moment of the search is the card's own to say."""
    if criteria.format is None or state.card is None:
        return ""
    price = next((one for one in state.card.prices if one.format is criteria.format), None)
    return f"{price.format} {price.price_minor} {state.card.currency}" if price else ""
