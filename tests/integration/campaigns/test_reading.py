"""What the pages read: versions of a brief, contract text, submissions with what was said of them, disputes, a quote."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2 as events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion_contracts.words import word

from kernel.core.ids import new_id
from services.campaigns.rest.bodies import BriefBody
from tests.integration.campaigns.story import LABEL, Story, brief_body, register
from tests.kit.both_edges import plain
from tests.kit.running import Running

STRANGERS = (("sam", new_id(), "brand"), ("sue", new_id(), "creator"))
REVIEWER = ("rita", "platform", "reviewer")
SERUM = {"product_id": "sku-1", "name": "Serum", "category": "cosmetics", "value_minor": 29_900, "shipped": False}


async def ask(campaigns: Running, who: Sequence[str], method: str, request: Any) -> Any:
    async with campaigns.channel(who) as channel:
        return await getattr(CampaignQueryServiceStub(channel), method)(request)


async def refused(campaigns: Running, who: Sequence[str], method: str, request: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(campaigns, who, method, request)
    return error.value.details() or ""


async def amend(story: Story, **changes: Any) -> str:
    path = f"/campaigns/{story.campaign_id}/amend"
    receipt = await story.campaigns.done("POST", path, {"brief": brief_body(**changes)}, story.brand)
    return str(receipt["token"])


async def versions(campaigns: Running, story: Story, who: Sequence[str], token: str) -> list[pb.BriefVersion]:
    request = pb.ListBriefVersionsRequest(campaign_id=story.campaign_id, at_least=token)
    return list((await ask(campaigns, who, "ListBriefVersions", request)).versions)


def body_of(found: pb.Campaign) -> dict[str, Any]:
    """The body that says the brief of an answer once more."""
    brief, detail = found.brief, found.detail
    plain = ("title", "objective", "product_category", "jurisdiction", "budget_minor", "currency", "timezone")
    rule = brief.compensation
    return {
        **{name: getattr(brief, name) for name in plain},
        **{name: list(getattr(brief, name)) for name in ("key_messages", "must", "must_not")},
        **{name: getattr(brief, name).ToDatetime(UTC).isoformat() for name in ("posting_from", "posting_until")},
        "campaign_type": word(common.CampaignType, brief.type),
        "mode": word(events.RecruitMode, brief.mode),
        "creative_freedom": detail.creative_freedom,
        "exclusivity_days": brief.terms.exclusivity_days,
        "usage_days": brief.terms.usage_rights_days,
        "compensation": {
            "kind": word(common.CompensationKind, rule.kind), "metric": rule.performance_metric or None,
            "rate_minor": rule.performance_rate_minor, "floor_minor": rule.floor_minor, "cap_minor": rule.cap_minor,
            "commission_bps": rule.commission_bps,
        },
        "products": [
            {**{name: getattr(one, name) for name in PRODUCT}, "shipped": shipped}
            for one, shipped in zip(brief.products, detail.products_shipped, strict=True)
        ],
        "deliverables": [
            {
                "platform": word(common.Platform, one.platform), "format": word(common.Format, one.format),
                "outline_required": one.outline_required, "occurrences": one.occurrences, "every_s": one.every_s,
            }
            for one in detail.deliverables
        ],
    }  # fmt: skip


PRODUCT = ("product_id", "name", "category", "value_minor", "brand_name", "approval_number")


async def test_a_brief_can_be_written_down_whole_and_amended(campaigns: Running) -> None:
    """What GetCampaign says is enough to say the same brief again, which changes nothing; one word changed is a version."""
    story = Story(campaigns)
    spec = {"platform": "douyin", "format": "video", "outline_required": True, "occurrences": 3, "every_s": 60}
    changes = {"deliverables": [spec], "creative_freedom": "high", "products": [SERUM], "timezone": "Europe/Paris"}
    drafted = await draft(story, **changes, exclusivity_days=7, usage_days=30, must=["Show it"], must_not=["No"])
    found = await campaign(story, drafted)
    assert list(found.detail.products_shipped) == [False]
    body = body_of(found)
    assert set(body) == set(BriefBody.model_fields)
    path = f"/campaigns/{story.campaign_id}/amend"
    same = await campaigns.done("POST", path, {"brief": body}, story.brand)
    assert (await campaign(story, same["token"])).brief.version == 1
    other = await campaigns.done("POST", path, {"brief": body | {"creative_freedom": "low"}}, story.brand)
    assert (await campaign(story, other["token"])).brief.version == 2


async def test_several_campaigns_are_read_at_once(campaigns: Running) -> None:
    mine, other = Story(campaigns), Story(campaigns)
    second = Story(campaigns, brand=mine.brand)
    token = [await draft(story, title=title) for story, title in ((mine, "One"), (other, "No"), (second, "Two"))][-1]
    nowhere = new_id()
    asked = [second.campaign_id, nowhere, other.campaign_id, mine.campaign_id, second.campaign_id]
    request = pb.BatchGetCampaignsRequest(campaign_ids=asked, at_least=token)
    found = (await ask(campaigns, mine.brand, "BatchGetCampaigns", request)).campaigns
    assert [one.brief.title for one in found] == ["Two", "One"]
    many = pb.BatchGetCampaignsRequest(campaign_ids=[nowhere] * 201)
    assert "filter.too_many_values" in await refused(campaigns, mine.brand, "BatchGetCampaigns", many)
    wrong = pb.BatchGetCampaignsRequest(campaign_ids=["no-uuid"])
    assert "id.malformed" in await refused(campaigns, mine.brand, "BatchGetCampaigns", wrong)


async def draft(story: Story, **changes: Any) -> str:
    draft = {"brief": brief_body(**changes), "terms": {"clocks": story.clocks}}
    receipt = await story.campaigns.done("PUT", f"/campaigns/{story.campaign_id}", draft, story.brand)
    return str(receipt["token"])


async def campaign(story: Story, token: str) -> pb.Campaign:
    request = pb.GetCampaignRequest(campaign_id=story.campaign_id, at_least=token)
    found: pb.Campaign = (await ask(story.campaigns, story.brand, "GetCampaign", request)).campaign
    return found


async def test_each_version_of_a_brief_is_read_by_those_who_could(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.draft(title="First thought")
    await amend(story, title="Second thought", budget_minor=2_000_000)
    await story.open()
    token = await amend(story, title="After publication", key_messages=["New"])
    shown = await versions(campaigns, story, story.brand, token)
    assert [(one.brief.version, one.brief.title) for one in shown] == [
        (3, "After publication"), (2, "Second thought"), (1, "First thought"),
    ]  # fmt: skip
    assert [one.HasField("published_at") for one in shown] == [True, True, False]
    assert shown[1].brief.budget_minor == 2_000_000
    assert shown[0].brief.terms_hash == (await story.campaign()).brief.terms_hash != shown[1].brief.terms_hash
    recruited = await versions(campaigns, story, STRANGERS[1], token)
    assert [(one.brief.version, one.brief.budget_minor) for one in recruited] == [(3, 0), (2, 0)], "no draft, no budget"
    assert await versions(campaigns, story, STRANGERS[0], token) == []


async def test_who_is_invited_reads_the_version_of_its_invitation(campaigns: Running) -> None:
    story = Story(campaigns)
    await story.publish(mode="invite")
    await register(campaigns, story.creator[1])
    invite = {"creator_id": story.creator[1], "fees_minor": [100_000]}
    await campaigns.done("POST", f"/campaigns/{story.campaign_id}/invite", invite, story.brand)
    token = await amend(story, mode="invite", title="Amended")
    assert [one.brief.version for one in await versions(campaigns, story, story.creator, token)] == [1]
    assert await versions(campaigns, story, STRANGERS[1], token) == []
    first = pb.ListBriefVersionsRequest(campaign_id=story.campaign_id, page_size=1, at_least=token)
    page = await ask(campaigns, story.brand, "ListBriefVersions", first)
    second = pb.ListBriefVersionsRequest(
        campaign_id=story.campaign_id, page_size=1, page_token=page.page.next_page_token
    )
    assert [one.brief.version for one in (await ask(campaigns, story.brand, "ListBriefVersions", second)).versions] == [
        1
    ]


async def agreed(campaigns: Running, *fees_minor: int, **changes: Any) -> Story:
    story = Story(campaigns)
    await story.publish(**changes)
    await story.agree(*fees_minor)
    await story.hold(len(fees_minor))
    await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_FUNDED)
    return story


async def test_both_sides_read_the_contract_in_their_language(campaigns: Running) -> None:
    story = await agreed(campaigns, 100_000)
    request = pb.GetContractRequest(collaboration_id=story.collaboration_id, language="en")
    sides = [
        (await ask(campaigns, who, "GetContract", request)).contract for who in (story.brand, story.creator, REVIEWER)
    ]
    assert sides[0] == sides[1] == sides[2]
    assert (sides[0].terms_hash, sides[0].brief_version) == ((await story.get()).terms_hash, 1)
    assert sides[0].title == "Collaboration contract: Spring serum"
    escrow = [one.amount_minor for each in sides[0].clauses for one in each.amounts if one.kind == "escrow"]
    assert escrow == [(await story.get()).total_minor]
    request = pb.GetContractRequest(collaboration_id=story.collaboration_id)
    assert (await ask(campaigns, story.creator, "GetContract", request)).contract.title == "合作合同：Spring serum"
    for who in STRANGERS:
        assert "collaboration.unknown" in await refused(campaigns, who, "GetContract", request)
    request = pb.GetContractRequest(collaboration_id=story.collaboration_id, language="fr")
    assert "contract.language_unknown" in await refused(campaigns, story.brand, "GetContract", request)


async def test_submissions_are_kept_with_what_was_said_of_them(campaigns: Running) -> None:
    story = await agreed(campaigns, 100_000)
    deliverable_id = (await story.get()).deliverables[0].deliverable.deliverable_id
    first = await story.submit(deliverable_id, "The best serum")
    await story.reviewed(first, "blocked")
    await story.stage(pb.DELIVERABLE_STATUS_REVISION_REQUESTED)
    second = await story.submit(deliverable_id, "A good serum")
    await story.reviewed(second, "clear", 2)
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    ids = {"deliverable_id": deliverable_id, "submission_id": second}
    await story.act("request-revision", ids | {"notes": ["Show the box"]}, story.brand)
    third = await story.submit(deliverable_id, "A serum in its box")
    await story.reviewed(third, "clear", 3)
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    receipt = await story.act("approve", ids | {"submission_id": third}, story.brand)
    request = pb.ListSubmissionsRequest(
        collaboration_id=story.collaboration_id, deliverable_id=deliverable_id, at_least=receipt["token"]
    )
    shown = await ask(campaigns, story.creator, "ListSubmissions", request)
    assert [(one.submission_id, one.round, one.submission.text) for one in shown.submissions] == [
        (third, 3, "A serum in its box"), (second, 2, "A good serum"), (first, 1, "The best serum"),
    ]  # fmt: skip
    newest, middle, oldest = ([(each.ruling, each.by) for each in one.rulings] for one in shown.submissions)
    by_system, by_brand = events.PARTY_SYSTEM, events.PARTY_BRAND
    assert oldest == [("reviewed", by_system), ("revision_requested", by_system)]
    assert middle == [("reviewed", by_system), ("revision_requested", by_brand)]
    assert newest == [("reviewed", by_system), ("approved", by_brand)]
    blocked, noted = shown.submissions[2].rulings[1], shown.submissions[1].rulings[1]
    assert (blocked.reason, list(blocked.notes)) == ("compliance.blocked", [])
    assert (noted.reason, list(noted.notes), noted.revisions) == ("", ["Show the box"], 1)
    assert shown.submissions[0].rulings[0].label == LABEL
    assert shown.submissions[0].rulings[0].at.seconds >= shown.submissions[0].submitted_at.seconds > 0
    nowhere = pb.ListSubmissionsRequest(collaboration_id=story.collaboration_id, deliverable_id=new_id())
    assert list((await ask(campaigns, story.brand, "ListSubmissions", nowhere)).submissions) == []
    for who in STRANGERS:
        assert "collaboration.unknown" in await refused(campaigns, who, "ListSubmissions", request)
    one = pb.ListSubmissionsRequest(collaboration_id=story.collaboration_id, page_size=2)
    page = await ask(campaigns, story.brand, "ListSubmissions", one)
    one.page_token = page.page.next_page_token
    rest = await ask(campaigns, story.brand, "ListSubmissions", one)
    found = [each.submission_id for each in (*page.submissions, *rest.submissions)]
    assert (found, rest.page.next_page_token) == ([third, second, first], "")


async def test_disputes_are_listed_one_by_one(campaigns: Running) -> None:
    story = await agreed(campaigns, 100_000)
    await story.act("open-dispute", {"reason": "unpaid"}, story.creator)
    await story.act("withdraw-dispute", None, story.creator)
    receipt = await story.act("open-dispute", {"reason": "late_draft"}, story.brand)

    async def shown(who: Sequence[str], token: str, **filters: Any) -> list[pb.Dispute]:
        request = pb.ListDisputesRequest(order_by="opened_at", at_least=token, **filters)
        return list((await ask(campaigns, who, "ListDisputes", request)).disputes)

    mine = {"collaboration_id": story.collaboration_id}
    first, second = await shown(story.brand, receipt["token"], **mine)
    assert (first.number, first.status, first.outcome) == (1, pb.DISPUTE_STATUS_WITHDRAWN, "withdrawn")
    assert (first.opened_by, first.reason) == (events.PARTY_CREATOR, "unpaid")
    assert (second.number, second.status, second.outcome) == (2, pb.DISPUTE_STATUS_OPEN, "")
    assert [one.HasField("ended_at") for one in (first, second)] == [True, False]
    assert second.due_at.seconds > second.opened_at.seconds
    seen = await story.seen_by(story.creator)
    assert seen.disputed_by == events.PARTY_BRAND
    receipt = await story.act("rule-dispute", {"outcome": "cancel", "share_bps": 2_500}, REVIEWER)
    ruled = (await shown(story.creator, receipt["token"], **mine))[1]
    assert (ruled.status, ruled.outcome, ruled.share_bps) == (pb.DISPUTE_STATUS_RULED, "cancel", 2_500)
    assert await shown(REVIEWER, "", statuses=[pb.DISPUTE_STATUS_OPEN], **mine) == []
    for who in STRANGERS:
        assert await shown(who, "") == []


async def test_a_quote_is_what_the_cancellation_then_costs(campaigns: Running) -> None:
    story = await agreed(campaigns, 100_000)
    await story.submit((await story.get()).deliverables[0].deliverable.deliverable_id)
    await story.until(lambda one: one.deliverables[0].step == "draft_submitted")
    request = pb.QuoteCancellationRequest(collaboration_id=story.collaboration_id)
    theirs = (await ask(campaigns, story.creator, "QuoteCancellation", request)).quote
    assert (theirs.by, theirs.creator_gets_minor, theirs.returned_minor) == (events.PARTY_CREATOR, 0, 110_000)
    quote = (await ask(campaigns, story.brand, "QuoteCancellation", request)).quote
    assert (quote.by, quote.kill_fee_minor, quote.creator_gets_minor) == (events.PARTY_BRAND, 50_000, 50_000)
    assert (quote.returned_minor, quote.freed_minor, quote.version) == (60_000, 60_000, (await story.get()).version)
    path = f"/collaborations/{story.collaboration_id}/cancellation-quote"
    heard = (await campaigns.send("GET", path, None, story.brand)).json()["quote"]
    assert heard | {"quoted_at": ""} == plain(quote) | {"quoted_at": ""}, "a second later it costs the same"
    for who in STRANGERS:
        assert "collaboration.unknown" in await refused(campaigns, who, "QuoteCancellation", request)
    await story.act("cancel", {"reason": "budget_cut"}, story.brand)
    (returned,) = await story.asked("ledger", ledger_commands.CancelEscrow)
    assert returned.kill_fee_minor == quote.kill_fee_minor
    ended = await story.until(lambda one: one.status == pb.COLLABORATION_STATUS_CANCELLED)
    assert ended.cancelled_by == events.PARTY_BRAND
    assert "collaboration.not_running" in await refused(campaigns, story.brand, "QuoteCancellation", request)


async def test_a_disputed_collaboration_has_no_quote(campaigns: Running) -> None:
    story = await agreed(campaigns, 100_000)
    receipt = await story.act("open-dispute", {"reason": "unpaid"}, story.creator)
    request = pb.QuoteCancellationRequest(collaboration_id=story.collaboration_id, at_least=receipt["token"])
    assert "collaboration.disputed" in await refused(campaigns, story.brand, "QuoteCancellation", request)
