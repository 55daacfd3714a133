"""Lists by keyset pages, what strangers see of them, and a rebuild that gives the same rows as live."""

from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.ledger.v1 import events_pb2 as ledger

from kernel.core.ids import new_id
from kernel.processors.generations import Rebuild, live_generation
from services.campaigns.projections import PROJECTIONS
from tests.integration.campaigns.story import Story, register
from tests.kit.generations import dump
from tests.kit.running import Running
from tests.kit.until import until


async def ask(campaigns: Running, who: tuple[str, ...], method: str, request: Any) -> Any:
    async with campaigns.channel(who) as channel:
        return await getattr(CampaignQueryServiceStub(channel), method)(request)


async def test_pages_neither_repeat_nor_skip(campaigns: Running) -> None:
    brand = ("bella", new_id(), "brand")
    stories = [Story(campaigns, brand=brand) for _ in range(5)]
    for story in stories:
        await story.publish()

    async def shown() -> bool:
        request = pb.ListCampaignsRequest(brand_id=brand[1], statuses=[pb.CAMPAIGN_STATUS_PUBLISHED])
        return len((await ask(campaigns, brand, "ListCampaigns", request)).campaigns) == 5

    await until(shown)
    found, token = [], ""
    while True:
        request = pb.ListCampaignsRequest(brand_id=brand[1], order_by="drafted_at", page_size=2, page_token=token)
        answer = await ask(campaigns, brand, "ListCampaigns", request)
        found += [one.campaign_id for one in answer.campaigns]
        token = answer.page.next_page_token
        if not token:
            break
    assert found == [story.campaign_id for story in stories]
    assert answer.page.as_of[0].startswith("campaigns:")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(pb.ListCampaignsRequest(brand_id="x"), "id.malformed", id="filter"),
        pytest.param(pb.ListCampaignsRequest(order_by="budget"), "order_by.unknown", id="order"),
        pytest.param(pb.ListCampaignsRequest(page_token="x"), "page_token.mismatch", id="token"),
        pytest.param(pb.ListCampaignsRequest(page_size=-1), "page_size.negative", id="size"),
    ],
)
async def test_bad_lists_are_refused(campaigns: Running, request_: pb.ListCampaignsRequest, code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(campaigns, ("bella", new_id(), "brand"), "ListCampaigns", request_)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert code in (refused.value.details() or "")


async def test_an_application_is_its_parties_alone(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish(mode="invite")
    invite = {"creator_id": story.creator[1], "fees_minor": [100_000]}
    await register(campaigns, story.creator[1])
    receipt = await campaigns.done("POST", f"/campaigns/{story.campaign_id}/invite", invite, story.brand)
    request = pb.ListApplicationsRequest(campaign_id=story.campaign_id, at_least=receipt["token"])
    for who, count in (
        (story.creator, 1),
        (story.brand, 1),
        (("sam", new_id(), "creator"), 0),
        (("olga", "platform", "auditor"), 1),
    ):
        answer = await ask(campaigns, who, "ListApplications", request)
        assert len(answer.applications) == count, who
    answer = await ask(campaigns, story.creator, "ListApplications", request)
    (application,) = answer.applications
    one = pb.ListApplicationsRequest(application_id=application.application_id)
    assert (await ask(campaigns, story.brand, "ListApplications", one)).applications == [application]
    another = pb.ListApplicationsRequest(application_id=new_id())
    assert list((await ask(campaigns, story.brand, "ListApplications", another)).applications) == []
    assert (application.status, application.offer.total_minor) == (pb.APPLICATION_STATUS_INVITED, 110_000)
    counter = f"/applications/{application.application_id}/counter"
    await campaigns.done("POST", counter, {"fees_minor": [120_000]}, story.creator)
    decline = f"/applications/{application.application_id}/decline"
    receipt = await campaigns.done("POST", decline, {"reason": "too_dear"}, story.brand)
    request = pb.ListApplicationsRequest(creator_id=story.creator[1], at_least=receipt["token"])
    (application,) = (await ask(campaigns, story.creator, "ListApplications", request)).applications
    assert (application.status, application.offer.round) == (pb.APPLICATION_STATUS_DECLINED, 2)


async def test_a_full_budget_accepts_nobody_else(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish(budget_minor=110_000)
    await story.agree(100_000)
    other = ("cleo", new_id(), "creator")
    await register(campaigns, other[1])
    receipt = await campaigns.done("POST", f"/campaigns/{story.campaign_id}/apply", {"fees_minor": [1]}, other)
    accept = receipt["stream"].replace("application-", "/applications/") + "/accept"
    assert await campaigns.refused("POST", accept, {"brief_version": 1}, story.brand) == "budget.exceeded"


async def test_a_rebuild_equals_live(campaigns: Running) -> None:
    """The last test here: the running projectors go on with the generation before."""
    story = Story(campaigns)
    story.brand = (story.creator[0], *story.brand[1:])  # one person on both sides: the deal is marked
    await story.publish()
    await story.agree(100_000)
    deliverable_id = (await story.funded()).deliverables[0].deliverable.deliverable_id
    ids = {"deliverable_id": deliverable_id, "brand_id": story.brand[1], "creator_id": story.creator[1]}
    await campaigns.tell(f"escrow-{deliverable_id}", ledger.PaymentDeferred(reason="tax.rate_unknown", **ids))  # type: ignore[arg-type]
    await story.until(lambda one: one.deliverables[0].waits_for == "tax.rate_unknown")
    for verb in ("open-dispute", "withdraw-dispute", "open-dispute"):
        await story.act(verb, {"reason": "unpaid"} if verb == "open-dispute" else None, story.brand)
    app = campaigns.app

    async def caught_up() -> bool:
        head = (await app.log.head()).position
        answer = await ask(campaigns, story.brand, "ListCampaigns", pb.ListCampaignsRequest())
        return bool(answer.page.as_of[0] == f"campaigns:{head}:")

    await until(caught_up)
    for projection in PROJECTIONS:
        before = await live_generation(app.database, projection)
        rebuild = Rebuild(
            projection, app.database, app.log, app.service.codec, "campaigns", app.bus, app.service.decode or _none
        )
        after = await rebuild.run()
        rows = await dump(app.database, projection, before)
        assert rows or projection.name == "postings"
        assert rows == await dump(app.database, projection, after), projection.name


def _none(kind: str, value: bytes) -> None:
    return None
