"""A creator's authenticity from samples over HTTP to answers over gRPC: judged, held, appealed, ruled; and by figures alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from dandelion.discovery.v1 import authenticity_pb2 as pb
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.ledger.v1 import commands_pb2 as ledger

from kernel.core.ids import new_id
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery
from tests.integration.discovery.test_commands import itself, now, registered
from tests.kit.until import until

ANNA, BEN = ("anna", "platform", "reviewer"), ("ben", "platform", "reviewer")
BOT = {"followers": 4, "following": 3_000, "posts": 0, "has_picture": False, "has_bio": False}
PERSON = {"followers": 500, "following": 400, "posts": 210, "has_picture": True, "has_bio": True}
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)


async def known(discovery: Discovery, handle: str) -> str:
    """A creator that the read model has."""
    creator_id = await registered(discovery, handle)
    await discovery.get(creator_id, at_least=await now(discovery))
    return creator_id


async def judged(discovery: Discovery, creator_id: str, *who: str, at_least: str = "") -> pb.Authenticity:
    async with discovery.queries(*who) as queries:
        request = pb.GetAuthenticityRequest(creator_id=creator_id, at_least=at_least)
        answer: pb.GetAuthenticityResponse = await queries.GetAuthenticity(request)
        return answer.authenticity


async def asked_of_the_ledger(discovery: Discovery, kind: type[Any], creator_id: str) -> list[str]:
    """Reasons of the commands about a creator, once there is one."""
    found: list[str] = []

    async def there() -> bool:
        told = await discovery.messages("ledger.commands.v1", kind)
        found[:] = [one.reason for one in told if one.owner_id == creator_id]
        return bool(found)

    await until(there)
    return found


async def counted(discovery: Discovery, creator_id: str, counts: list[int]) -> str:
    """Follower counts of as many days, as the platform measured them; the last token."""
    token = ""
    for day, count in enumerate(counts):
        at = (START + timedelta(days=day)).isoformat().replace("+00:00", "Z")
        body = {"platform": "xiaohongshu", "count": count, "provenance": "platform", "observed_at": at}
        token = await discovery.done("POST", f"/creators/{creator_id}/followers", body)
    return token


async def defrauded(discovery: Discovery, handle: str) -> str:
    """A creator with bought followers and a pod under its posts."""
    creator_id = await known(discovery, handle)
    sample = {"profiles": [BOT] * 120 + [PERSON] * 80}
    await discovery.done("POST", f"/authenticity/{creator_id}/followers", sample)
    told = [
        {"post": str(post), "author": f"m{one}", "text": "amazing content as always"}
        for post in range(10)
        for one in range(20)
    ]
    await discovery.done("POST", f"/authenticity/{creator_id}/comments", {"comments": told})
    return creator_id


async def test_a_fraud_is_held_appealed_and_lifted_by_two_reviewers(discovery: Discovery) -> None:
    creator_id = await defrauded(discovery, "bought.fame")
    found = await judged(discovery, creator_id, at_least=await now(discovery))
    assert found.standing == events.AUTHENTICITY_STANDING_FRAUD
    assert found.score_low <= found.score <= found.score_high < 65
    assert (found.holds_offers, found.holds_payouts) == (True, False)
    assert (await judged(discovery, creator_id, *ANNA)).holds_payouts
    assert {one.kind for one in found.signals} == {
        events.AUTHENTICITY_SIGNAL_KIND_FOLLOWERS,
        events.AUTHENTICITY_SIGNAL_KIND_SAMENESS,
        events.AUTHENTICITY_SIGNAL_KIND_CIRCLE,
    }
    assert found.evidence.followers.sample_size == 200
    assert 5_000 < found.evidence.followers.low_bps <= found.evidence.followers.fake_bps
    assert await asked_of_the_ledger(discovery, ledger.HoldPayouts, creator_id) == ["authenticity.fraud"]

    path, own = f"/authenticity/{creator_id}", itself(creator_id)
    await discovery.done("POST", f"{path}/appeal", {"statement": "a television show named me"}, own)
    lift = {"verdict": "lifted", "reason": "the show was real"}
    await discovery.done("POST", f"{path}/rule", lift, ANNA)
    seen = await judged(discovery, creator_id, *ANNA, at_least=await now(discovery))
    assert (seen.statement, seen.appealed, seen.lift_proposed_by) == ("a television show named me", True, "anna")
    assert (await judged(discovery, creator_id, *own)).lift_proposed_by == ""
    assert (await judged(discovery, creator_id, *BRAND)).statement == ""
    refused = await discovery.send("POST", f"{path}/rule", {**lift, "reason": "again"}, ANNA)
    assert refused.json()["code"] == "authenticity.needs_another_reviewer"
    await discovery.done("POST", f"{path}/rule", lift, BEN)
    told = await judged(discovery, creator_id, *own, at_least=await now(discovery))
    assert told.standing == events.AUTHENTICITY_STANDING_CREDIBLE
    assert await asked_of_the_ledger(discovery, ledger.ResumePayouts, creator_id) == ["authenticity.fraud"]
    assert (told.holds_offers, told.holds_payouts, told.appealed, told.ruling_reason) == (
        False,
        False,
        False,
        "the show was real",
    )


async def test_the_work_list_has_the_doubted_by_score(discovery: Discovery) -> None:
    creator_id = await defrauded(discovery, "listed.fame")
    token = await now(discovery)
    async with discovery.queries(*ANNA) as queries:
        answer = await queries.ListAuthenticity(pb.ListAuthenticityRequest(at_least=token))
        appealed = await queries.ListAuthenticity(pb.ListAuthenticityRequest(appealed=True))
    assert creator_id in {one.creator_id for one in answer.creators}
    assert [one.score for one in answer.creators] == sorted(one.score for one in answer.creators)
    assert creator_id not in {one.creator_id for one in appealed.creators}
    async with discovery.queries(*BRAND) as queries:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await queries.ListAuthenticity(pb.ListAuthenticityRequest())
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_new_figures_alone_lead_to_a_judgement(discovery: Discovery) -> None:
    creator_id = await known(discovery, "grew.at.once")
    await counted(
        discovery, creator_id, [10_000, 10_020, 10_045, 10_060, 10_085, 14_000, 14_020, 14_041, 14_060, 14_085]
    )

    async def growth() -> bool:
        return (await judged(discovery, creator_id)).evidence.growth.jump_bps > 0

    await until(growth)
    found = await judged(discovery, creator_id)
    assert [one.gained for one in found.evidence.growth.jumps] == [3_915]
    assert found.standing == events.AUTHENTICITY_STANDING_WATCH


async def test_nobody_is_judged_on_a_first_report(discovery: Discovery) -> None:
    creator_id = await known(discovery, "just.came")
    token = await counted(discovery, creator_id, [10_000, 90_000])
    assert (await judged(discovery, creator_id, at_least=token)).standing == 0


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("followers", {"profiles": [PERSON] * 99}, "authenticity.sample_too_small"),
        ("posts", {"posts": [{"likes": 3, "comments": 1}] * 19}, "authenticity.sample_too_small"),
        (
            "comments",
            {"comments": [{"post": "1", "author": "a", "text": "so nice"}] * 49},
            "authenticity.sample_too_small",
        ),
        ("account", {"profile": {}}, "profiles.no_known_column"),
        ("assess", {}, "authenticity.nothing_known"),
    ],
)
async def test_too_little_is_refused(discovery: Discovery, path: str, body: dict[str, Any], code: str) -> None:
    creator_id = await known(discovery, f"little.{path}")
    answer = await discovery.send("POST", f"/authenticity/{creator_id}/{path}", body, OPERATOR)
    assert answer.json()["code"] == code


async def test_strangers_bring_no_evidence_and_appeal_nothing(discovery: Discovery) -> None:
    creator_id, sample = await known(discovery, "left.alone"), {"profiles": [PERSON] * 100}
    for who in (BRAND, itself(creator_id), ANNA):
        answer = await discovery.send("POST", f"/authenticity/{creator_id}/followers", sample, who)
        assert answer.json()["code"] == "actor.role_missing"
    stranger = itself(new_id())
    answer = await discovery.send("POST", f"/authenticity/{creator_id}/appeal", {"statement": "x"}, stranger)
    assert answer.json()["code"] == "authenticity.not_yours"
    answer = await discovery.send("POST", f"/authenticity/{new_id()}/followers", sample, OPERATOR)
    assert answer.json()["code"] == "creator.not_found"
