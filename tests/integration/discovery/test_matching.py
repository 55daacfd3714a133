"""SimilarCreators and MatchCreators over the shipped creators: every score is the sum of the parts that are shown."""

from collections.abc import Sequence

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import matching_pb2 as match
from dandelion.discovery.v1 import mix_pb2 as mix
from dandelion.discovery.v1 import queries_pb2 as pb

from services.discovery.matching.encoder import encode
from tests.integration.discovery.client import Discovery
from tests.integration.discovery.test_search import shipped
from tests.kit.until import until

__all__ = ["shipped"]
MAKEUP = match.MatchBrief(
    text="通勤妆容，口红试色", goal=mix.MIX_GOAL_READS, format=common.FORMAT_VIDEO, currency="CNY", categories=["美妆"]
)
NOBODY = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4eff"


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """The encoder's weights are read once for the process, before a question's deadline counts."""
    encode(["口红"])


async def alike(discovery: Discovery, *seeds: str) -> pb.SimilarCreatorsResponse:
    async with discovery.queries() as queries:
        answer: pb.SimilarCreatorsResponse = await queries.SimilarCreators(
            match.SimilarCreatorsRequest(creator_ids=seeds, page_size=10)
        )
        return answer


async def matched(discovery: Discovery, brief: match.MatchBrief, **search: object) -> pb.MatchCreatorsResponse:
    async with discovery.queries() as queries:
        found = pb.SearchCreatorsRequest(**search)  # type: ignore[arg-type]
        answer: pb.MatchCreatorsResponse = await queries.MatchCreators(
            pb.MatchCreatorsRequest(brief=brief, search=found, page_size=10)
        )
        return answer


def adds_up(score: float, parts: Sequence[match.ScorePart]) -> bool:
    total = sum(one.weight * (one.value if one.is_known else 0.5) for one in parts)
    return score == pytest.approx(total) and sum(one.weight for one in parts) == pytest.approx(1)


async def test_those_alike_share_what_the_parts_say(shipped: Discovery) -> None:
    seeds = [one.creator for one in (await shipped.search(categories=["美妆"], page_size=2)).hits]
    found = await alike(shipped, seeds[0].creator_id)
    assert len(found.creators) == 10
    assert found.looked_at >= found.styled > 0
    assert [one.score for one in found.creators] == sorted((one.score for one in found.creators), reverse=True)
    for one in found.creators:
        assert one.creator.creator_id != seeds[0].creator_id
        assert adds_up(one.score, one.parts)
        assert {part.name: part.value for part in one.parts}["category"] > 0
    several = await alike(shipped, *(one.creator_id for one in seeds))
    assert {one.creator.creator_id for one in several.creators}.isdisjoint({one.creator_id for one in seeds})


async def test_a_brief_finds_who_speaks_of_it(shipped: Discovery) -> None:
    found = await matched(shipped, MAKEUP)
    assert (len(found.creators), found.weights.version) == (10, 0)
    assert found.found >= found.looked_at >= found.styled > 0
    assert all(adds_up(one.score, one.parts) for one in found.creators)
    makeup = [one for one in found.creators if any("美妆" in name for name in one.creator.profile.categories)]
    assert len(makeup) >= 8
    assert all(one.price_minor > 0 for one in found.creators)


async def test_a_brief_narrows_to_its_search(shipped: Discovery) -> None:
    found = await matched(shipped, MAKEUP, tiers=[common.TIER_KOC])
    assert {one.creator.tier for one in found.creators} == {common.TIER_KOC}


@pytest.mark.parametrize(
    ("seeds", "code"),
    [
        ((), "similar.seeds_out_of_range"),
        ((NOBODY,) * 2, "creator.not_found"),
        (tuple(NOBODY[:-1] + str(at) for at in range(6)), "similar.seeds_out_of_range"),
        (("me",), "id.malformed"),
    ],
    ids=["none", "nobody", "six", "no id"],
)
async def test_seeds_that_cannot_be_are_refused(shipped: Discovery, seeds: tuple[str, ...], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await alike(shipped, *seeds)
    assert code in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"goal": mix.MIX_GOAL_REACH}, "search.value_unknown"),
        ({"currency": "RMB"}, "money.unknown_currency"),
        ({"text": "x" * 2_001}, "text.too_long"),
        ({"categories": ["beauty"]}, "category.unknown"),
        ({"ages": ["young"]}, "audience.name_unknown"),
        ({"locations": ["x"] * 21}, "match.too_many_values"),
        ({"price_max_minor": -1}, "match.price_out_of_range"),
    ],
)
async def test_a_brief_that_cannot_be_is_refused(shipped: Discovery, changes: dict[str, object], code: str) -> None:
    brief = match.MatchBrief(goal=mix.MIX_GOAL_READS, format=common.FORMAT_VIDEO, currency="CNY")
    brief.MergeFrom(match.MatchBrief(**changes))  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await matched(shipped, brief)
    assert code in str(refused.value)


async def test_texts_that_one_question_leaves_unread_are_read_for_the_next(shipped: Discovery) -> None:
    async def all_styled() -> bool:
        found = await matched(shipped, MAKEUP)
        return found.styled == found.looked_at

    await until(all_styled, 120)
