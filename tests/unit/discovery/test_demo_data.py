"""The shipped demo file is what its generator writes, and looks like a market."""

from statistics import median

from services.discovery.domain.commands import ChangeRateCard, ReportFollowers, ReportPerformance
from services.discovery.domain.creator_csv import parse
from services.discovery.domain.csv_columns import CreatorRow
from services.discovery.domain.profile import may_be_minor
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier, tier_of
from tests.unit.discovery.given import NOON
from tools import make_creators

SHIPPED = make_creators.TARGET.read_bytes()
ROWS = parse(SHIPPED).rows


def by_tier(value: str) -> dict[Tier, float]:
    found: dict[Tier, list[float]] = {}
    for row in ROWS:
        followers = next(c.followers.count for c in row.changes if isinstance(c, ReportFollowers))
        figure = engagement_rate(row) if value == "rate" else image_price(row)
        if figure is not None:
            found.setdefault(tier_of(followers), []).append(figure)
    return {tier: median(figures) for tier, figures in found.items()}


def engagement_rate(row: CreatorRow) -> float | None:
    cells = [c.performance for c in row.changes if isinstance(c, ReportPerformance)]
    return next((cell.engagements / cell.reads for cell in cells if cell.format is Format.IMAGE_NOTE), None)


def image_price(row: CreatorRow) -> float | None:
    cards = [c.card for c in row.changes if isinstance(c, ChangeRateCard) and c.card.currency == "CNY"]
    prices = [price for card in cards for price in card.prices if price.format is Format.IMAGE_NOTE]
    return next((float(price.price_minor) for price in prices), None)


def test_generating_again_gives_the_shipped_bytes() -> None:
    assert make_creators.text().encode() == SHIPPED


def test_every_row_is_good_and_there_are_enough() -> None:
    parsed = parse(SHIPPED)
    assert (parsed.bad_rows, parsed.problems) == (0, ())
    assert parsed.read_rows >= 600


def test_prices_rise_and_engagement_falls_with_size() -> None:
    prices, rates = by_tier("price"), by_tier("rate")
    assert [prices[tier] for tier in Tier] == sorted(prices.values(), reverse=True)
    assert [rates[tier] for tier in Tier] == sorted(rates.values())


def test_nobody_in_the_file_may_be_a_minor() -> None:
    assert not any(row.profile.birth_year and may_be_minor(row.profile.birth_year, NOON) for row in ROWS)


def test_names_are_chinese_and_english_and_contacts_lead_nowhere() -> None:
    assert sum(row.display_name.isascii() for row in ROWS) > 50
    assert sum(not row.display_name.isascii() for row in ROWS) > 400
    assert all(row.contact.endswith("@example.com") for row in ROWS)
