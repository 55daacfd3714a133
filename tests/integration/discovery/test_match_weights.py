"""Weights of a match: learned from what campaigns told, adopted by an operator, used by every match, and put back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import matching_pb2 as match
from dandelion.discovery.v1 import mix_pb2 as mix
from dandelion.discovery.v1 import queries_pb2 as pb

from services.discovery.domain.matching import PARTS
from services.discovery.matching.encoder import encode
from services.discovery.matching.past import LEAST_BRIEFS
from services.discovery.matching.suiting import WEIGHTS
from services.discovery.projections import MATCH_WEIGHTS_PROJECTION
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery, running
from tests.integration.discovery.test_track_record import STYLE, Job

BRIEFS = LEAST_BRIEFS + 2
CREATORS = 6
"""Of each brief: the first half is settled, of the others the first is taken, and the brand refuses the rest."""


@pytest.fixture(scope="module")
async def past(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discovery]:
    """Discovery after ten briefs whose work ended."""
    encode(["口红"])
    async with running(tmp_path_factory.mktemp("past")) as discovery:
        token = await discovery.shipped()
        found = await discovery.search(at_least=token, page_size=BRIEFS * CREATORS)
        creators = [hit.creator.creator_id for hit in found.hits]
        for at in range(BRIEFS):
            await _told(discovery, creators[at::BRIEFS])
        yield discovery


async def _told(discovery: Discovery, creators: list[str]) -> None:
    jobs = [Job(discovery, one) for one in creators]
    for job in jobs:
        job.ids |= {"campaign_id": jobs[0].ids["campaign_id"], "brand_id": jobs[0].ids["brand_id"]}
    tokens = [await jobs[0].publishes()]
    for at, job in enumerate(jobs):
        settled, taken = at < CREATORS // 2, at <= CREATORS // 2
        tokens.append(await (job.applies(campaigns.ApplicationAccepted) if taken else _refused(job)))
        if taken:
            tokens.append(await job.works(campaigns.CollaborationContracted))
        if settled:
            tokens.append(await job.works(campaigns.CollaborationSettled))
    for token in tokens:
        await discovery.app.at_least(token, MATCH_WEIGHTS_PROJECTION.name)


async def _refused(job: Job) -> str:
    ids: dict[str, Any] = {"application_id": job.uuid, **job.ids}
    message = campaigns.ApplicationDeclined(declined_by=campaigns.PARTY_BRAND, **ids)
    return await job.discovery.tell(f"application-{job.uuid}", message)


async def learned(discovery: Discovery, *who: str) -> match.LearnMatchWeightsResponse:
    async with discovery.queries(*(who or OPERATOR)) as queries:
        answer: match.LearnMatchWeightsResponse = await queries.LearnMatchWeights(match.LearnMatchWeightsRequest())
        return answer


async def listed(discovery: Discovery, token: str) -> match.ListMatchWeightsResponse:
    async with discovery.queries(*OPERATOR) as queries:
        answer: match.ListMatchWeightsResponse = await queries.ListMatchWeights(
            match.ListMatchWeightsRequest(at_least=token)
        )
        return answer


async def used(discovery: Discovery, token: str = "") -> match.MatchWeights:
    """The weights that a brand's match counts by; each creator's parts have them too."""
    brief = match.MatchBrief(text="口红", goal=mix.MIX_GOAL_READS, format=common.FORMAT_VIDEO, currency="CNY")
    async with discovery.queries() as queries:
        asked = pb.MatchCreatorsRequest(brief=brief, search=pb.SearchCreatorsRequest(), page_size=3, at_least=token)
        answer: pb.MatchCreatorsResponse = await queries.MatchCreators(asked)
    for one in answer.creators:
        assert by_part(answer.weights) == pytest.approx({part.name: part.weight for part in one.parts})
    return answer.weights


def by_part(weights: match.MatchWeights) -> dict[str, float]:
    return {one.part: one.weight for one in weights.weights}


async def test_what_past_work_teaches_is_adopted_used_and_put_back(past: Discovery) -> None:
    proposed = await learned(past)
    weights = {one.part: one.weight for one in proposed.weights}
    assert list(weights) == list(PARTS)
    assert sum(weights.values()) == pytest.approx(1)
    assert weights != pytest.approx(dict(WEIGHTS), abs=0.001)
    told = proposed.learning
    assert (told.briefs, told.briefs_ranked) == (BRIEFS, BRIEFS // 2)
    assert told.pairs == BRIEFS * (3 * 3 + 1 * 2)
    assert all(0 < one <= 1 for one in (told.ndcg, told.ndcg_before, told.ndcg_followers))
    assert by_part(proposed.in_force) == by_part(await used(past)) == pytest.approx(dict(WEIGHTS))

    body = {"reason": "ten briefs", "proposal": proposed.proposal}
    adopted = await past.done("POST", "/match-weights", body)
    in_force = await used(past, adopted)
    assert in_force.version == 1
    assert by_part(in_force) == pytest.approx(weights)
    chosen = await past.done("POST", "/match-weights", {"reason": "style alone", "weights": STYLE})
    assert by_part(await used(past, chosen)) == dict.fromkeys(PARTS, 0.0) | {"style": 1.0}
    restored = await past.done("POST", "/match-weights/1/restore", {"reason": "it was better"})
    found = await listed(past, restored)
    assert [(one.weights.version, one.reason, one.HasField("learning")) for one in found.adopted] == [
        (3, "it was better", False),
        (2, "style alone", False),
        (1, "ten briefs", True),
    ]
    assert (found.adopted[0].restored_version, found.adopted[1].HasField("restored_version")) == (1, False)
    assert (found.adopted[2].learning, found.adopted[2].adopted_by) == (told, "olga")
    assert by_part(found.adopted[0].weights) == by_part(await used(past)) == pytest.approx(weights)
    assert by_part(found.own) == pytest.approx(dict(WEIGHTS))
    async with past.queries(*OPERATOR) as queries:
        first = await queries.ListMatchWeights(match.ListMatchWeightsRequest(page_size=2))
        rest = await queries.ListMatchWeights(
            match.ListMatchWeightsRequest(page_size=2, page_token=first.page.next_page_token)
        )
    assert [one.weights.version for one in (*first.adopted, *rest.adopted)] == [3, 2, 1]
    assert first.in_force == rest.in_force == found.adopted[0].weights


async def test_weights_are_no_brand_s_business(past: Discovery) -> None:
    for ask in (past.queries(*BRAND), past.queries("ann", BRAND[1], "creator")):
        async with ask as queries:
            for question in (
                queries.LearnMatchWeights(match.LearnMatchWeightsRequest()),
                queries.ListMatchWeights(match.ListMatchWeightsRequest()),
            ):
                with pytest.raises(grpc.aio.AioRpcError, match=r"actor\.role_missing"):
                    await question
    body = {"reason": "mine", "weights": STYLE}
    assert await past.refused("POST", "/match-weights", body, BRAND) == "actor.role_missing"
    assert await past.refused("POST", "/match-weights/0/restore", {"reason": "mine"}, BRAND) == "actor.role_missing"


async def test_what_cannot_be_adopted_is_refused(past: Discovery) -> None:
    for body, code in (
        ({"reason": "x"}, "weights.one_of_two"),
        ({"reason": "x", "proposal": "a", "weights": STYLE}, "weights.one_of_two"),
        ({"reason": "x", "proposal": "bm9uZQ=="}, "weights.proposal_malformed"),
        ({"reason": "x", "weights": STYLE[1:]}, "weights.parts_differ"),
        ({"reason": "x", "weights": [one | {"weight": 0.2} for one in STYLE]}, "weights.do_not_sum"),
    ):
        assert await past.refused("POST", "/match-weights", body, OPERATOR) == code
    assert (
        await past.refused("POST", "/match-weights/900/restore", {"reason": "x"}, OPERATOR) == "weights.version_unknown"
    )


async def test_a_young_platform_has_nothing_to_learn_from(tmp_path: Path) -> None:
    async with running(tmp_path) as discovery:
        with pytest.raises(grpc.aio.AioRpcError, match=r"weights\.too_few_outcomes"):
            await learned(discovery)
