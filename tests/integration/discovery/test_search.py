"""SearchCreators over the shipped creators: every filter against a plain reading of the file, and pages without a seam."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub

from kernel.core.ids import new_id
from services.discovery.domain.commands import ChangeAvailability, ChangeRateCard, ReportFollowers
from services.discovery.domain.creator_csv import parse
from services.discovery.domain.csv_columns import CreatorRow
from services.discovery.domain.profile import Availability, Platform
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier, tier_of
from tests.integration.discovery.client import Discovery
from tools.make_creators import TARGET

ROWS = parse(TARGET.read_bytes()).rows
Wanted = Callable[[CreatorRow], bool]


@pytest.fixture(scope="module")
async def shipped(discovery: Discovery) -> Discovery:
    """The shipped creators, imported."""
    await discovery.shipped()
    return discovery


def followers(row: CreatorRow) -> int:
    return next(change.followers.count for change in row.changes if isinstance(change, ReportFollowers))


def price(row: CreatorRow, kind: Format, currency: str = "CNY") -> int | None:
    cards = [change.card for change in row.changes if isinstance(change, ChangeRateCard)]
    found = [one for card in cards if card.currency == currency and kind not in card.closed for one in card.prices]
    return next((one.price_minor for one in found if one.format is kind), None)


def is_open(row: CreatorRow) -> bool:
    changes = [change for change in row.changes if isinstance(change, ChangeAvailability)]
    return any(change.availability is Availability.OPEN for change in changes)


def between(row: CreatorRow, low: int, high: int) -> bool:
    found = price(row, Format.VIDEO)
    return found is not None and low <= found <= high


async def all_hits(discovery: Discovery, page_size: int = 500, **filters: Any) -> list[pb.CreatorHit]:
    hits: list[pb.CreatorHit] = []
    token = ""
    while True:
        page = await discovery.search(page_size=page_size, page_token=token, **filters)
        hits += page.hits
        token = page.page.next_page_token
        if not token:
            assert page.total == len(hits)
            return hits


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        pytest.param({}, lambda row: True, id="everything"),
        pytest.param({"tiers": [common.TIER_HEAD, common.TIER_MID]},
                     lambda row: tier_of(followers(row)) in {Tier.HEAD, Tier.MID}, id="tiers"),
        pytest.param({"followers_min": 20_000, "followers_max": 60_000},
                     lambda row: 20_000 <= followers(row) <= 60_000, id="followers"),
        pytest.param({"categories": ["美妆"]},
                     lambda row: any(c.partition("/")[0] == "美妆" for c in row.profile.categories), id="first_level"),
        pytest.param({"categories": ["美妆/口红", "美食"]},
                     lambda row: any(c == "美妆/口红" or c.startswith("美食") for c in row.profile.categories), id="two_levels"),
        pytest.param({"languages": ["en"], "platforms": [common.PLATFORM_TIKTOK]},
                     lambda row: "en" in row.profile.languages and row.account.platform is Platform.TIKTOK, id="anded"),
        pytest.param({"locations": ["CN/浙江"]}, lambda row: row.profile.province == "浙江", id="province"),
        pytest.param({"locations": ["CN/广东/深圳", "US"]},
                     lambda row: row.profile.city == "深圳" or row.profile.country == "US", id="city_or_country"),
        pytest.param({"availability": events.AVAILABILITY_OPEN}, is_open, id="open"),
        pytest.param({"tags": ["测评", "教程"]}, lambda row: bool({"测评", "教程"} & set(row.profile.tags)), id="tags"),
        pytest.param({"format": common.FORMAT_VIDEO, "currency": "CNY", "price_min_minor": 100_000, "price_max_minor": 400_000},
                     lambda row: between(row, 100_000, 400_000), id="price"),
        pytest.param({"format": common.FORMAT_STORY},
                     lambda row: any(price(row, Format.STORY, c) for c in ("CNY", "USD", "GBP", "EUR", "SGD")), id="sells"),
        pytest.param({"text": "防晒"},
                     lambda row: "防晒" in row.bio + "".join(row.profile.categories) + row.display_name, id="chinese_text"),
        pytest.param({"text": "ＬＯＮＤＯＮ"}, lambda row: "London" in row.bio + row.profile.city, id="full_width_text"),
        pytest.param({"text": "杭州 口红"},
                     lambda row: row.profile.city == "杭州" and "口红" in row.bio + str(row.profile.categories), id="two_words"),
        pytest.param({"text": "skincare"}, lambda row: any(c.startswith("护肤") for c in row.profile.categories), id="english"),
        pytest.param({"text": "无此词语"}, lambda row: False, id="nothing"),
    ],
)  # fmt: skip
async def test_filters_find_what_the_file_holds(shipped: Discovery, filters: dict[str, Any], wanted: Wanted) -> None:
    expected = {row.creator_id for row in ROWS if wanted(row)}
    found = [hit.creator.creator_id for hit in await all_hits(shipped, **filters)]
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(
    ("order", "key", "descending"),
    [
        ("", followers, True),
        ("followers", followers, False),
        ("price", lambda row: price(row, Format.VIDEO), False),
        ("price desc", lambda row: price(row, Format.VIDEO), True),
    ],
)
async def test_pages_of_any_size_are_the_whole_in_order(
    shipped: Discovery, order: str, key: Callable[[CreatorRow], int | None], descending: bool
) -> None:
    filters = {"format": common.FORMAT_VIDEO, "currency": "CNY", "order_by": order}
    keyed = [(value, row.creator_id) for row in ROWS if price(row, Format.VIDEO) and (value := key(row)) is not None]
    expected = [one for _, one in sorted(keyed, key=lambda pair: (-pair[0] if descending else pair[0], pair[1]))]
    for size in (7, 64, 500):
        assert [hit.creator.creator_id for hit in await all_hits(shipped, size, **filters)] == expected


async def test_an_order_by_engagement_leaves_out_who_has_none(shipped: Discovery) -> None:
    rates = [hit.creator.engagement_rate_bps for hit in await all_hits(shipped, 33, order_by="engagement_rate desc")]
    assert rates == sorted(rates, reverse=True)
    assert min(rates) > 0


async def test_a_page_token_fits_its_query_and_caller_only(shipped: Discovery) -> None:
    token = (await shipped.search(page_size=5)).page.next_page_token
    for filters, who in (
        ({"order_by": "followers"}, ()),
        ({}, ("ben", new_id(), "brand")),
        ({"text": "上海"}, ()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await shipped.search(*who, page_token=token, **filters)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError):
        await shipped.search(page_token=token[:-2] + "AA")


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"order_by": "price"}, "search.price_incomplete"),
        ({"price_max_minor": 5}, "search.price_incomplete"),
        ({"order_by": "beauty"}, "search.order_unknown"),
        ({"followers_min": -1}, "search.bound_out_of_range"),
        ({"followers_min": 10, "followers_max": 5}, "search.range_empty"),
        ({"categories": ["makeup"]}, "category.unknown"),
        ({"currency": "RMB"}, "money.unknown_currency"),
        ({"locations": ["CN//杭州"]}, "search.location_malformed"),
        ({"tiers": [99]}, "search.value_unknown"),
        ({"page_size": -1}, "page_size.negative"),
        ({"text": "x" * 201}, "text.too_long"),
        ({"tags": [str(number) for number in range(51)]}, "search.too_many_values"),
        ({"exclude_campaign_id": "mine"}, "id.malformed"),
    ],
)
async def test_a_wrong_filter_is_refused_by_name(shipped: Discovery, filters: dict[str, Any], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shipped.search(**filters)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code in (caught.value.details() or "")


async def test_a_page_is_bounded_and_its_hits_carry_no_audience(shipped: Discovery) -> None:
    page = await shipped.search(page_size=10_000)
    assert (len(page.hits), page.total) == (200, len(ROWS))
    assert not any(hit.creator.audience for hit in page.hits)
    assert len((await shipped.get(page.hits[0].creator.creator_id)).audience) == 1


async def test_a_hit_says_why(shipped: Discovery) -> None:
    hit = (await shipped.search(text="口红", categories=["美妆"], tiers=[common.TIER_KOC], page_size=1)).hits[0]
    found = " | ".join(hit.reasons)
    assert "text: 口红 in" in found
    assert "category: " in found
    assert "tier: koc" in found


async def test_queries_need_a_token(shipped: Discovery) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{shipped.app.settings.rpc_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await CreatorQueryServiceStub(channel).SearchCreators(pb.SearchCreatorsRequest())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
