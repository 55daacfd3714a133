"""What comes in: other services' messages, and the platform's answers."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import httpx
import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as commands

from kernel.core.faults import Fault, Unavailable
from services.compliance.domain.findings import Evidence
from services.compliance.domain.live import ContentPublished, ContentTakenDown, Post, RecordLook
from services.compliance.effects import record_of
from services.compliance.ports import HttpPlatform, Seen, Unreadable
from services.compliance.subscribe import decode, decode_command
from tests.unit.compliance.given import ABOUT, BRAND, CAMPAIGN, COLLABORATION, CREATOR, DELIVERABLE, NOON, SUBMISSION

IDS: dict[str, Any] = {
    "submission_id": SUBMISSION, "deliverable_id": DELIVERABLE, "collaboration_id": COLLABORATION,
    "campaign_id": CAMPAIGN, "brand_id": BRAND, "creator_id": CREATOR,
}  # fmt: skip


def test_a_published_post_comes_in() -> None:
    message = campaigns.ContentPublished(
        **IDS, platform=common.PLATFORM_DOUYIN, post_id="p-1", label="广告", protection_s=9
    )
    message.published_at.FromDatetime(NOON)
    found = decode(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert found == ContentPublished(ABOUT, Post("douyin", "p-1", "", "广告", "", ""), NOON, 0, 9)


def test_a_post_taken_down_comes_in() -> None:
    message = campaigns.ContentTakenDown(deliverable_id=DELIVERABLE, reason="content.gone")
    found = decode(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert found == ContentTakenDown(DELIVERABLE, "content.gone")


def test_all_that_a_virtual_human_shows_is_made_by_ai() -> None:
    message = commands.ReviewContent(**IDS, text="t", virtual_human=True)
    message.media.add(ai_made=False)
    message.submitted_at.FromDatetime(NOON)
    found = decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert found is not None
    assert found[1].content.ai_made


def test_a_request_for_review_comes_in() -> None:
    message = commands.ReviewContent(**IDS, text="t", stage=common.SUBMISSION_STAGE_FINAL, product_used=True)
    message.media.add(ai_made=True)
    message.products.add(name="防晒霜", approval_number="国妆特字1")
    message.products.add(name="口红")
    message.evidence.add(kind="registered_name", phrase="最佳伴侣", reference="1234567", expires_on="2027-03-01")
    message.compensation_kind = common.COMPENSATION_KIND_GIFT
    message.submitted_at.FromDatetime(NOON)
    found = decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert found is not None
    stream, command = found
    assert stream == f"review-{SUBMISSION}"
    assert (command.about, command.submitted_at) == (ABOUT, NOON)
    content = command.content
    assert (content.stage, content.compensation, content.ai_made, content.product_used) == ("final", "gift", True, True)
    assert content.evidence == (
        Evidence("registered_name", "最佳伴侣", "1234567", date(2027, 3, 1)),
        Evidence("approval", "防晒霜", "国妆特字1"),
    )


def test_a_day_that_is_none_is_refused() -> None:
    message = commands.ReviewContent(**IDS)
    message.evidence.add(kind="approval", reference="1", expires_on="soon")
    with pytest.raises(ValueError, match="soon"):
        decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())


def test_other_types_are_nobodys_business_here() -> None:
    assert decode("dandelion.campaigns.v1.BriefPublished", b"") is None
    assert decode_command("dandelion.compliance.v1.Unknown", b"") is None


@pytest.mark.parametrize("value", [b"\xff\xff\xff", campaigns.ContentPublished(deliverable_id="x").SerializeToString()])
def test_bytes_that_are_no_such_message_are_refused(value: bytes) -> None:
    with pytest.raises((ValueError, Fault)):
        decode("dandelion.campaigns.v1.ContentPublished", value)


def platform(answer: httpx.Response | Exception) -> HttpPlatform:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        assert request.url.path == "/platform/posts/p-1"
        return answer

    transport = httpx.MockTransport(respond)
    return HttpPlatform("", httpx.AsyncClient(transport=transport, base_url="http://platform.test"))


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (httpx.Response(200, json={"text": "t", "title": "h", "label": "广告", "likes": 3}), Seen("t", "h", "广告")),
        (httpx.Response(200, json={"text": "t", "title": None}), Seen("t")),
        (httpx.Response(404), None),
        (httpx.Response(410), None),
    ],
)
async def test_the_platform_shows_a_post_or_says_it_is_gone(answer: httpx.Response, seen: Seen | None) -> None:
    asked = platform(answer)
    assert await asked.look("xiaohongshu", "p-1", "look-1") == seen
    await asked.close()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(503), httpx.Response(429), httpx.ConnectError("refused")],
)
async def test_a_platform_that_cannot_tell_now_is_asked_again(answer: httpx.Response | Exception) -> None:
    asked = platform(answer)
    with pytest.raises(Unavailable):
        await asked.look("xiaohongshu", "p-1", "look-1")
    await asked.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(405),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=["text"]),
        httpx.Response(200, json={"title": "no text"}),
        httpx.Response(200, content=b"x" * 1_000_001),
    ],
    ids=["refused", "no_json", "no_object", "no_text", "too_large"],
)
async def test_an_answer_that_says_nothing_is_final_and_no_evidence(answer: httpx.Response) -> None:
    asked = platform(answer)
    seen = await asked.look("xiaohongshu", "p-1", "look-1")
    assert isinstance(seen, Unreadable)
    assert record_of(1, AGREED, seen, NOON.date()).unreadable == seen.reason
    await asked.close()


AGREED = Post("xiaohongshu", "p-1", "https://posts.example/1", "广告", "CN", sha256("广告 好用".encode()).hexdigest())


@pytest.mark.parametrize(
    ("seen", "label", "text"),
    [
        (Seen("广告 好用"), True, True),
        (Seen("好用"), False, False),
        (Seen("好用", title="广告｜好用"), True, False),
        (Seen("好用", label="广告"), True, False),
        (Seen("广告 好用！"), True, False),
    ],
)
def test_what_a_look_records(seen: Seen, label: bool, text: bool) -> None:
    text_hash = sha256(seen.text.encode()).hexdigest()
    assert record_of(3, AGREED, seen, NOON.date()) == RecordLook(3, True, label, text, text_hash)


REWRITTEN = replace(AGREED, normal_form="xiaohongshu@1", text_hash=sha256("广告 好用 #口红".encode()).hexdigest())


@pytest.mark.parametrize(
    ("text", "label", "same"),
    [
        ("广告 好用 #口红", True, True),
        ("广告 好用 #口红[话题]#\r\n", True, True),
        ("广告 好用 #口红色[话题]#", True, False),
        ("不是广告 好用 #口红", False, False),
        ("好用 #口红\n\n\n广告", False, False),
    ],
)
def test_what_the_platform_rewrites_is_no_change(text: str, label: bool, same: bool) -> None:
    seen = record_of(1, REWRITTEN, Seen(text), NOON.date())
    assert (seen.label_present, seen.text_unchanged) == (label, same)


@pytest.mark.parametrize(
    ("label", "text", "mark", "carried"),
    [
        ("Ad", "AD: trainers", "", True),
        ("Ad", "Adidas trainers are my go-to", "", False),
        ("Ad", "trainers", "#AD", True),
        ("Ad", "trainers", "Advice", False),
    ],
)
def test_the_label_is_a_word_or_the_platforms_own_mark(label: str, text: str, mark: str, carried: bool) -> None:
    assert record_of(1, replace(AGREED, label=label), Seen(text, "", mark), NOON.date()).label_present is carried


def test_a_normal_form_of_a_later_release_is_looked_at_later() -> None:
    with pytest.raises(Unavailable):
        record_of(1, replace(AGREED, normal_form="xiaohongshu@99"), Seen("广告 好用"), NOON.date())


def test_what_a_look_at_nothing_records() -> None:
    assert record_of(3, AGREED, None, NOON.date()) == RecordLook(3, False, False, False, "")
