"""Tiers, prices and handles: the small pure functions that several places rely on."""

from dataclasses import replace

import pytest
from dandelion_posts.authors import handle_key
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from services.discovery.domain.profile import Account, Platform, checked_account
from services.discovery.domain.rate_card import Format, FormatPrice, IndustryPrice, RateCard, quote
from services.discovery.domain.tiers import FLOORS, Tier, tier_of
from tests.unit.discovery.given import BEFORE, LATER, NOON

ORDER = list(Tier)


@pytest.mark.parametrize(
    ("followers", "tier"),
    [(0, "unranked"), (999, "unranked"), (1_000, "nano"), (9_999, "nano"), (10_000, "koc"), (49_999, "koc"),
     (50_000, "mid"), (499_999, "mid"), (500_000, "head"), (10**10, "head")],
)  # fmt: skip
def test_tier_borders_are_half_open(followers: int, tier: str) -> None:
    assert tier_of(followers) == tier


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_more_followers_never_mean_a_lower_tier(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert ORDER.index(tier_of(high)) <= ORDER.index(tier_of(low))


@given(st.integers(0, 10**8))
def test_a_tier_holds_exactly_what_is_above_its_floor_and_below_the_next(followers: int) -> None:
    floors = dict(FLOORS) | {Tier.UNRANKED: 0}
    above = [floor for floor in floors.values() if floor <= followers]
    assert floors[tier_of(followers)] == max(above)


@given(st.text(max_size=40))
def test_a_normalised_handle_is_its_own_normal_form(handle: str) -> None:
    try:
        account = checked_account(Account(Platform.WEIBO, handle))
    except Invalid:
        return
    assert checked_account(account) == account
    assert handle_key(f" @{account.handle} ") == account.handle


VIDEO = FormatPrice(Format.VIDEO, 100, (IndustryPrice("美妆", 150),), 120, LATER)
CARD = RateCard("CNY", (VIDEO, FormatPrice(Format.STORY, 50)), closed=(Format.STORY,))


def test_quote() -> None:
    assert quote(CARD, Format.VIDEO, "", NOON) == 100
    assert quote(CARD, Format.VIDEO, "", LATER) == 120
    assert quote(CARD, Format.VIDEO, "美妆", NOON) == 150
    assert quote(CARD, Format.VIDEO, "母婴", BEFORE) == 100
    assert quote(CARD, Format.STORY, "", NOON) is None
    assert quote(CARD, Format.LIVE_HOUR, "", NOON) is None
    assert quote(replace(CARD, closed=()), Format.STORY, "", NOON) == 50
