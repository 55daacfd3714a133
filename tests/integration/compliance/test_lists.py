"""What pages about reviews ask: versions, voices, looks, and the rules of a day; each for who may see it."""

from typing import Any

import grpc
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as events
from dandelion.compliance.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from services.compliance.packs import shipped_packs
from services.compliance.ports import Seen
from tests.integration.compliance.client import REVIEWER, Compliance
from tests.integration.compliance.submissions import Deal
from tests.integration.compliance.test_looks import TEXT, published

UNSURE = "广告 这是首选的粉底"
AUDITOR = ("anna", "platform", "auditor")


async def reviewed(compliance: Compliance, deal: Deal, text: str, **changes: Any) -> pb.Review:
    await compliance.ask(deal.stream, deal.submitted(text, **changes), deal.stream)
    return await compliance.reviewed(deal.submission_id)


async def test_versions_of_a_deliverable_are_listed_the_latest_first(compliance: Compliance) -> None:
    first = Deal()
    second = Deal(**{**vars(first), "submission_id": new_id()})
    before = await reviewed(compliance, first, "全网最低价", round=1)
    after = await reviewed(compliance, second, TEXT, round=2, language="zh-CN")
    brand = ("bea", first.brand_id, "brand")
    async with compliance.queries(brand) as queries:
        found = (await queries.ListReviews(pb.ListReviewsRequest(deliverable_id=first.deliverable_id))).reviews
        blocked = pb.ListReviewsRequest(collaboration_id=first.collaboration_id, verdict=common.VERDICT_BLOCKED)
        assert [one.review_id for one in (await queries.ListReviews(blocked)).reviews] == [before.review_id]
    assert [(one.review_id, one.round) for one in found] == [(after.review_id, 2), (before.review_id, 1)]
    assert (found[0].language, found[0].text_hash) == ("zh-CN", after.text_hash)
    async with compliance.queries(("eve", new_id(), "brand")) as queries:
        assert not (await queries.ListReviews(pb.ListReviewsRequest(deliverable_id=first.deliverable_id))).reviews


async def test_reviewers_voices_are_told_and_who_they_are_to_staff_only(compliance: Compliance) -> None:
    deal = Deal()
    review = await reviewed(compliance, deal, UNSURE)
    assert (review.voices_needed, list(review.voices)) == (1, [])
    body = {"approved": True, "reason": "有依据"}
    token = (await compliance.post(f"/reviews/{deal.submission_id}/decide", body)).json()["token"]
    for who, name in ((AUDITOR, REVIEWER[0]), (("cai", deal.creator_id, "creator"), "")):
        told = await compliance.review(deal.submission_id, who, token)
        assert [(one.reviewer_id, one.approved, one.reason) for one in told.voices] == [(name, True, "有依据")]
        assert told.voices[0].decided_at.seconds > 0
        assert told.voices_needed == 0


async def looks(compliance: Compliance, who: tuple[str, ...], **asked: Any) -> list[pb.Look]:
    async with compliance.queries(who) as queries:
        return list((await queries.ListLooks(pb.ListLooksRequest(**asked))).looks)


async def test_a_look_is_listed_with_what_it_found(compliance: Compliance) -> None:
    fine, bare = await published(compliance, Seen(TEXT)), await published(compliance, Seen("周末出门妆，持妆不错"))
    for deal, ok in ((fine, True), (bare, False)):
        (event,) = await compliance.published(deal.deliverable_id, "ContentLookedAt")
        brand = ("bea", deal.brand_id, "brand")
        (look,) = await looks(compliance, brand, collaboration_id=deal.collaboration_id, at_least=event.token)
        told = event.read(events.ContentLookedAt)
        assert (look.look_id, look.ok, look.label_present) == (told.look_id, ok, ok)
        assert (look.found, look.looked_at, look.ordinal) == (True, told.looked_at, 1)
        assert look.next_at.seconds > look.looked_at.seconds
        assert (look.url, look.label) == ("https://posts.example/1", "广告")
        wrong = await looks(compliance, brand, deliverable_id=deal.deliverable_id, not_ok=True)
        assert [one.look_id for one in wrong] == ([] if ok else [look.look_id])
        assert await looks(compliance, ("eve", new_id(), "brand"), deliverable_id=deal.deliverable_id) == []
        assert await looks(compliance, AUDITOR, deliverable_id=deal.deliverable_id) == [look]


async def rules(compliance: Compliance, **asked: Any) -> list[pb.Rule]:
    found: list[pb.Rule] = []
    request = pb.ListRulesRequest(page_size=20, **asked)
    async with compliance.queries(("bea", new_id(), "brand")) as queries:
        while True:
            answer = await queries.ListRules(request)
            found += answer.rules
            request.page_token = answer.page.next_page_token
            if not request.page_token:
                return found


async def test_the_rules_of_a_day_are_listed_page_by_page(compliance: Compliance) -> None:
    (pack,) = [one for one in shipped_packs() if one.id == "CN@2026-02-01"]
    found = await rules(compliance, jurisdiction="CN", on_day="2026-11-30")
    assert [one.rule_id for one in found] == sorted(rule.id for rule in pack.rules if rule.valid_to is None)
    (weak,) = [one for one in found if one.rule_id == "cn.label.weak"]
    assert (weak.rule_pack, weak.valid_from, weak.severity) == (pack.id, "2024-08-23", events.SEVERITY_NOTICE)
    assert [weak.texts[0].language, weak.texts[0].law] == ["zh", "中华人民共和国广告法；互联网广告可识别性执法指南"]
    assert weak.fires[0].tags == ["品牌合作"]
    assert "cn.label.weak" not in {
        one.rule_id for one in await rules(compliance, jurisdiction="CN", on_day="2024-08-22")
    }


async def test_an_alias_asks_for_the_pack_that_covers_it(compliance: Compliance) -> None:
    german, all_of_them = await rules(compliance, jurisdiction="DE"), await rules(compliance)
    assert {one.rule_pack.partition("@")[0] for one in german} == {"EU"}
    assert {one.rule_pack.partition("@")[0] for one in all_of_them} == {"CN", "EU", "FR", "UK", "US"}
    assert await rules(compliance, jurisdiction="XX") == []


async def test_rules_are_narrowed_to_a_category_and_a_severity(compliance: Compliance) -> None:
    tobacco = {one.rule_id for one in await rules(compliance, jurisdiction="CN", product_category="香烟")}
    fashion = {one.rule_id for one in await rules(compliance, jurisdiction="CN", product_category="clothing")}
    assert tobacco - fashion
    grave = await rules(compliance, jurisdiction="CN", severity_min=events.SEVERITY_BLOCKING)
    assert {one.severity for one in grave} == {events.SEVERITY_BLOCKING}


async def test_what_changes_on_a_day(compliance: Compliance) -> None:
    async with compliance.queries() as queries:
        asked = pb.ListRuleChangesRequest(jurisdiction="CN", since="2024-08-23", until="2024-08-24")
        (change,) = (await queries.ListRuleChanges(asked)).changes
        assert (change.day, change.rule.rule_id) == ("2024-08-23", "cn.label.weak")
        assert change.kind == pb.RULE_CHANGE_KIND_RULE_BEGINS
        asked = pb.ListRuleChangesRequest(jurisdiction="CN", order_by="day desc", page_size=200)
        kinds = [(one.day, one.kind) for one in (await queries.ListRuleChanges(asked)).changes]
        assert ("2026-02-01", pb.RULE_CHANGE_KIND_PACK_BEGINS) in kinds
        assert [day for day, _ in kinds] == sorted((day for day, _ in kinds), reverse=True)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await queries.ListRuleChanges(pb.ListRuleChangesRequest(since="soon"))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_rule_packs_say_which_is_in_force(compliance: Compliance) -> None:
    async with compliance.queries(("bea", new_id(), "brand")) as queries:
        packs = (await queries.ListRulePacks(pb.ListRulePacksRequest(jurisdiction="CN"))).rule_packs
    assert [one.rule_pack for one in packs] == ["CN@2026-02-01", "CN@2023-05-01"]
    assert [one.valid_to for one in packs] == ["", "2026-02-01"]
    assert packs[0].in_force
    assert packs[0].timezone == "Asia/Shanghai"
    label = packs[0].labels[0]
    assert (label.platform, label.label) == (common.PLATFORM_XIAOHONGSHU, "广告")
    assert packs[0].labels[-1].platform == common.PLATFORM_UNSPECIFIED
    assert "pharmaceutical" in next(one.aliases for one in packs[0].categories if one.category == "medicine")
