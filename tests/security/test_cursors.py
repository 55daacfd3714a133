"""A list tells nobody what its rows do not: not by its order, not by its page token, not by a hash that can be tried."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub

from kernel.core.canonical import Hashed, sha256_of
from kernel.core.ids import new_id
from services.campaigns.codec import CODEC
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import Story
from tests.kit.running import Running, running
from tests.kit.until import until

BUDGETS = (700_001, 30, 5_000_003, 42_000)
BRAND = ("bella", new_id(), "brand")
CREATOR = ("clara", new_id(), "creator")
BOTH = ("bo", new_id(), "brand", "creator")
AUDITOR = ("anna", "platform", "auditor")


@pytest.fixture(scope="module")
async def campaigns(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Four open campaigns of one brand; the second is the one with the smallest budget."""
    async with running(SERVICE, CampaignsSettings, tmp_path_factory.mktemp("campaigns"), topics=OTHERS) as made:
        for budget_minor in BUDGETS:
            await Story(made, brand=BRAND).publish(budget_minor=budget_minor)
        await until(lambda: _all_are_shown(made))
        yield made


async def _all_are_shown(campaigns: Running) -> bool:
    return len((await ask(campaigns, CREATOR, pb.ListCampaignsRequest())).campaigns) == len(BUDGETS)


async def ask(campaigns: Running, who: tuple[str, ...], request: pb.ListCampaignsRequest) -> Any:
    async with campaigns.channel(who) as channel:
        return await CampaignQueryServiceStub(channel).ListCampaigns(request)


async def paged(campaigns: Running, who: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Ids in the order asked, page by page, and the tokens between."""
    ids: list[str] = []
    tokens: list[str] = []
    while not tokens or tokens[-1]:
        asked = pb.ListCampaignsRequest(
            order_by="budget_minor desc", page_size=1, page_token=tokens[-1] if tokens else ""
        )
        answer = await ask(campaigns, who, asked)
        ids += [one.campaign_id for one in answer.campaigns]
        tokens.append(answer.page.next_page_token)
    return ids, tokens[:-1]


async def test_the_brand_and_the_staff_order_by_budget(campaigns: Running) -> None:
    for who in (BRAND, AUDITOR):
        answer = await ask(campaigns, who, pb.ListCampaignsRequest(order_by="budget_minor desc"))
        assert [one.brief.budget_minor for one in answer.campaigns] == sorted(BUDGETS, reverse=True), who


@pytest.mark.parametrize("who", [CREATOR, BOTH], ids=["creator", "brand that is also a creator"])
async def test_the_order_is_that_of_what_is_shown(campaigns: Running, who: tuple[str, ...]) -> None:
    """Of other brands' budgets 0 is shown, so the ids alone decide, and all pages are there."""
    ids, tokens = await paged(campaigns, who)
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == len(BUDGETS)
    assert len(tokens) == len(BUDGETS) - 1


async def test_a_page_token_shows_no_number(campaigns: Running) -> None:
    for who in (CREATOR, BRAND):
        _, tokens = await paged(campaigns, who)
        for token in tokens:
            raw = b"".join(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")[1:])
            assert not any(str(budget).encode() in raw for budget in BUDGETS if budget > 100_000)
        assert len({len(token) for token in tokens}) == 1, "its length would tell the number's"


async def test_a_page_token_is_its_tenants(campaigns: Running) -> None:
    _, (token, *_) = await paged(campaigns, BRAND)
    asked = pb.ListCampaignsRequest(order_by="budget_minor desc", page_size=1, page_token=token)
    assert (await ask(campaigns, BRAND, asked)).campaigns
    for who in (CREATOR, AUDITOR, ("bella", new_id(), "brand")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(campaigns, who, asked)
        assert "page_token.mismatch" in (refused.value.details() or "")


async def test_no_public_hash_of_a_campaign_covers_its_budget(campaigns: Running) -> None:
    """Whoever sees all but the budget would try one budget after another until the hash comes out."""
    answer = await ask(campaigns, CREATOR, pb.ListCampaignsRequest())
    shown = {one.campaign_id: one.brief.terms_hash for one in answer.campaigns}
    assert len(shown) == len(BUDGETS)
    all_published = await _published(campaigns)
    assert {published.stream for published in all_published} == {f"campaign-{campaign_id}" for campaign_id in shown}
    for published in all_published:
        campaign_id = published.stream.partition("-")[2]
        event = CODEC.decode(published.name, published.data)
        brief: Hashed[Any] = event.brief
        for guess in BUDGETS:
            guessed = Hashed.of(replace(brief.value, budget_minor=guess))
            assert sha256_of(guessed, event.terms) != shown[campaign_id]
        blind = Hashed.of(replace(brief.value, budget_minor=0))
        assert shown[campaign_id] == sha256_of(blind, event.terms), "all that it covers is what is shown"


async def _published(campaigns: Running) -> list[Any]:
    return [one for one in await campaigns.app.log.read(0, 10_000) if one.name.startswith("campaign.published")]


async def test_an_offers_hash_covers_no_budget(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish(budget_minor=900_009)
    await story.agree(100_000)
    (accepted,) = [
        CODEC.decode(one.name, one.data)
        for one in await campaigns.app.log.read(0, 10_000)
        if one.stream == f"application-{story.collaboration_id}" and one.name.startswith("application.accepted")
    ]
    assert json.loads(accepted.contract.text)["brief"]["budget_minor"] == 0
    assert accepted.contract_sha256 == hashlib.sha256(accepted.contract.text.encode()).hexdigest()
    brief = accepted.contract.value.brief.value
    for guess in (900_009, 1_000_000):
        guessed = replace(accepted.contract.value, brief=Hashed.of(replace(brief, budget_minor=guess)))
        assert Hashed.of(guessed).sha256 != accepted.contract_sha256


async def test_a_public_event_has_the_same_hash_as_the_query(campaigns: Running) -> None:
    answer = await ask(campaigns, CREATOR, pb.ListCampaignsRequest(brand_id=BRAND[1]))
    shown = {one.campaign_id: one.brief.terms_hash for one in answer.campaigns}
    assert len(shown) == len(BUDGETS)

    async def is_told() -> bool:
        return shown.keys() <= (await _told(campaigns)).keys()

    await until(is_told)
    assert shown.items() <= (await _told(campaigns)).items()


async def _told(campaigns: Running) -> dict[str, str]:
    found = await campaigns.messages("campaigns.events.v1", events_pb2.BriefPublished)
    return {one.campaign_id: one.brief.terms_hash for one in found}
