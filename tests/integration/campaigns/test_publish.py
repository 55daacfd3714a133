"""A campaign from PUT to read model, and what is refused on the way."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2 as events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.integration.campaigns.story import Story, brief_body
from tests.kit.running import Running
from tests.kit.until import until

BRAND = new_id()
BELLA = ("bella", BRAND, "brand")
STRANGER = ("sam", new_id(), "brand")
CLARA = ("clara", new_id(), "creator")


def body(**changes: Any) -> dict[str, Any]:
    now = system_clock()
    brief = {
        "title": "Spring serum", "campaign_type": "branded_content", "mode": "open", "objective": "engagement",
        "product_category": "cosmetics", "jurisdiction": "CN",
        "deliverables": [{"platform": "xiaohongshu", "format": "image_note"}],
        "posting_from": now.isoformat(), "posting_until": (now + timedelta(days=30)).isoformat(),
        "budget_minor": 1_000_000, "currency": "CNY", "compensation": {"kind": "fixed"},
    }  # fmt: skip
    return {"brief": brief | changes}


async def get(campaigns: Running, campaign_id: str, who: tuple[str, ...], at_least: str = "") -> pb.Campaign:
    async with campaigns.channel(who) as channel:
        request = pb.GetCampaignRequest(campaign_id=campaign_id, at_least=at_least)
        answer = await CampaignQueryServiceStub(channel).GetCampaign(request)
    return answer.campaign


async def test_a_published_campaign_is_read_back(campaigns: Running) -> None:
    campaign_id = new_id()
    await campaigns.done("PUT", f"/campaigns/{campaign_id}", body(), BELLA)
    receipt = await campaigns.done("POST", f"/campaigns/{campaign_id}/publish", None, BELLA)
    assert receipt["stream"] == f"campaign-{campaign_id}"
    assert (await get(campaigns, campaign_id, CLARA, receipt["token"])).brief.budget_minor == 0, (
        "not a creator's business"
    )
    found = await get(campaigns, campaign_id, BELLA, receipt["token"])
    assert found.status == pb.CAMPAIGN_STATUS_PUBLISHED
    assert (found.brief.title, found.brief.budget_minor, found.brief.terms.brand_fee_bps) == (
        "Spring serum",
        1_000_000,
        1_000,
    )
    assert (found.version, found.brief.version, len(found.brief.terms_hash)) == (2, 1, 64)


async def test_a_zone_of_its_own_goes_all_the_way(campaigns: Running) -> None:
    """From the command to the campaign, the public event and the collaboration under the contract."""
    story = Story(campaigns)
    refused = {"brief": brief_body(timezone="Europe/Atlantis"), "terms": {}}
    code = await campaigns.refused("PUT", f"/campaigns/{story.campaign_id}", refused, story.brand)
    assert code == "campaign.timezone_unknown"
    await story.publish(timezone="Europe/Paris")
    await story.agree(100_000)
    assert (await story.funded()).timezone == "Europe/Paris"
    assert (await story.campaign()).brief.timezone == "Europe/Paris"
    said = await campaigns.messages("campaigns.events.v1", events.BriefPublished)
    assert [one.brief.timezone for one in said if one.campaign_id == story.campaign_id] == ["Europe/Paris"]


async def test_it_is_published_on_the_bus(campaigns: Running) -> None:
    campaign_id = new_id()
    await campaigns.done("PUT", f"/campaigns/{campaign_id}", body(), BELLA)
    await campaigns.done("POST", f"/campaigns/{campaign_id}/publish", None, BELLA)

    async def published() -> bool:
        found = await campaigns.messages("campaigns.events.v1", events.BriefPublished)
        return [one.brand_id for one in found if one.campaign_id == campaign_id] == [BRAND]

    await until(published)


async def test_a_draft_is_the_brands_alone(campaigns: Running) -> None:
    campaign_id = new_id()
    receipt = await campaigns.done("PUT", f"/campaigns/{campaign_id}", body(), BELLA)
    with pytest.raises(grpc.aio.AioRpcError) as hidden:
        await get(campaigns, campaign_id, CLARA, receipt["token"])
    assert hidden.value.code() == grpc.StatusCode.NOT_FOUND
    assert await campaigns.refused("POST", f"/campaigns/{campaign_id}/publish", None, STRANGER) == "campaign.unknown"
    assert (await get(campaigns, campaign_id, BELLA)).status == pb.CAMPAIGN_STATUS_DRAFT


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"budget_minor": 0}, "request.invalid", id="no_budget"),
        pytest.param({"currency": "XXX"}, "request.invalid", id="unknown_currency"),
        pytest.param({"tenant_id": "me"}, "request.invalid", id="unknown_field"),
        pytest.param({"compensation": {"kind": "fixed", "cap_minor": 5}}, "compensation.variable_needs_cap", id="cap"),
    ],
)
async def test_bad_briefs_are_refused_by_name(campaigns: Running, changes: dict[str, Any], code: str) -> None:
    assert await campaigns.refused("PUT", f"/campaigns/{new_id()}", body(**changes), BELLA) == code


async def test_the_same_key_answers_the_same_receipt(campaigns: Running) -> None:
    path, sent = f"/campaigns/{new_id()}", body()
    first = await campaigns.send("PUT", path, sent, BELLA, "the-same-key")
    again = await campaigns.send("PUT", path, sent, BELLA, "the-same-key")
    other = await campaigns.send("PUT", path, body(title="Another"), BELLA, "the-same-key")
    assert (first.json(), other.status_code) == (again.json(), 422)
