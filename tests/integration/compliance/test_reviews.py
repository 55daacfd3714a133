"""A submission from command topic to published verdict, queue, decision and answer, over SQLite and the embedded bus."""

import asyncio
from functools import partial
from typing import Any

import grpc
import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as events
from dandelion.compliance.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from kernel.processors import read_your_writes
from kernel.processors.read_your_writes import until_there
from tests.integration.compliance.client import REVIEWER, Compliance
from tests.integration.compliance.submissions import Deal
from tests.kit.until import until

CLEAN, UNSURE, ILLEGAL = "广告 周末出门妆，持妆不错", "广告 这是首选的粉底", "广告 全网最低价的粉底"


async def submitted(compliance: Compliance, text: str, **changes: Any) -> Deal:
    deal = Deal()
    await compliance.ask(deal.stream, deal.submitted(text, **changes), deal.stream)
    await compliance.published(deal.submission_id, "ReviewCompleted")
    return deal


@pytest.mark.parametrize(
    ("text", "verdict"),
    [(CLEAN, common.VERDICT_CLEAR), (UNSURE, common.VERDICT_NEEDS_HUMAN), (ILLEGAL, common.VERDICT_BLOCKED)],
)
async def test_a_submission_gets_its_verdict_and_label(compliance: Compliance, text: str, verdict: int) -> None:
    deal = await submitted(compliance, text)
    told = await compliance.published(
        deal.submission_id, "ReviewOpened", "DisclosureAttached", "ReviewCompleted", count=3
    )
    assert [one.kind for one in told] == ["ReviewOpened", "DisclosureAttached", "ReviewCompleted"]
    attached, completed = told[1].read(events.DisclosureAttached), told[2].read(events.ReviewCompleted)
    assert (attached.label, attached.placement) == ("广告", common.LABEL_PLACEMENT_TEXT_START)
    assert (completed.verdict, completed.collaboration_id) == (verdict, deal.collaboration_id)
    assert list(completed.rule_packs) == ["CN@2026-02-01"]


async def test_a_finding_names_law_and_place(compliance: Compliance) -> None:
    deal = await submitted(compliance, ILLEGAL)
    review = await compliance.reviewed(deal.submission_id)
    (finding,) = review.findings
    assert finding.law == "中华人民共和国广告法 第九条第（三）项"
    assert review.text[finding.span_start : finding.span_end] == finding.excerpt
    assert finding.severity == events.SEVERITY_BLOCKING


async def test_evidence_is_judged_with_the_submission_and_shown_to_the_reviewer(compliance: Compliance) -> None:
    text, shown = (
        "广告 入手了最佳伴侣牌咖啡机",
        {"kind": "registered_name", "phrase": "最佳伴侣", "reference": "1234567"},
    )
    proven = await submitted(compliance, text, evidence=[campaigns.Evidence(**shown, expires_on="2099-12-31")])
    expired = await submitted(compliance, text, evidence=[campaigns.Evidence(**shown, expires_on="2020-01-01")])
    review, other = [await compliance.reviewed(deal.submission_id) for deal in (proven, expired)]
    assert (review.verdict, other.verdict) == (common.VERDICT_CLEAR, common.VERDICT_BLOCKED)
    assert [(one.phrase, one.expires_on) for one in review.evidence] == [("最佳伴侣", "2099-12-31")]
    assert review.product_used


async def test_an_endorser_who_has_not_used_the_product_goes_to_a_reviewer(compliance: Compliance) -> None:
    deal = await submitted(compliance, CLEAN, product_used=False)
    review = await compliance.reviewed(deal.submission_id)
    assert [finding.rule_id for finding in review.findings] == ["cn.endorser.not_used"]
    assert (review.verdict, review.product_used) == (common.VERDICT_NEEDS_HUMAN, False)


async def test_the_same_request_twice_is_one_review(compliance: Compliance) -> None:
    deal, identity = Deal(), new_id()
    for _ in range(2):
        await compliance.ask(deal.stream, deal.submitted(CLEAN), deal.stream, identity)
    await compliance.ask(deal.stream, deal.submitted(CLEAN), deal.stream)
    fence = await submitted(compliance, CLEAN)
    assert fence.submission_id != deal.submission_id
    assert len(await compliance.published(deal.submission_id, "ReviewCompleted")) == 1


async def test_a_request_that_cannot_be_judged_is_refused_to_who_asked(compliance: Compliance) -> None:
    deal = Deal()
    identity = await compliance.ask(deal.stream, deal.submitted("字" * 20_001), deal.stream)
    (told,) = await compliance.published(identity, "CommandRefused")
    refused = told.read(events.CommandRefused)
    assert (refused.requester, refused.code, refused.command) == (deal.stream, "review.text_too_long", "ReviewContent")


async def test_a_reviewer_decides_what_waits(compliance: Compliance) -> None:
    deal = await submitted(compliance, UNSURE)
    async with compliance.queries() as queries:

        async def waits() -> bool:
            waiting = await queries.ListReviewQueue(pb.ListReviewQueueRequest(campaign_id=deal.campaign_id))
            return [review.review_id for review in waiting.reviews] == [deal.submission_id]

        await until(waits)
    answer = await compliance.post(f"/reviews/{deal.submission_id}/decide", {"approved": True, "reason": "有依据"})
    assert answer.status_code == 200, answer.text
    told = await compliance.published(deal.submission_id, "ReviewerDecided", "ReviewCompleted", count=3)
    assert [one.kind for one in told] == ["ReviewCompleted", "ReviewerDecided", "ReviewCompleted"]
    last = told[-1].read(events.ReviewCompleted)
    assert (last.verdict, last.by_reviewer, last.note) == (common.VERDICT_CLEAR, True, "")
    review = await compliance.review(deal.submission_id, at_least=answer.json()["token"])
    assert (review.verdict, review.by_reviewer, review.note) == (common.VERDICT_CLEAR, True, "有依据")
    assert review.version == 5
    async with compliance.queries() as queries:
        waiting = await queries.ListReviewQueue(pb.ListReviewQueueRequest(campaign_id=deal.campaign_id))
    assert not waiting.reviews


async def test_a_decision_is_given_once_per_key(compliance: Compliance) -> None:
    deal = await submitted(compliance, UNSURE)
    path, key = f"/reviews/{deal.submission_id}/decide", new_id()
    first = await compliance.post(path, {"approved": False, "reason": "没有依据"}, key=key)
    again = await compliance.post(path, {"approved": False, "reason": "没有依据"}, key=key)
    other = await compliance.post(path, {"approved": True, "reason": "没有依据"}, key=key)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "command.id_reused")
    later = await compliance.post(path, {"approved": True, "reason": "再看"})
    assert (later.status_code, later.json()["code"]) == (409, "review.already_decided")


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (("ben", "{brand}", "brand"), 403, "actor.role_missing"),
        (("ben", "{brand}", "reviewer"), 401, "token.role_not_of_tenant"),
        (("cleo", "{creator}", "reviewer"), 401, "token.role_not_of_tenant"),
    ],
)
async def test_nobody_decides_on_their_own_content(
    compliance: Compliance, who: tuple[str, ...], status: int, code: str
) -> None:
    deal = await submitted(compliance, UNSURE)
    caller = [part.format(brand=deal.brand_id, creator=deal.creator_id) for part in who]
    body = {"approved": True, "reason": "有依据"}
    answer = await compliance.post(f"/reviews/{deal.submission_id}/decide", body, caller)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        {"approved": True},
        {"approved": True, "reason": ""},
        {"approved": "yes", "reason": "a"},
        {"approved": True, "reason": "a", "x": 1},
    ],
)
async def test_a_malformed_decision_names_its_field(compliance: Compliance, body: dict[str, Any]) -> None:
    answer = await compliance.post(f"/reviews/{new_id()}/decide", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert answer.json()["errors"]


async def test_a_review_is_there_for_its_parties_and_staff_only(compliance: Compliance) -> None:
    deal = await submitted(compliance, CLEAN)
    await compliance.reviewed(deal.submission_id)
    for who in (("b", deal.brand_id, "brand"), ("c", deal.creator_id, "creator"), ("a", "platform", "auditor")):
        assert (await compliance.review(deal.submission_id, who)).review_id == deal.submission_id
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await compliance.review(deal.submission_id, ("x", new_id(), "brand"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    async with compliance.queries(("b", deal.brand_id, "brand")) as queries:
        with pytest.raises(grpc.aio.AioRpcError) as forbidden:
            await queries.ListReviewQueue(pb.ListReviewQueueRequest())
        assert forbidden.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_findings_are_listed_in_pages_for_who_may_see_them(compliance: Compliance) -> None:
    deal = await submitted(compliance, "全网最低价，七天见效，药到病除，国家级，独一无二")
    review = await compliance.reviewed(deal.submission_id)
    shown: list[pb.FindingRow] = []
    request = pb.ListFindingsRequest(campaign_id=deal.campaign_id, page_size=2)
    async with compliance.queries(("b", deal.brand_id, "brand")) as queries:
        for _ in range(10):
            answer = await queries.ListFindings(request)
            shown += answer.findings
            request.page_token = answer.page.next_page_token
            if not request.page_token:
                break
    assert len(shown) == len(review.findings) >= 5
    assert len({(row.finding.rule_id, row.finding.field, row.finding.span_start) for row in shown}) == len(shown)
    grave = pb.ListFindingsRequest(campaign_id=deal.campaign_id, severity_min=events.SEVERITY_BLOCKING)
    async with compliance.queries(("b", deal.brand_id, "brand")) as queries:
        blocking = (await queries.ListFindings(grave)).findings
    assert {row.finding.severity for row in blocking} == {events.SEVERITY_BLOCKING}
    assert len(blocking) < len(shown)
    async with compliance.queries(("x", new_id(), "brand")) as queries:
        assert not (await queries.ListFindings(pb.ListFindingsRequest(campaign_id=deal.campaign_id))).findings


async def test_a_page_token_of_another_query_is_refused(compliance: Compliance) -> None:
    async with compliance.queries() as queries:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await queries.ListFindings(pb.ListFindingsRequest(page_token="bm8"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_text_can_be_checked_without_submitting_it(compliance: Compliance) -> None:
    body = {"text": "这款面霜可以治疗湿疹", "product_category": "护肤", "platform": "xiaohongshu"}
    answer = await compliance.post("/checks", body, ("cleo", new_id(), "creator"))
    found = answer.json()
    assert (answer.status_code, found["verdict"], found["advert"]) == (200, "blocked", True)
    assert {finding["rule_id"] for finding in found["findings"]} == {"cn.medical_words", "cn.label.missing"}
    assert found["final_text"] == "广告 这款面霜可以治疗湿疹"


@pytest.mark.parametrize(
    "change",
    [
        {"text": 5},
        {"jurisdiction": "china"},
        {"colour": "red"},
        {"tags": ["a"] * 51},
        {"text": "a\x00b"},
        {"links": [""]},
    ],
)
async def test_a_malformed_check_is_refused_by_field(compliance: Compliance, change: dict[str, Any]) -> None:
    answer = await compliance.post("/checks", {"text": "周末妆容"} | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].partition(".")[0] == next(iter(change))


async def test_a_check_needs_a_caller(compliance: Compliance) -> None:
    answer = await compliance.post("/checks", {"text": "周末妆容"}, REVIEWER)
    assert answer.json()["verdict"] == "clear"


async def test_the_token_of_a_draft_leads_to_its_review(
    compliance: Compliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token of campaigns, whose log compliance's read model does not follow: the review is waited for by its name."""
    deal = Deal()
    token = f"campaigns:7:3:review-{deal.submission_id}"
    asked = asyncio.create_task(compliance.review(deal.submission_id, at_least=token))
    await compliance.ask(deal.stream, deal.submitted(CLEAN), deal.stream)
    assert (await asked).review_id == deal.submission_id
    monkeypatch.setattr(read_your_writes, "until_there", partial(until_there, limit_s=0.0))
    nowhere = new_id()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await compliance.review(nowhere, at_least=f"campaigns:7:3:review-{nowhere}")
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "review.pending" in str(refused.value.details())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await compliance.review(nowhere, at_least=f"campaigns:7:3:review-{deal.submission_id}")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT, (
        "a token of something else is one of a log not read here"
    )
