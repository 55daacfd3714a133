"""What a creator is matched with: a brief's words and wishes, and the parts that a match is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.core.faults import Invalid
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.discovery.domain.audience import AGE_BANDS, GENDERS
from services.discovery.domain.categories import checked_category
from services.discovery.domain.checks import checked_text
from services.discovery.domain.mix import Goal
from services.discovery.domain.rate_card import Format

TEXT_CHARS = 2_000
VALUES_LIMIT = 20
PARTS = ("style", "category", "audience", "forecast", "price", "safety", "reliability", "availability")
"""In the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom the brand wants to reach; empty: everybody."""

    genders: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """`text` is what is to be said, one line in any language. `price_max_minor` is what one piece may cost, 0: not told."""

    text: str
    goal: Goal
    format: Format
    currency: str
    price_max_minor: int = 0
    industry: str = ""
    categories: tuple[str, ...] = ()
    wanted: Wanted = Wanted()


def checked_brief(brief: Brief) -> Brief:
    """The same brief; raises Invalid naming the field and the rule that it breaks."""
    checked_text("text", brief.text, TEXT_CHARS)
    checked_currency(brief.currency)
    if not 0 <= brief.price_max_minor <= LIMIT_MINOR:
        raise Invalid("match.price_out_of_range", field="price_max_minor", limit=LIMIT_MINOR)
    for field in ("categories", "genders", "ages", "locations", "interests"):
        values: Sequence[str] = getattr(brief if field == "categories" else brief.wanted, field)
        if len(values) > VALUES_LIMIT:
            raise Invalid("match.too_many_values", field=field, limit=VALUES_LIMIT)
    for one in brief.categories:
        checked_category(one)
    if brief.industry:
        checked_category(brief.industry)
    for field, names in (("genders", GENDERS), ("ages", AGE_BANDS)):
        for one in getattr(brief.wanted, field):
            if one not in names:
                raise Invalid("audience.name_unknown", field=field, name=one[:40], expected=" ".join(names))
    return brief
