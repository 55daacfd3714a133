"""What a search asks for, checked. Filters are ANDed, values of one filter ORed, bounds inclusive; nothing is guessed."""

from collections.abc import Callable
from dataclasses import dataclass

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
DAYS_LIMIT = 3_650


@dataclass(frozen=True, slots=True)
class Order:
    """By a number of the creator, largest first where `falling`. Every order ends with the creator id, so that it is total."""

    field: str
    falling: bool = True

    def __str__(self) -> str:
        return f"{self.field} desc" if self.falling else self.field


MOST_FOLLOWERS = Order("followers")
CHEAPEST, DEAREST = Order("price", falling=False), Order("price")

COSTS = ("cpm", "cpr", "cpe", "cpuv")
"""Price of a thousand exposures, of a read, an engagement, a store visit: these need format and currency."""


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """One of these labels; `negated`: none of them. A flag is the label "yes"."""

    field: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class RangeFilter:
    """A number from `low` to `high`, both included, None for no bound, in what the field stores; `negated`: not so, or unknown.

    `currency` is that of amounts.
    """

    field: str
    low: int | None = None
    high: int | None = None
    negated: bool = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ShareFilter:
    """Shares, each times its weight in thousandths, are together at least `minimum_bps`; `negated`: less, or unknown."""

    population: str
    dimension: str
    weights: tuple[tuple[str, int], ...]
    minimum_bps: int
    negated: bool = False


Filter = LabelFilter | RangeFilter | ShareFilter


@dataclass(frozen=True, slots=True)
class WorkedFor:
    """Work for these brands or for products of these categories in the last `days` excludes a creator."""

    brands: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    days: int = 0


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
    filters: tuple[Filter, ...] = ()
    exclude_invited: bool = False
    exclude_worked_for: WorkedFor | None = None
    order: Order = MOST_FOLLOWERS

    @property
    def by_price(self) -> bool:
        """Whether an amount is asked for, which takes a format and a currency."""
        priced = any(isinstance(one, RangeFilter) and one.field in COSTS for one in self.filters)
        bounded = self.price_min_minor or self.price_max_minor
        return bool(bounded or priced or self.order.field == "price" or self.order.field in COSTS)

    def asked(self) -> tuple[Filter, ...]:
        """Every filter by label, range or share: those with a field of their own in the request too, under its name."""
        own = tuple(LabelFilter(name, tuple(map(str, values))) for name in NAMED if (values := getattr(self, name)))
        available = (LabelFilter("availability", (self.availability.value,)),) if self.availability else ()
        followers = RangeFilter("followers", self.followers_min or None, self.followers_max or None)
        engagement = RangeFilter("engagement_rate", self.engagement_rate_min_bps or None)
        ranges = tuple(one for one in (followers, engagement) if one.low is not None or one.high is not None)
        return (*own, *available, *ranges, *self.filters)


NAMED = ("categories", "tiers", "languages", "locations", "platforms", "tags")
"""Labels that have a field of their own in the request."""


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
    if criteria.exclude_worked_for is not None:
        _check_worked_for(criteria.exclude_worked_for)
    return criteria


def _check_worked_for(asked: WorkedFor) -> None:
    _each("brand_ids", asked.brands, checked_id)
    _each("industries", asked.industries, lambda one: checked_text("industries", one, 60))
    if not (asked.brands or asked.industries):
        raise Invalid("search.filter_empty", field="exclude_worked_for", needs="brand_ids or industries")
    if not 1 <= asked.days <= DAYS_LIMIT:
        raise Invalid("search.bound_out_of_range", field="days", limit=DAYS_LIMIT)


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
    """The order of an `order_by` text, a field's name with or without ` desc`; "" is by followers, largest first."""
    if not text:
        return MOST_FOLLOWERS
    field, _, direction = text.partition(" ")
    if direction not in ("", "desc") or not field:
        raise Invalid(
            "search.order_unknown", field="order_by", value=text[:40], expected="a field, or a field and desc"
        )
    return Order(field, direction == "desc")
