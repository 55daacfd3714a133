"""CountCreators over the shipped creators: each value's number is what a search with that value alone finds."""

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as pb

from tests.integration.discovery.client import Discovery
from tests.integration.discovery.test_search import shipped

__all__ = ["shipped"]
ENUMS = {
    "tiers": common.Tier, "platforms": common.Platform, "availability": events.Availability, "format": common.Format,
}  # fmt: skip


async def counted(discovery: Discovery, search: pb.SearchCreatorsRequest) -> pb.CountCreatorsResponse:
    async with discovery.queries() as queries:
        answer: pb.CountCreatorsResponse = await queries.CountCreators(pb.CountCreatorsRequest(search=search))
        return answer


def narrowed(search: pb.SearchCreatorsRequest, name: str, text: str) -> pb.SearchCreatorsRequest:
    """The search with that value of the filter, in place of the filter's own."""
    asked = pb.SearchCreatorsRequest()
    asked.CopyFrom(search)
    asked.ClearField(name)  # type: ignore[arg-type]
    value = ENUMS[name].Value(text) if name in ENUMS else text
    if name in ("availability", "format"):
        setattr(asked, name, value)
    else:
        getattr(asked, name).append(value)
    return asked


@pytest.mark.parametrize(
    "search",
    [
        pytest.param(pb.SearchCreatorsRequest(), id="everything"),
        pytest.param(
            pb.SearchCreatorsRequest(platforms=[common.PLATFORM_DOUYIN], tiers=[common.TIER_KOC]), id="two filters"
        ),
        pytest.param(pb.SearchCreatorsRequest(text="口红", followers_min=1_000), id="a text"),
        pytest.param(
            pb.SearchCreatorsRequest(format=common.FORMAT_VIDEO, currency="CNY", order_by="price"), id="a price order"
        ),
    ],
)
async def test_a_values_number_is_what_it_would_find(shipped: Discovery, search: pb.SearchCreatorsRequest) -> None:
    answer = await counted(shipped, search)
    assert answer.total == (await shipped.search(**{f.name: v for f, v in search.ListFields()})).total
    facets = {one.filter: one.values for one in answer.facets}
    assert set(facets) == {
        "categories", "languages", "locations", "platforms", "tags", "tiers", "availability", "format",
    }  # fmt: skip
    async with shipped.queries() as queries:
        for name, values in facets.items():
            assert values
            assert [one.creators for one in values] == sorted((one.creators for one in values), reverse=True)
            for one in (values[0], values[-1]):
                asked = narrowed(search, name, one.value)
                asked.order_by = ""
                assert (await queries.SearchCreators(asked)).total == one.creators, (name, one.value)


async def test_criteria_that_are_wrong_are_refused(shipped: Discovery) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await counted(shipped, pb.SearchCreatorsRequest(followers_min=10, followers_max=1))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_filters_own_values_are_left_out_while_it_is_counted(shipped: Discovery) -> None:
    douyin, fashion = [common.PLATFORM_DOUYIN], ["时尚"]
    both = await counted(shipped, pb.SearchCreatorsRequest(platforms=douyin, categories=fashion))
    (platforms,) = [one.values for one in both.facets if one.filter == "platforms"]
    plain = await counted(shipped, pb.SearchCreatorsRequest(categories=fashion))
    (all_of_them,) = [one.values for one in plain.facets if one.filter == "platforms"]
    assert list(platforms) == list(all_of_them)
    assert len(platforms) > 1
