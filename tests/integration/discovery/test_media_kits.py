"""A media kit from its publication to its readers: over gRPC and HTTP, at an address without signing in, as PDF; and its end."""

from typing import Any

import grpc
import httpx
import pytest
from dandelion.discovery.v1 import media_kit_pb2 as pb

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.discovery.projections import MEDIA_KITS_PROJECTION
from services.discovery.rest import media_kits
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery
from tests.integration.discovery.test_commands import itself, now, registered
from tests.kit.quiet import until_quiet
from tests.kit.until import until

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SECTIONS = ["about", "accounts", "record"]


async def shown(discovery: Discovery, creator_id: str, *who: str) -> pb.MediaKit:
    async with discovery.queries(*who) as queries:
        request = pb.GetMediaKitRequest(creator_id=creator_id, at_least=await now(discovery))
        answer: pb.GetMediaKitResponse = await queries.GetMediaKit(request)
        return answer.kit


async def links(discovery: Discovery, creator_id: str, *who: str) -> list[pb.MediaKitLink]:
    async with discovery.queries(*who) as queries:
        request = pb.GetMediaKitLinksRequest(creator_id=creator_id, at_least=await now(discovery))
        answer: pb.GetMediaKitLinksResponse = await queries.GetMediaKitLinks(request)
        return list(answer.links)


async def published(discovery: Discovery, handle: str, **more: Any) -> str:
    """A creator with followers and a kit."""
    creator_id = await registered(discovery, handle)
    body = {"platform": "xiaohongshu", "count": 48_000, "provenance": "manual", "observed_at": "2026-03-01T00:00:00Z"}
    await discovery.done("POST", f"/creators/{creator_id}/followers", body, itself(creator_id))
    await discovery.get(creator_id, at_least=await now(discovery))
    kit = {"sections": SECTIONS} | more
    await discovery.done("PUT", f"/creators/{creator_id}/media-kit", kit, itself(creator_id))
    return creator_id


async def shared(discovery: Discovery, creator_id: str, **more: Any) -> tuple[str, str]:
    """The id and the token of an address."""
    link_id = new_id()
    path = f"/creators/{creator_id}/media-kit/links/{link_id}"
    await discovery.done("PUT", path, {"label": "春季品牌"} | more, itself(creator_id))
    (link,) = [one for one in await links(discovery, creator_id, *itself(creator_id)) if one.link_id == link_id]
    return link_id, link.token


async def opened(discovery: Discovery, token: str, path: str = "", agent: str = CHROME) -> httpx.Response:
    async with discovery.http() as anybody:
        return await anybody.get(f"/kits/{token}{path}", headers={"User-Agent": agent})


async def test_a_kit_shows_what_was_chosen_with_provenance_and_date(discovery: Discovery) -> None:
    creator_id = await published(discovery, "kit.shown")
    kit = await shown(discovery, creator_id, *BRAND)
    assert (kit.version, list(kit.sections)) == (1, SECTIONS)
    (figure,) = kit.figures
    assert (figure.name, figure.value, figure.observed_at.seconds) == ("followers.xiaohongshu", 48_000, 1_772_323_200)
    over_http = (await discovery.send("GET", f"/creators/{creator_id}/media-kit", None, BRAND)).json()
    assert over_http["kit"]["figures"][0]["name"] == figure.name


async def test_numbers_stand_as_they_were_until_the_next_version(discovery: Discovery) -> None:
    creator_id = await published(discovery, "kit.frozen")
    body = {"platform": "xiaohongshu", "count": 60_000, "provenance": "manual", "observed_at": "2026-04-01T00:00:00Z"}
    await discovery.done("POST", f"/creators/{creator_id}/followers", body, itself(creator_id))
    await discovery.get(creator_id, at_least=await now(discovery))
    assert (await shown(discovery, creator_id)).figures[0].value == 48_000
    again = {"sections": SECTIONS}
    await discovery.done("PUT", f"/creators/{creator_id}/media-kit", again, itself(creator_id))
    kit = await shown(discovery, creator_id)
    assert (kit.version, kit.figures[0].value) == (2, 60_000)


async def test_anybody_who_has_the_address_reads_it_and_is_counted_once(discovery: Discovery) -> None:
    creator_id = await published(discovery, "kit.opened")
    link_id, token = await shared(discovery, creator_id)
    answer = await opened(discovery, token)
    assert answer.status_code == 200
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert (answer.json()["accounts"], answer.json()["version"]) == (["xiaohongshu kit.opened"], 1)
    await opened(discovery, token, agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    await opened(discovery, token, agent="")
    (link,) = await links(discovery, creator_id, *itself(creator_id))
    assert (link.link_id, link.openings, [day.openings for day in link.days]) == (link_id, 1, [1])


async def test_the_kit_as_pdf(discovery: Discovery) -> None:
    creator_id = await published(discovery, "kit.pdf")
    _, token = await shared(discovery, creator_id)
    for lang in ("zh-CN", "en"):
        answer = await opened(discovery, token, f"/pdf?lang={lang}")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert b"NotoSansSC" in answer.content


@pytest.mark.parametrize("end", ["revoked", "withdrawn", "guessed", "suspended", "expired"])
async def test_an_address_that_ended_leads_nowhere(discovery: Discovery, end: str) -> None:
    creator_id = await published(discovery, f"kit.{end}")
    link_id, token = await shared(discovery, creator_id)
    match end:
        case "revoked":
            path = f"/creators/{creator_id}/media-kit/links/{link_id}/revoke"
            await discovery.done("POST", path, None, itself(creator_id))
        case "withdrawn":
            await discovery.done("POST", f"/creators/{creator_id}/media-kit/withdraw", None, itself(creator_id))
        case "suspended":
            await discovery.done("POST", f"/creators/{creator_id}/suspend", {"reason": "sanction.label"}, OPERATOR)
        case "guessed":
            token = token[:-1] + ("A" if token[-1] != "A" else "E")
        case "expired":
            late = system_clock().replace(year=2099)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(media_kits, "system_clock", lambda: late)
                _, token = await shared(discovery, creator_id, expires_at="2027-01-01T00:00:00Z")
                assert (await opened(discovery, token)).status_code == 404
            return

    async def gone() -> bool:
        return (await opened(discovery, token)).status_code == 404

    await until(gone)
    assert (await opened(discovery, token)).json()["code"] == "media_kit.not_there"


async def test_addresses_are_the_creators_and_nobody_elses(discovery: Discovery) -> None:
    creator_id = await published(discovery, "kit.mine")
    await shared(discovery, creator_id)
    assert [one.token for one in await links(discovery, creator_id, *OPERATOR)] == [""]
    assert await links(discovery, creator_id, *BRAND) == []
    body = {"sections": SECTIONS}
    refused = await discovery.send("PUT", f"/creators/{creator_id}/media-kit", body, OPERATOR)
    assert refused.json()["code"] == "media_kit.not_yours"


async def test_a_link_that_the_profile_does_not_have_is_refused(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "kit.example")
    await discovery.get(creator_id, at_least=await now(discovery))
    body = {"sections": ["examples"], "examples": ["https://evil.example/x"]}
    refused = await discovery.send("PUT", f"/creators/{creator_id}/media-kit", body, itself(creator_id))
    assert (refused.status_code, refused.json()["code"]) == (409, "media_kit.example_unknown")
    with pytest.raises(grpc.RpcError):
        await shown(discovery, creator_id)


async def test_a_rebuild_equals_live(discovery: Discovery) -> None:
    """With a kit of two versions, addresses that live and that ended, and openings."""
    creator_id = await published(discovery, f"kit.{new_id()[-6:]}")
    link_id, token = await shared(discovery, creator_id)
    await opened(discovery, token)
    await discovery.done("POST", f"/creators/{creator_id}/media-kit/links/{link_id}/revoke", None, itself(creator_id))
    await discovery.done("PUT", f"/creators/{creator_id}/media-kit", {"sections": ["about"]}, itself(creator_id))
    await until_quiet(discovery.app)
    found = await compare_rebuild(discovery.app, MEDIA_KITS_PROJECTION)
    assert broken([found]) == []
    assert found.checked
