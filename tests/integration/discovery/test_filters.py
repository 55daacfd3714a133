"""Filters by field over the shipped creators: against a plain reading of the file, and each field of the table once."""

from collections.abc import Callable, Iterable
from typing import Any

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import filters_pb2 as filters
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.filters_pb2 import Amounts, Counts, Filter, Labels, Ratios, Shares, WeightedShare, WorkedFor

from kernel.core.ids import new_id
from services.discovery.domain.commands import ChangeRateCard, ReportAudience, ReportPerformance
from services.discovery.domain.csv_columns import CreatorRow
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import tier_of
from services.discovery.search.fields import FIELDS, Field, Kind
from tests.integration.discovery.client import Discovery
from tests.integration.discovery.test_search import ROWS, all_hits, followers, price, shipped

__all__ = ["shipped"]
VIDEO = {"format": common.FORMAT_VIDEO, "currency": "CNY"}


def share(row: CreatorRow, field: str, *names: str) -> int:
    reports = [change.audience for change in row.changes if isinstance(change, ReportAudience)]
    return sum(one.bps for audience in reports for one in getattr(audience, field) if one.name in names)


def takes_commission(row: CreatorRow) -> bool:
    return any(isinstance(change, ChangeRateCard) and bool(change.card.commission_bps) for change in row.changes)


def cpm(row: CreatorRow) -> int | None:
    cells = [change.performance for change in row.changes if isinstance(change, ReportPerformance)]
    shown = next((one.exposures for one in cells if one.format is Format.VIDEO and one.window_days == 30), 0)
    asked = price(row, Format.VIDEO)
    return asked * 1_000 // shown if shown and asked else None


def rate(row: CreatorRow) -> int:
    return share(row, "gender", "female")


def bounded(low: int, value: int | None, high: int) -> bool:
    return value is not None and low <= value <= high


@pytest.mark.parametrize(
    ("asked", "also", "wanted"),
    [
        pytest.param(
            [Filter(field="genders", labels=Labels(values=["female"]))], {},
            lambda row: row.profile.gender == "female", id="label"),
        pytest.param(
            [Filter(field="tiers", negated=True, labels=Labels(values=["koc", "nano"]))], {},
            lambda row: tier_of(followers(row)) not in ("koc", "nano"), id="not"),
        pytest.param(
            [Filter(field="generations", labels=Labels(values=["1990s", "2000s"]))], {},
            lambda row: row.profile.birth_year is not None and 1990 <= row.profile.birth_year < 2010, id="generation"),
        pytest.param(
            [Filter(field="followers", counts=Counts(min=20_000, max=60_000))], {},
            lambda row: 20_000 <= followers(row) <= 60_000, id="range"),
        pytest.param(
            [Filter(field="followers", negated=True, counts=Counts(max=60_000))], {},
            lambda row: followers(row) > 60_000, id="range turned"),
        pytest.param(
            [Filter(field="commission_accepted", flag=True)], {}, lambda row: takes_commission(row), id="flag"),
        pytest.param(
            [Filter(field="commission_accepted", flag=False)], {}, lambda row: not takes_commission(row), id="flag off"),
        pytest.param(
            [Filter(field="audience.followers.gender", shares=Shares(min=0.6, shares=[WeightedShare(value="female")]))], {},
            lambda row: share(row, "gender", "female") >= 6_000, id="share"),
        pytest.param(
            [Filter(field="audience.followers.age_band", shares=Shares(min=0.6, shares=[
                WeightedShare(value="18-24"), WeightedShare(value="25-34", weight=0.5)]))], {},
            lambda row: 2 * share(row, "ages", "18-24") + share(row, "ages", "25-34") >= 12_000, id="weights"),
        pytest.param(
            [Filter(field="cpm", amounts=Amounts(min_minor=1_000, max_minor=8_000, currency="CNY"))], VIDEO,
            lambda row: bounded(1_000, cpm(row), 8_000), id="unit cost"),
        pytest.param(
            [Filter(field="genders", labels=Labels(values=["female"])),
             Filter(field="audience.followers.gender", shares=Shares(min=0.6, shares=[WeightedShare(value="female")]))],
            {"tiers": [common.TIER_KOC]},
            lambda row: row.profile.gender == "female" and share(row, "gender", "female") >= 6_000
            and tier_of(followers(row)) == "koc", id="anded"),
    ],
)  # fmt: skip
async def test_filters_find_what_the_file_holds(
    shipped: Discovery, asked: list[Filter], also: dict[str, Any], wanted: Callable[[CreatorRow], bool]
) -> None:
    expected = {row.creator_id for row in ROWS if wanted(row)}
    assert 0 < len(expected) < len(ROWS)
    hits = await all_hits(shipped, filters=asked, **also)
    assert {hit.creator.creator_id for hit in hits} == expected
    assert all(one.field for hit in hits for one in hit.matches)
    assert all(len(hit.matches) == len(asked) + ("tiers" in also) for hit in hits)


def plain(field: Field) -> Filter:
    """A filter that asks the field for something."""
    made = Filter(field=field.name)
    match field.kind:
        case Kind.LABEL:
            made.labels.values.append("x")
        case Kind.FLAG:
            made.flag = True
        case Kind.COUNT:
            made.counts.min = 1
        case Kind.RATIO:
            made.ratios.max = 0.5
        case Kind.SHARES:
            made.shares.MergeFrom(Shares(min=0.5, shares=[WeightedShare(value="x")]))
        case _:
            made.amounts.MergeFrom(Amounts(min_minor=1, currency="CNY"))
    return made


def once() -> Iterable[Field]:
    """Every field, of the cells of the grid and the dimensions of an audience one: the others are the same query."""
    one = (".daily.video.90d.organic", "audience.buyers.quality")
    for field in FIELDS.values():
        if field.group not in ("performance", "audience") or field.name.endswith(one):
            yield field


async def test_every_field_can_be_asked_turned_counted_and_sorted_by(shipped: Discovery) -> None:
    """Exact complements: who matches and who does not are together all."""
    everybody = (await shipped.search(**VIDEO)).total
    for field in once():
        asked = plain(field)
        found = (await shipped.search(filters=[asked], page_size=1, **VIDEO)).total
        asked.negated = True
        assert found + (await shipped.search(filters=[asked], page_size=1, **VIDEO)).total == everybody, field.name
    for field in once():
        if field.sortable:
            assert (await shipped.search(order_by=f"{field.name} desc", page_size=1, **VIDEO)).total <= everybody
    faceted = [field.name for field in FIELDS.values() if field.faceted]
    async with shipped.queries() as queries:
        answer = await queries.CountCreators(pb.CountCreatorsRequest(facets=faceted))
        told = await queries.ListSearchFields(filters.ListSearchFieldsRequest())
    assert [one.filter for one in answer.facets] == faceted
    assert {one.name for one in told.fields} == set(FIELDS)


async def test_there_are_filters_for_all_that_a_brand_asks() -> None:
    """52 at least, each cell of the grid counted once."""
    assert len({name.split(".")[0] if name.count(".") == 4 else name for name in FIELDS}) >= 52


@pytest.mark.parametrize("order", ["cpm", "cpm desc", "read_median.reported.video.30d.all desc", "engagement_rate"])
async def test_pages_by_any_number_are_the_whole_in_order(shipped: Discovery, order: str) -> None:
    whole = [hit.creator.creator_id for hit in await all_hits(shipped, 500, order_by=order, **VIDEO)]
    assert len(whole) > 20
    assert [hit.creator.creator_id for hit in await all_hits(shipped, 7, order_by=order, **VIDEO)] == whole
    if order == "cpm":
        by_id = {row.creator_id: row for row in ROWS}
        costs = [cpm(by_id[one]) for one in whole]
        assert costs == sorted(one for one in costs if one is not None)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Filter(field="beauty", labels=Labels(values=["x"])), "search.field_unknown"),
        (Filter(field="engagement_rate", counts=Counts(min=5)), "search.wrong_unit"),
        (Filter(field="engagement_rate", ratios=Ratios(min=35)), "search.ratio_out_of_range"),
        (Filter(field="engagement_rate", ratios=Ratios(max=float("nan"))), "search.ratio_out_of_range"),
        (Filter(field="followers", ratios=Ratios(min=0.5)), "search.wrong_unit"),
        (Filter(field="followers", counts=Counts(min=-1)), "search.bound_out_of_range"),
        (Filter(field="followers", counts=Counts(min=9, max=3)), "search.range_empty"),
        (Filter(field="followers", counts=Counts()), "search.filter_empty"),
        (Filter(field="followers"), "search.filter_empty"),
        (Filter(field="tiers", labels=Labels()), "search.filter_empty"),
        (Filter(field="tiers", labels=Labels(values=["koc", "koc"])), "search.value_repeated"),
        (Filter(field="audience.followers.gender", shares=Shares(min=60, shares=[WeightedShare(value="female")])),
         "search.ratio_out_of_range"),
        (Filter(field="cpm", amounts=Amounts(min_minor=1, currency="CNY")), "search.price_incomplete"),
        (Filter(field="live_average_gmv_90d", amounts=Amounts(min_minor=1)), "money.unknown_currency"),
    ],
)  # fmt: skip
async def test_another_unit_is_refused_and_never_guessed(shipped: Discovery, asked: Filter, code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shipped.search(filters=[asked])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code in (caught.value.details() or "")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"filters": [Filter(field="has_agency", flag=True)] * 41}, "search.too_many_values"),
        ({"order_by": "tiers desc"}, "search.order_unknown"),
        ({"creator_fields": ["secrets"]}, "field_mask.unknown"),
        ({"exclude_worked_for": WorkedFor(days=30)}, "search.filter_empty"),
        ({"exclude_worked_for": WorkedFor(days=0, brand_ids=[new_id()])}, "search.bound_out_of_range"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_refused(shipped: Discovery, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shipped.search(**asked)
    assert code in (caught.value.details() or "")


async def test_a_hit_says_what_met_each_filter_and_the_price_that_was_used(shipped: Discovery) -> None:
    asked = [
        Filter(field="engagement_rate", ratios=Ratios(min=0.01)),
        Filter(field="audience.followers.gender", shares=Shares(min=0.2, shares=[WeightedShare(value="female")])),
        Filter(field="tiers", negated=True, labels=Labels(values=["head"])),
    ]
    hit = (await shipped.search(filters=asked, page_size=1, creator_fields=["display_name", "rates"], **VIDEO)).hits[0]
    row = next(one for one in ROWS if one.creator_id == hit.creator.creator_id)
    engaged, female, tier = hit.matches
    assert (engaged.field, female.field, tier.negated) == ("engagement_rate", "audience.followers.gender", True)
    assert engaged.number >= 0.01
    assert female.number == rate(row) / 10_000
    assert (hit.price.price_minor, hit.price.currency) == (price(row, Format.VIDEO), "CNY")
    assert hit.creator.display_name
    assert not hit.creator.accounts
