"""Values that a creator may and may not give: every bad one names its rule."""

from dataclasses import replace

import pytest

from services.discovery.domain.audience import Share
from services.discovery.domain.commands import (
    ChangeAvailability,
    ChangeProfile,
    ChangeRateCard,
    Command,
    LinkAccount,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
)
from services.discovery.domain.events import (
    CreatorProfileChanged,
    RateCardChanged,
)
from services.discovery.domain.guardians.events import OfferBarChanged
from services.discovery.domain.profile import Account, Availability, Gender, Platform
from services.discovery.domain.rate_card import Format, FormatPrice, IndustryPrice, RateCard
from tests.unit.discovery.given import (
    AUDIENCE,
    BEFORE,
    FIGURES,
    FOLLOWERS,
    LATER,
    OPERATOR,
    PROFILE,
    REGISTERED,
    check,
)


def profile(**changes: object) -> ChangeProfile:
    return ChangeProfile(replace(PROFILE, **changes))  # type: ignore[arg-type]


def card(*prices: FormatPrice, currency: str = "CNY", commission_bps: int | None = None) -> ChangeRateCard:
    return ChangeRateCard(RateCard(currency, prices, commission_bps))


VIDEO = FormatPrice(Format.VIDEO, 300_000)


@pytest.mark.parametrize(
    ("when", "code"),
    [
        pytest.param(profile(display_name_revision=""), "creator.display_name_missing", id="no_name"),
        pytest.param(profile(bio_revision="a b"), "creator.revision_malformed", id="revision"),
        pytest.param(profile(categories=("化妆",)), "category.unknown", id="category"),
        pytest.param(profile(categories=("美妆/",)), "category.malformed", id="second_level_empty"),
        pytest.param(profile(categories=("美妆/a/b",)), "category.malformed", id="third_level"),
        pytest.param(profile(categories=("美妆", "美妆")), "list.repeated_value", id="category_twice"),
        pytest.param(
            profile(categories=("美妆", "护肤", "母婴", "时尚", "美食", "宠物")), "list.too_long", id="too_many"
        ),
        pytest.param(profile(tags=("",)), "text.empty", id="empty_tag"),
        pytest.param(profile(tags=("x" * 31,)), "text.too_long", id="long_tag"),
        pytest.param(profile(tags=("a\nb",)), "text.malformed", id="control_character"),
        pytest.param(profile(languages=("Chinese",)), "creator.language_malformed", id="language"),
        pytest.param(profile(languages=("zz",)), "creator.language_malformed", id="no_such_language"),
        pytest.param(profile(languages=("und",)), "creator.language_malformed", id="no_language"),
        pytest.param(profile(languages=("en-XX",)), "creator.language_malformed", id="language_of_no_region"),
        pytest.param(profile(country="China"), "creator.country_malformed", id="country"),
        pytest.param(profile(country="XX"), "creator.country_malformed", id="no_such_country"),
        pytest.param(profile(country="UK"), "creator.country_malformed", id="uk_is_gb"),
        pytest.param(profile(country="", city="上海"), "creator.location_incomplete", id="city_without_country"),
        pytest.param(profile(birth_year=1899), "creator.birth_year_out_of_range", id="too_old"),
        pytest.param(profile(birth_year=2027), "creator.birth_year_out_of_range", id="not_born"),
        pytest.param(profile(birth_year=2008), "creator.guardian_consent_missing", id="may_still_be_a_minor"),
        pytest.param(profile(agency_id="agency"), "id.malformed", id="agency"),
        pytest.param(profile(virtual_human=True), "creator.virtual_operator_mismatch", id="virtual_without_operator"),
        pytest.param(profile(virtual_operator="x"), "creator.virtual_operator_mismatch", id="operator_without_virtual"),
        pytest.param(profile(examples=("http://a.example/1",)), "creator.link_malformed", id="link"),
        pytest.param(LinkAccount(Account(Platform.WEIBO, "a b")), "creator.handle_malformed", id="handle"),
        pytest.param(ChangeAvailability(Availability.OPEN, 0), "creator.parallel_jobs_out_of_range", id="no_jobs"),
        pytest.param(card(VIDEO, currency="RMB"), "money.unknown_currency", id="currency"),
        pytest.param(card(VIDEO, VIDEO), "list.repeated_value", id="format_twice"),
        pytest.param(card(replace(VIDEO, price_minor=0)), "rate_card.price_out_of_range", id="no_price"),
        pytest.param(card(replace(VIDEO, price_minor=10**16)), "rate_card.price_out_of_range", id="huge_price"),
        pytest.param(card(VIDEO, commission_bps=10_000), "rate_card.commission_out_of_range", id="commission"),
        pytest.param(card(replace(VIDEO, next_minor=1)), "rate_card.next_price_incomplete", id="next_without_date"),
        pytest.param(
            card(replace(VIDEO, next_minor=1, next_from=BEFORE)),
            "rate_card.next_price_not_ahead",
            id="next_in_the_past",
        ),
        pytest.param(
            card(replace(VIDEO, next_minor=1, next_from=LATER.replace(tzinfo=None))),
            "time.not_utc",
            id="next_without_zone",
        ),
        pytest.param(
            card(replace(VIDEO, industries=(IndustryPrice("化妆", 1),))), "category.unknown", id="industry_unknown"
        ),
        pytest.param(ReportFollowers(replace(FOLLOWERS, count=-1)), "count.out_of_range", id="negative_followers"),
        pytest.param(ReportFollowers(replace(FOLLOWERS, observed_at=LATER)), "time.in_the_future", id="future"),
        pytest.param(
            ReportFollowers(replace(FOLLOWERS, observed_at=BEFORE.replace(tzinfo=None))), "time.not_utc", id="no_zone"
        ),
        pytest.param(ReportAudience(replace(AUDIENCE, sample_size=0)), "audience.sample_empty", id="no_sample"),
        pytest.param(
            ReportAudience(replace(AUDIENCE, gender=(Share("female", 6_000), Share("male", 4_001)))),
            "audience.shares_over_one",
            id="more_than_all",
        ),
        pytest.param(
            ReportAudience(replace(AUDIENCE, ages=(Share("18-25", 100),))), "audience.name_unknown", id="band_unknown"
        ),
        pytest.param(
            ReportAudience(replace(AUDIENCE, locations=(Share("上海", -1),))),
            "audience.share_out_of_range",
            id="negative",
        ),
        pytest.param(
            ReportAudience(replace(AUDIENCE, active_bps=10_001)), "audience.share_out_of_range", id="active_over_one"
        ),
        pytest.param(ReportPerformance(replace(FIGURES, window_days=7)), "performance.window_unknown", id="window"),
        pytest.param(ReportPerformance(replace(FIGURES, reads=20_001)), "performance.reads_over_exposures", id="reads"),
    ],
)
def test_bad_values_name_their_rule(when: Command, code: str) -> None:
    check([REGISTERED], when, code, OPERATOR)


def test_a_card_with_everything_is_kept_in_one_order() -> None:
    industries = (IndustryPrice("美妆", 350_000), IndustryPrice("母婴", 330_000))
    video = replace(VIDEO, industries=industries, next_minor=320_000, next_from=LATER)
    story = FormatPrice(Format.STORY, 50_000)
    given = RateCard("CNY", (video, story), 1_500, (Format.VIDEO, Format.STORY))
    kept = RateCard("CNY", (story, replace(video, industries=industries[::-1])), 1_500, (Format.STORY, Format.VIDEO))
    check([REGISTERED], ChangeRateCard(given), [RateCardChanged(kept)])
    check([REGISTERED, RateCardChanged(kept)], ChangeRateCard(given), [])


def test_a_minor_with_a_guardians_consent_and_an_adult_without() -> None:
    minor = replace(PROFILE, birth_year=2010, guardian_consent=True)
    adult = replace(PROFILE, birth_year=2007)
    check([REGISTERED], ChangeProfile(minor), [CreatorProfileChanged(minor), OfferBarChanged(True)])
    check([REGISTERED], ChangeProfile(adult), [CreatorProfileChanged(adult)])


def test_a_virtual_human_names_its_operator() -> None:
    virtual = replace(PROFILE, virtual_human=True, virtual_operator="Studio Ltd", gender=Gender.OTHER)
    check([REGISTERED], ChangeProfile(virtual), [CreatorProfileChanged(virtual)])
