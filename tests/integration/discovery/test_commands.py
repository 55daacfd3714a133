"""A creator from HTTP command to gRPC answer, over SQLite and the embedded bus."""

from typing import Any

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import commands_pb2 as commands
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery
from tests.kit.until import until

PROFILE: dict[str, Any] = {
    "display_name": "林小满", "bio": "上海｜口红测评", "contact": "mei@example.com", "categories": ["美妆/口红"],
    "tags": ["平价"], "languages": ["zh"], "country": "CN", "province": "上海", "city": "上海", "gender": "female",
}  # fmt: skip
CARD = {"currency": "CNY", "prices": [{"format": "video", "price_minor": 300_000}], "commission_bps": 1_500}
OBSERVED = "2025-06-30T00:00:00Z"


def itself(creator_id: str) -> tuple[str, str, str]:
    return ("mei", creator_id, "creator")


async def registered(discovery: Discovery, handle: str, **profile: Any) -> str:
    creator_id = new_id()
    body = {"profile": PROFILE | profile, "accounts": [{"platform": "xiaohongshu", "handle": handle}]}
    await discovery.done("PUT", f"/creators/{creator_id}", body, itself(creator_id))
    return creator_id


async def test_a_creator_registers_and_is_read_at_once(discovery: Discovery) -> None:
    creator_id, who = new_id(), None
    body = {"profile": PROFILE, "accounts": [{"platform": "xiaohongshu", "handle": "@Xiao.Man"}]}
    who = itself(creator_id)
    await discovery.done("PUT", f"/creators/{creator_id}", body, who)
    await discovery.done("POST", f"/creators/{creator_id}/rate-card", CARD, who)
    await discovery.done(
        "POST", f"/creators/{creator_id}/availability", {"availability": "open", "max_parallel_jobs": 2}, who
    )
    audience = {
        "kind": "followers", "provenance": "manual", "sample_size": 900, "observed_at": OBSERVED,
        "gender": [{"name": "female", "bps": 7200}], "active_bps": 4000,
    }  # fmt: skip
    await discovery.done("POST", f"/creators/{creator_id}/audience", audience, who)
    performance = {
        "format": "video", "window_days": 30, "exposures": 20_000, "reads": 10_000, "engagements": 650,
        "provenance": "manual", "observed_at": OBSERVED,
    }  # fmt: skip
    await discovery.done("POST", f"/creators/{creator_id}/performance", performance, who)
    followers = {"platform": "xiaohongshu", "count": 48_000, "provenance": "manual", "observed_at": OBSERVED}
    token = await discovery.done("POST", f"/creators/{creator_id}/followers", followers, who)
    creator = await discovery.get(creator_id, at_least=token)
    assert (creator.display_name, creator.bio, creator.contact) == ("林小满", "上海｜口红测评", "")
    assert (creator.followers, creator.tier) == (48_000, common.TIER_KOC)
    assert [account.account.handle for account in creator.accounts] == ["xiao.man"]
    assert (creator.currency, creator.rates[0].price_minor, creator.commission_bps) == ("CNY", 300_000, 1_500)
    assert (creator.engagement_rate_bps, creator.audience[0].sample_size) == (650, 900)
    assert (creator.availability, creator.max_parallel_jobs) == (events.AVAILABILITY_OPEN, 2)
    assert creator.version == 6


async def test_the_contact_is_for_the_creator_and_operators(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "contacted")
    assert (
        await discovery.get(creator_id, *itself(creator_id), at_least=await now(discovery))
    ).contact == "mei@example.com"
    assert (await discovery.get(creator_id, *OPERATOR)).contact == "mei@example.com"
    assert (await discovery.get(creator_id)).contact == ""


async def now(discovery: Discovery) -> str:
    return f"discovery:{(await discovery.app.log.head()).position}:"


async def test_personal_texts_are_in_no_event(discovery: Discovery) -> None:
    await registered(discovery, "hidden")
    for recorded in await discovery.app.log.read(0):
        assert "林小满".encode() not in recorded.data + recorded.meta
        assert b"mei@example.com" not in recorded.data + recorded.meta


async def test_the_same_request_again_is_the_same_receipt_and_another_body_is_refused(discovery: Discovery) -> None:
    creator_id = new_id()
    body = {"profile": PROFILE}
    first = await discovery.send("PUT", f"/creators/{creator_id}", body, key="same-key-1")
    again = await discovery.send("PUT", f"/creators/{creator_id}", body, key="same-key-1")
    other = await discovery.send(
        "PUT", f"/creators/{creator_id}", {"profile": PROFILE | {"city": "北京"}}, key="same-key-1"
    )
    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "command.id_reused")


async def test_the_same_profile_again_changes_nothing(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "unchanged")
    before = (await discovery.app.log.head()).position
    await discovery.done("POST", f"/creators/{creator_id}/profile", PROFILE, itself(creator_id))
    assert (await discovery.app.log.head()).position == before
    await discovery.done("POST", f"/creators/{creator_id}/profile", PROFILE | {"bio": "neu"}, itself(creator_id))
    assert (await discovery.app.log.head()).position == before + 1


async def test_a_new_stream_belongs_to_the_creator_also_when_staff_registers_it(discovery: Discovery) -> None:
    creator_id = new_id()
    await discovery.done("PUT", f"/creators/{creator_id}", {"profile": PROFILE})
    recorded = [one for one in await discovery.app.log.read(0) if one.stream == f"creator-{creator_id}"]
    assert {one.tenant for one in recorded} == {creator_id}


async def test_no_two_creators_are_verified_for_one_handle(discovery: Discovery) -> None:
    first, second = await registered(discovery, "only.one"), new_id()
    account = {"platform": "xiaohongshu", "handle": "@ONLY.one"}
    await discovery.done("POST", f"/creators/{first}/accounts/verify", account | {"method": "oauth"})
    body = {"profile": PROFILE, "accounts": [account]}
    answer = await discovery.send("PUT", f"/creators/{second}", body, itself(second))
    assert (answer.status_code, answer.json()["code"]) == (409, "creator.handle_taken")


@pytest.mark.parametrize("path", ["profile", "rate-card", "availability"])
async def test_strangers_change_nothing(discovery: Discovery, path: str) -> None:
    creator_id = await registered(discovery, f"strange.{path}")
    body = {"profile": PROFILE, "rate-card": CARD, "availability": {"availability": "closed", "max_parallel_jobs": 1}}[
        path
    ]
    before = (await discovery.app.log.head()).position
    for who in [BRAND, itself(new_id())]:
        answer = await discovery.send("POST", f"/creators/{creator_id}/{path}", body, who)
        assert (answer.status_code, answer.json()["code"]) == (403, "creator.not_a_party")
    assert (await discovery.app.log.head()).position == before


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("rate-card", CARD | {"currency": "RMB"}, "currency"),
        ("rate-card", CARD | {"prices": [{"format": "video", "price_minor": -1}]}, "prices.0.price_minor"),
        ("rate-card", CARD | {"fee_bps": 1}, "fee_bps"),
        ("availability", {"availability": "open", "max_parallel_jobs": "2"}, "max_parallel_jobs"),
        ("profile", PROFILE | {"gender": "f"}, "gender"),
        ("profile", PROFILE | {"display_name": ""}, "display_name"),
    ],
)
async def test_bad_bodies_name_the_field(discovery: Discovery, path: str, body: Any, field: str) -> None:
    creator_id = new_id()
    answer = await discovery.send("POST", f"/creators/{creator_id}/{path}", body, itself(creator_id))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_suspended_creator_is_not_found_by_searches_until_reinstated(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "suspended")
    mine = f"suspended{creator_id[-6:]}"
    token = await discovery.done("POST", f"/creators/{creator_id}/profile", PROFILE | {"bio": mine}, itself(creator_id))
    assert [hit.creator.creator_id for hit in (await discovery.search(text=mine, at_least=token)).hits] == [creator_id]
    token = await discovery.done("POST", f"/creators/{creator_id}/suspend", {"reason": "sanction.test"})
    assert not (await discovery.search(text=mine, at_least=token)).hits
    assert (await discovery.get(creator_id)).suspended
    token = await discovery.done("POST", f"/creators/{creator_id}/reinstate", {"reason": "appeal"})
    assert len((await discovery.search(text=mine, at_least=token)).hits) == 1


async def test_a_suspension_asked_for_over_the_topic_is_done_once_or_refused_aloud(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "asked.for")
    await discovery.ask(
        f"creator-{creator_id}", commands.SuspendCreator(creator_id=creator_id, reason="sanction.label"), "process-1"
    )
    nobody = new_id()
    refused = await discovery.ask(
        f"creator-{nobody}", commands.SuspendCreator(creator_id=nobody, reason="sanction.label"), "process-2"
    )

    async def answered() -> bool:
        names = [(one.stream, one.name) for one in await discovery.app.log.read(0)]
        return (f"creator-{creator_id}", "creator.suspended@1") in names and (
            f"refusal-{refused}", "command.refused@1") in names  # fmt: skip

    await until(answered)


async def test_a_watch_sends_the_creator_now_and_after_each_change(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "watched")
    async with discovery.queries() as queries:
        watch = queries.WatchCreator(pb.WatchCreatorRequest(creator_id=creator_id, at_least=await now(discovery)))
        answers = aiter(watch)
        first = await anext(answers)
        await discovery.done("POST", f"/creators/{creator_id}/rate-card", CARD, itself(creator_id))
        second = await anext(answers)
        watch.cancel()
    assert (first.creator.currency, second.creator.currency) == ("", "CNY")
    assert second.creator.version == first.creator.version + 1


async def test_several_are_watched_and_each_change_tells_of_whom_it_is(discovery: Discovery) -> None:
    ids = [await registered(discovery, f"watched.{at}") for at in range(3)]
    nobody, later = new_id(), new_id()
    async with discovery.queries() as queries:
        request = pb.WatchCreatorsRequest(creator_ids=[*ids, nobody, later], at_least=await now(discovery))
        watch = queries.WatchCreators(request)
        answers = aiter(watch)
        first = await anext(answers)
        await discovery.done("POST", f"/creators/{ids[1]}/rate-card", CARD, itself(ids[1]))
        second = await anext(answers)
        body = {"profile": PROFILE, "accounts": [{"platform": "xiaohongshu", "handle": "watched.later"}]}
        await discovery.done("PUT", f"/creators/{later}", body, itself(later))
        third = await anext(answers)
        watch.cancel()
    assert ([one.creator_id for one in first.creators], list(first.gone_ids)) == (ids, [nobody, later])
    assert ([(one.creator_id, one.currency) for one in second.creators], list(second.gone_ids)) == (
        [(ids[1], "CNY")],
        [],
    )
    assert ([one.creator_id for one in third.creators], list(third.gone_ids)) == ([later], [])


@pytest.mark.parametrize("count", [0, 51])
async def test_nobody_and_too_many_are_not_watched(discovery: Discovery, count: int) -> None:
    request = pb.WatchCreatorsRequest(creator_ids=[new_id() for _ in range(count)])
    async with discovery.queries() as queries:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(aiter(queries.WatchCreators(request)))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unknown_creator_is_not_found(discovery: Discovery) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await discovery.get(new_id())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await discovery.get("nobody")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_text_is_found_in_traditional_and_accented_writing_too(discovery: Discovery) -> None:
    """Folded alike when it is indexed and when it is asked for; a long name and a long handle find themselves."""
    creator, name, handle = new_id(), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv", "q" * 64
    profile = {"display_name": f"Beyoncé {name}", "bio": "只做护肤測評"}
    body = {"profile": profile, "accounts": [{"platform": "weibo", "handle": handle}]}
    token = await discovery.done("PUT", f"/creators/{creator}", body)
    for text in ("護膚", "护肤", "beyonce", "BEYONCÉ", "护肤测评", name, handle):
        found = await discovery.search(text=text, at_least=token)
        assert [hit.creator.creator_id for hit in found.hits] == [creator], text
        assert found.hits[0].reasons, text
