"""What a creator charges: a price per format, overrides by industry, the next price and its date, commission."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, checked_currency
from services.discovery.domain.categories import FIRST_LEVEL
from services.discovery.domain.checks import checked_few


class Format(StrEnum):
    """What is made. A live session is priced by the hour."""

    IMAGE_NOTE = "image_note"
    VIDEO = "video"
    LIVE_HOUR = "live_hour"
    STORY = "story"


@dataclass(frozen=True, slots=True)
class IndustryPrice:
    """Another price for brands of a first-level category."""

    industry: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class FormatPrice:
    """The price of one format in minor units; from `next_from` (UTC) on the base price is `next_minor`."""

    format: Format
    price_minor: int
    industries: Annotated[tuple[IndustryPrice, ...], Asked(Len(0, len(FIRST_LEVEL)))] = ()
    next_minor: int | None = None
    next_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class RateCard:
    """All prices share a currency. `closed` formats are not for sale now, whatever their price.

    `commission_bps` is the creator's share of sales where paid by commission (CPS); None refuses commission.
    """

    currency: str
    prices: Annotated[tuple[FormatPrice, ...], Asked(Len(0, len(Format)))] = ()
    commission_bps: int | None = None
    closed: Annotated[tuple[Format, ...], Asked(Len(0, len(Format)))] = ()


def checked_card(card: RateCard, at: datetime) -> RateCard:
    """The card in canonical order; raises Invalid naming format and rule."""
    checked_currency(card.currency)
    checked_few(card, "prices", tuple(price.format for price in card.prices))
    if card.commission_bps is not None and not 0 < card.commission_bps < BASIS_POINTS:
        raise Invalid("rate_card.commission_out_of_range", field="commission_bps", limit_bps=BASIS_POINTS)
    checked_few(card, "closed", card.closed)
    prices = sorted((_checked_price(price, at) for price in card.prices), key=lambda price: price.format)
    return replace(card, prices=tuple(prices), closed=tuple(sorted(card.closed)))


def _checked_price(price: FormatPrice, at: datetime) -> FormatPrice:
    _check_amount(price.format, price.price_minor)
    _check_next(price, at)
    checked_few(price, "industries", tuple(special.industry for special in price.industries))
    for special in price.industries:
        _check_amount(price.format, special.price_minor)
        if special.industry not in FIRST_LEVEL:
            raise Invalid("category.unknown", field="industries", category=special.industry[:40])
    return replace(price, industries=tuple(sorted(price.industries, key=lambda special: special.industry)))


def _check_next(price: FormatPrice, at: datetime) -> None:
    if (price.next_minor is None) != (price.next_from is None):
        raise Invalid("rate_card.next_price_incomplete", format=price.format, needs="next_minor and next_from")
    if price.next_minor is None or price.next_from is None:
        return
    _check_amount(price.format, price.next_minor)
    if price.next_from.utcoffset() != timedelta(0):
        raise Invalid("time.not_utc", field="next_from")
    if price.next_from <= at:
        raise Invalid("rate_card.next_price_not_ahead", format=price.format, next_from=price.next_from.isoformat())


def _check_amount(kind: Format, amount_minor: int) -> None:
    if not 0 < amount_minor <= LIMIT_MINOR:
        raise Invalid("rate_card.price_out_of_range", format=kind, price_minor=amount_minor, limit_minor=LIMIT_MINOR)


def quote(card: RateCard, kind: Format, industry: str, at: datetime) -> int | None:
    """The price in minor units of `card.currency` at a time for an industry ("" for none); None: not for sale."""
    price = next((price for price in card.prices if price.format is kind), None)
    if price is None or kind in card.closed:
        return None
    special = next((special.price_minor for special in price.industries if special.industry == industry), None)
    if special is not None:
        return special
    if price.next_minor is not None and price.next_from is not None and price.next_from <= at:
        return price.next_minor
    return price.price_minor
