"""PlanMix over the shipped creators: bounds hold, prices are those of the rate cards, and what does not fit is named."""

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import mix_pb2 as mix
from dandelion.discovery.v1 import queries_pb2 as pb

from tests.integration.discovery.client import Discovery
from tests.integration.discovery.test_search import shipped

__all__ = ["shipped"]
ASKED = {
    "goal": mix.MIX_GOAL_READS, "format": common.FORMAT_VIDEO, "currency": "CNY", "budget_minor": 20_000_000,
}  # fmt: skip


async def planned(discovery: Discovery, **asked: object) -> mix.PlanMixResponse:
    async with discovery.queries() as queries:
        answer: mix.PlanMixResponse = await queries.PlanMix(pb.PlanMixRequest(**{**ASKED, **asked}))  # type: ignore[arg-type]
        return answer


async def test_a_plan_keeps_to_its_bounds_and_says_why(shipped: Discovery) -> None:
    quotas = [
        mix.MixQuota(kind=mix.MIX_QUOTA_KIND_TIER, value="koc", creators_min=3, creators_max=8),
        mix.MixQuota(kind=mix.MIX_QUOTA_KIND_PLATFORM, value="douyin", spend_max_bps=6_000),
    ]
    first = await planned(shipped, quotas=quotas, creators_max=12)
    never = first.picks[0].creator_id
    found = await planned(shipped, quotas=quotas, creators_max=12, never=[never], with_frontier=True)
    async with shipped.queries() as queries:
        chosen = pb.BatchGetCreatorsRequest(creator_ids=[one.creator_id for one in found.picks])
        creators = {one.creator_id: one for one in (await queries.BatchGetCreators(chosen)).creators}
    assert never not in creators
    assert 0 < len(found.picks) <= 12
    assert 3 <= sum(one.tier == common.TIER_KOC for one in creators.values()) <= 8
    for one in found.picks:
        rates = [rate for rate in creators[one.creator_id].rates if rate.format == common.FORMAT_VIDEO]
        assert one.price_minor in {price for rate in rates for price in (rate.price_minor, rate.next_price_minor)}
        assert one.outcome.low < one.outcome.median < one.outcome.high
        assert one.reason in (mix.MIX_REASON_WORTH, mix.MIX_REASON_QUOTA)
    assert found.spent_minor == sum(one.price_minor for one in found.picks) <= 20_000_000
    assert found.outcome.median == pytest.approx(sum(one.outcome.median for one in found.picks))
    assert found.outcome.median <= first.outcome.median <= first.bound * (1 + 1e-6)
    assert found.is_optimal or found.gap_ratio > 1e-6
    assert not found.greedy_holds or found.greedy_outcome <= found.bound
    assert {one.reason: one.creators for one in found.left_out}["never"] == 1
    assert {one.name for one in found.binding} & {"budget", "creators", "tier:koc:creators"}
    assert found.considered + sum(one.creators for one in found.left_out) == found.found
    assert [one.budget_minor for one in found.frontier] == sorted(one.budget_minor for one in found.frontier)


async def test_a_budget_for_nobody_is_no_error(shipped: Discovery) -> None:
    found = await planned(shipped, budget_minor=100, creators_min=1)
    assert not found.picks
    assert [one.name for one in found.missing] == ["budget"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"goal": mix.MIX_GOAL_UNSPECIFIED}, "search.value_unknown"),
        ({"search": pb.SearchCreatorsRequest(text="nobody is called so")}, "mix.nobody_matches"),
        ({"budget_minor": -5}, "mix.bound_out_of_range"),
    ],
    ids=["no goal", "nobody", "less than no money"],
)
async def test_what_cannot_be_planned_is_refused(shipped: Discovery, asked: dict[str, object], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await planned(shipped, **asked)
    assert code in str(refused.value)
