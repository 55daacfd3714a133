"""What a search asks for, checked. Filters are ANDed, values of one filter ORed, bounds inclusive; nothing is guessed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.discovery.domain.categories import checked_category
from services.discovery.domain.checks import COUNT_LIMIT, checked_text
from services.discovery.domain.profile import Availability, Platform, checked_language
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier

VALUES_LIMIT = 50
TEXT_CHARS = 200
RATE_LIMIT_BPS = 100_000


class Order(StrEnum):
    """Every order ends with the creator id, so that it is total."""

    MOST_FOLLOWERS = "followers desc"
    FEWEST_FOLLOWERS = "followers"
    CHEAPEST = "price"
    DEAREST = "price desc"
    MOST_ENGAGING = "engagement_rate desc"
    NEWEST = "registered_at desc"
    OLDEST = "registered_at"


BY_PRICE = (Order.CHEAPEST, Order.DEAREST)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Empty filters match all; a bound of 0 is none. Prices are minor units of `currency`, for one piece of `format`.

    `locations` are `CN`, `CN/浙江` or `CN/浙江/杭州`; a place matches all within it. `format` alone asks who sells it.
    """

    text: str = ""
    categories: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    followers_min: int = 0
    followers_max: int = 0
    format: Format | None = None
    currency: str = ""
    price_min_minor: int = 0
    price_max_minor: int = 0
    languages: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    availability: Availability | None = None
    platforms: tuple[Platform, ...] = ()
    tags: tuple[str, ...] = ()
    engagement_rate_min_bps: int = 0
    exclude_campaign_id: str = ""
    order: Order = Order.MOST_FOLLOWERS

    @property
    def by_price(self) -> bool:
        return bool(self.price_min_minor or self.price_max_minor or self.order in BY_PRICE)


def checked_criteria(criteria: Criteria) -> Criteria:
    """The same criteria; raises Invalid naming the filter and the rule it breaks."""
    checked_text("text", criteria.text.strip(), TEXT_CHARS)
    _each("categories", criteria.categories, checked_category)
    _each("languages", criteria.languages, checked_language)
    _each("locations", criteria.locations, _checked_location)
    _each("tags", criteria.tags, lambda tag: checked_text("tags", tag, 30))
    for field in ("tiers", "platforms"):
        _each(field, getattr(criteria, field), str)
    _check_range("followers", criteria.followers_min, criteria.followers_max, COUNT_LIMIT)
    _check_range("price", criteria.price_min_minor, criteria.price_max_minor, LIMIT_MINOR)
    _check_range("engagement_rate_min_bps", criteria.engagement_rate_min_bps, 0, RATE_LIMIT_BPS)
    if criteria.currency:
        checked_currency(criteria.currency)
    if criteria.by_price and not (criteria.format and criteria.currency):
        raise Invalid("search.price_incomplete", field="price", needs="format and currency")
    if criteria.exclude_campaign_id:
        checked_id(criteria.exclude_campaign_id)
    return criteria


def _each(field: str, values: tuple[str, ...], check: Callable[[str], str]) -> None:
    if len(values) > VALUES_LIMIT:
        raise Invalid("search.too_many_values", field=field, limit=VALUES_LIMIT)
    for value in values:
        check(value)


def _checked_location(place: str) -> str:
    parts = place.split("/")
    if len(parts) > 3 or not all(parts):
        raise Invalid("search.location_malformed", field="locations", location=place[:60], expected="CN/浙江/杭州")
    return place


def _check_range(field: str, low: int, high: int, limit: int) -> None:
    if not (0 <= low <= limit and 0 <= high <= limit):
        raise Invalid("search.bound_out_of_range", field=field, limit=limit)
    if high and low > high:
        raise Invalid("search.range_empty", field=field, low=low, high=high)


def order_of(text: str) -> Order:
    """The order of an `order_by` text; "" is by followers, largest first."""
    try:
        return Order(text) if text else Order.MOST_FOLLOWERS
    except ValueError:
        raise Invalid("search.order_unknown", field="order_by", value=text[:40], expected=_listed(Order)) from None


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)
