"""Handles: whoever claims one first locks nobody out, verification decides, and a look-alike is seen as what it is."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import grpc
import pytest
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion_posts.authors import handle_key

from kernel.core.ids import new_id
from kernel.verify.invariants import broken, check_service
from services.discovery.domain.profile import Account, Platform, is_handle
from services.discovery.search.lookalikes import looks_of, mixes_scripts, skeleton
from tests.integration.discovery.client import OPERATOR, Discovery, running

HEADER = "platform,handle,display_name,categories,observed_on,followers,account_id"


@pytest.fixture(scope="module")
async def discovery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discovery]:
    async with running(tmp_path_factory.mktemp("discovery")) as made:
        yield made


def itself(creator_id: str) -> tuple[str, ...]:
    return ("clara", creator_id, "creator")


async def claimed(discovery: Discovery, handle: str) -> tuple[str, str]:
    """A creator that says of itself that it has the account; its id, and the token of its registration."""
    creator_id = new_id()
    accounts = [{"platform": "tiktok", "handle": handle}]
    body = {"profile": {"display_name": "C"}, "accounts": accounts}
    return creator_id, await discovery.done("PUT", f"/creators/{creator_id}", body, itself(creator_id))


async def verified(discovery: Discovery, creator_id: str, handle: str) -> str:
    body = {"platform": "tiktok", "handle": handle, "method": "code_in_bio"}
    return await discovery.done("POST", f"/creators/{creator_id}/accounts/verify", body)


async def account_of(discovery: Discovery, creator_id: str, token: str, *who: str) -> Any:
    (account,) = (await discovery.get(creator_id, *who, at_least=token)).accounts
    return account


async def test_the_first_to_claim_a_handle_locks_nobody_out(discovery: Discovery) -> None:
    """The owner comes later, registers, is verified, and has it; who claimed it first is told, and is verified for nothing."""
    mallory, _ = await claimed(discovery, "star.shop")
    owner, token = await claimed(discovery, "Star.Shop")
    before = await account_of(discovery, mallory, token, *itself(mallory))
    assert (before.verified, before.lost) == (False, False)
    token = await verified(discovery, owner, "star.shop")
    mine, told = [await account_of(discovery, one, token, *itself(one)) for one in (owner, mallory)]
    assert (mine.verified, mine.lost) == (True, False)
    assert (told.verified, told.lost) == (False, True)
    late = await discovery.send("POST", f"/creators/{mallory}/accounts/verify", {
        "platform": "tiktok", "handle": "star.shop", "method": "code_in_bio",
    })  # fmt: skip
    assert (late.status_code, late.json()["code"]) == (409, "creator.handle_taken")
    third = await discovery.send("PUT", f"/creators/{new_id()}", {
        "profile": {"display_name": "C"}, "accounts": [{"platform": "tiktok", "handle": "star.shop"}],
    })  # fmt: skip
    assert third.json()["code"] == "creator.handle_taken"


async def test_a_thousand_claims_cost_the_owner_nothing(discovery: Discovery) -> None:
    for _ in range(5):
        await claimed(discovery, "wanted")
    owner, _ = await claimed(discovery, "wanted")
    assert (await account_of(discovery, owner, await verified(discovery, owner, "wanted"))).verified


async def test_a_file_takes_up_whom_a_stranger_claims_to_be(discovery: Discovery) -> None:
    mallory, _ = await claimed(discovery, "in.the.file")
    row = "tiktok,in.the.file,Mei,美妆,2025-06-30,12000,t-1"
    answer = (await discovery.send("POST", "/imports", f"{HEADER}\n{row}")).json()
    assert (answer["registered"], answer["problems"]) == (1, [])
    assert answer["rows"][0]["creator_id"] != mallory


async def test_a_look_alike_is_marked_for_whoever_looks(discovery: Discovery) -> None:
    owner, _ = await claimed(discovery, "paypal")
    await verified(discovery, owner, "paypal")
    copy, token = await claimed(discovery, "раураl")
    brand = ("bella", new_id(), "brand")
    for who in (brand, ("olga", "platform", "operator"), itself(copy)):
        seen = await account_of(discovery, copy, token, *who)
        assert (list(seen.looks_like), seen.mixes_scripts, seen.lost) == (["paypal"], True, False), who
    original = await account_of(discovery, owner, token, *brand)
    assert (list(original.looks_like), original.verified, original.mixes_scripts) == (
        [seen.account.handle],
        True,
        False,
    )
    plain, token = await claimed(discovery, "nobody.like.it")
    assert not (await account_of(discovery, plain, token)).looks_like


async def test_many_look_alikes_hide_none_that_is_verified(discovery: Discovery) -> None:
    """The verified one is shown, and first, however many others look like it."""
    crowd = ["".join(letters) for letters in product("oо", "oо", "oо", "oо", "o")]
    for number, handle in enumerate(crowd):
        creator_id = f"00000000-0000-7000-8000-{number:012x}"
        body = {"profile": {"display_name": "C"}, "accounts": [{"platform": "tiktok", "handle": handle}]}
        await discovery.done("PUT", f"/creators/{creator_id}", body, itself(creator_id))
    more = [f"{handle[:-1]}0" for handle in crowd]
    for handle in more[1:]:
        await claimed(discovery, handle)
    creator_id = f"ffffffff-ffff-7fff-bfff-{1:012x}"
    body = {"profile": {"display_name": "C"}, "accounts": [{"platform": "tiktok", "handle": more[0]}]}
    await discovery.done("PUT", f"/creators/{creator_id}", body, itself(creator_id))
    token = await verified(discovery, creator_id, more[0])
    seen = await account_of(discovery, f"00000000-0000-7000-8000-{0:012x}", token)
    assert seen.looks_like[0] == more[0]


async def test_who_lost_a_handle_to_a_rename_is_shown_so_and_can_be_verified_anew(discovery: Discovery) -> None:
    """The platform's own id says that the handle is another's now: nobody is verified for it before staff say so again."""

    def file(handle: str, day: str) -> str:
        return f"{HEADER}\ntiktok,{handle},N,美妆,{day},12000,r1"

    first, _ = await claimed(discovery, "renamed.to")
    await verified(discovery, first, "renamed.to")
    await discovery.send("POST", "/imports", file("renamed.from", "2025-06-01"))
    answer = (await discovery.send("POST", "/imports", file("renamed.to", "2025-06-02"))).json()
    assert (answer["changed"], answer["problems"]) == (1, [])
    other = answer["rows"][0]["creator_id"]
    for creator_id, lost in ((first, True), (other, False)):
        seen = await account_of(discovery, creator_id, answer["token"])
        assert (seen.account.handle, seen.verified, seen.lost) == ("renamed.to", False, lost)
    hits = (await discovery.search("olga", "platform", "operator", text="renamed.to", at_least=answer["token"])).hits
    assert {hit.creator.creator_id: hit.creator.accounts[0].verified for hit in hits} == {first: False, other: False}
    seen = await account_of(discovery, first, await verified(discovery, first, "renamed.to"))
    assert (seen.verified, seen.lost) == (True, False)
    hits = (await discovery.search(text="renamed.to")).hits
    assert {hit.creator.creator_id: hit.creator.accounts[0].verified for hit in hits} == {first: True, other: False}
    seen = await account_of(discovery, other, answer["token"])
    assert (seen.verified, seen.lost) == (False, True)


async def test_swapped_handles_of_verified_accounts_are_carried_through(discovery: Discovery) -> None:
    def file(day: str, *rows: tuple[str, str]) -> str:
        return "\n".join([HEADER, *(f"tiktok,{handle},N,美妆,{day},12000,{id_}" for handle, id_ in rows)])

    first = (await discovery.send("POST", "/imports", file("2025-06-01", ("left", "s1"), ("right", "s2")))).json()
    left, right = (one["creator_id"] for one in first["rows"])
    for creator_id, handle in ((left, "left"), (right, "right")):
        await verified(discovery, creator_id, handle)
    answer = (await discovery.send("POST", "/imports", file("2025-06-02", ("right", "s1"), ("left", "s2")))).json()
    assert (answer["changed"], answer["problems"]) == (2, [])
    for creator_id, handle in ((left, "right"), (right, "left")):
        seen = await account_of(discovery, creator_id, answer["token"])
        assert (seen.account.handle, seen.verified, seen.lost) == (handle, True, False)
        third = {"profile": {"display_name": "C"}, "accounts": [{"platform": "tiktok", "handle": handle}]}
        assert await discovery.refused("PUT", f"/creators/{new_id()}", third, OPERATOR) == "creator.handle_taken"


async def test_what_several_claim_is_on_the_operators_list_until_one_is_verified(discovery: Discovery) -> None:
    """Over HTTP and gRPC, page by page, for staff alone."""
    contested = {
        handle: sorted([(await claimed(discovery, handle))[0] for _ in range(2)]) for handle in ("one.of", "two.of")
    }
    operator = ("olga", "platform", "operator")

    async def listed() -> dict[str, list[str]]:
        async with discovery.http(*operator) as client:
            answer = (await client.get("/contested-handles")).json()
        return {one["account"]["handle"]: [claim["creator_id"] for claim in one["claims"]] for one in answer["handles"]}

    before = await listed()
    assert {handle: before[handle] for handle in contested} == contested
    found: list[str] = []
    token = ""
    async with discovery.queries(*operator) as queries:
        while not found or token:
            page = await queries.ListContestedHandles(pb.ListContestedHandlesRequest(page_size=1, page_token=token))
            found += [one.account.handle for one in page.handles]
            token = page.page.next_page_token
    assert found == list(before), "both ways show the same, in one order, and no page repeats or skips"
    await verified(discovery, contested["one.of"][1], "one.of")
    assert before.keys() - (await listed()).keys() == {"one.of"}
    for who in (("bella", new_id(), "brand"), itself(contested["two.of"][0])):
        async with discovery.http(*who) as client:
            assert (await client.get("/contested-handles")).status_code == 403
        async with discovery.queries(*who) as queries:
            with pytest.raises(grpc.aio.AioRpcError, match=r"actor\.role_missing"):
                await queries.ListContestedHandles(pb.ListContestedHandlesRequest())


async def test_what_is_kept_agrees(discovery: Discovery) -> None:
    """The last one: after all of the above."""
    assert not broken(await check_service(discovery.app))


@pytest.mark.parametrize(
    ("handle", "other"),
    [
        ("anna", "аnna"), ("mei", "rnei"), ("l1n", "lln"), ("0x", "ox"), ("paypal", "раураl"), ("ace", "асе"),
        ("sophia", "ѕорhіа"),
    ],
)  # fmt: skip
def test_what_looks_alike_has_one_skeleton_and_is_not_equal(handle: str, other: str) -> None:
    assert skeleton(handle) == skeleton(other)
    assert handle_key(handle) != handle_key(other), "a look-alike is never silently equal"
    assert is_handle(other)


@pytest.mark.parametrize(("handle", "other"), [("anna", "anne"), ("小红", "小紅"), ("mei", "me1"), ("lin", "lin2")])
def test_what_looks_different_has_another(handle: str, other: str) -> None:
    assert skeleton(handle) != skeleton(other)


def test_looks_are_of_one_platform() -> None:
    assert looks_of(Account(Platform.TIKTOK, "anna")) != looks_of(Account(Platform.WEIBO, "anna"))


@pytest.mark.parametrize("handle", ["аnna", "αlpha", "раураl", "ไทยabc"])
def test_scripts_that_nobody_writes_together_are_seen(handle: str) -> None:
    assert mixes_scripts(handle)


@pytest.mark.parametrize("handle", ["anna", "анна", "小红lin", "カナひら漢字abc", "한글abc", "anna·maria", "林梅_01"])
def test_scripts_that_are_written_together_are_not_marked(handle: str) -> None:
    assert not mixes_scripts(handle)
