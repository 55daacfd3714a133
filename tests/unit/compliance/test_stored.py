"""Stored and published forms: golden bytes of every event ever stored stay readable, every event has one public message."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as pb

from kernel.core.events import REFUSED_NAME, CommandRefused, Delivered
from kernel.core.personal import EraseNow, ErasureAsked, ErasureDone, ErasurePostponed
from kernel.streams.relay import PublicEvent
from services.compliance.codec import CODEC, COMMANDS, EVENTS, PRIVATE
from services.compliance.domain import erasure, live, review
from services.compliance.domain.findings import Content, Evidence, Finding, Severity, Verdict
from services.compliance.publish import FORMS, publish
from tests.kit.forms import check_forms
from tests.unit.compliance.given import ABOUT, NOON

GOLDEN = Path(__file__).parent / "golden"
CONTENT = Content(
    "全网最低价", "标题", ("通勤",), ("https://shop.example/1",), "xiaohongshu", "image_note", "CN", "美妆", "fixed",
    ("SAVE10",), "draft", True, False, (Evidence("approval", "防晒霜", "国妆特字1", date(2027, 3, 1)),),
)  # fmt: skip
FINDING = Finding(
    "cn.superlative",
    "CN",
    "中华人民共和国广告法",
    "第九条第（三）项",
    Severity.BLOCKING,
    "text",
    0,
    5,
    "全网最低价",
    "why",
    "fix",
)
POST = live.Post("xiaohongshu", "p-1", "https://posts.example/1", "广告", "CN", "a" * 64, "xiaohongshu@1", "text_start")
LOOK = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4eff"
SAMPLES: dict[str, Any] = {
    "review.opened@2": review.ReviewOpened(ABOUT, CONTENT, 1, "zh-CN", "a" * 64, NOON, NOON),
    "review.disclosure_attached@1": review.DisclosureAttached(
        ABOUT, "广告", "text_start", "CN", "zh", "xiaohongshu", "image_note", "CN@2026-02-01/cn.label.missing", NOON
    ),
    "review.completed@2": review.ReviewCompleted(
        ABOUT, Verdict.BLOCKED, (FINDING,), ("CN@2026-02-01",), "CN", False, "", NOON
    ),
    "review.reviewer_decided@2": review.ReviewerDecided(ABOUT, "rita", True, "有依据", NOON),
    "look.scheduled@1": live.LooksScheduled(ABOUT, POST, NOON, NOON, NOON, 1),
    "look.requested@1": live.LookRequested(LOOK, ABOUT, POST, 1, NOON, None),
    "look.looked_at@1": live.ContentLookedAt(LOOK, ABOUT, POST, 1, True, True, True, "a" * 64, NOON),
    "look.disclosure_missing@1": live.DisclosureMissing(LOOK, ABOUT, POST, NOON),
    "look.ended@1": live.LooksEnded(ABOUT, "brand.request", NOON),
    "subject.erasure_requested@1": erasure.ErasureRequested(LOOK, NOON),
    "subject.erased@1": erasure.SubjectErased(LOOK, "request.subject", NOON),
    "subject.erasure_declined@1": erasure.ErasureDeclined(LOOK, "contract.running", NOON),
    "look.request@1": live.RequestLook(2),
    "erasure.postponed@1": ErasurePostponed(LOOK, NOON),
    "erasure.asked@1": ErasureAsked(LOOK),
    "erasure.done@1": ErasureDone(LOOK),
    "erasure.erase_now@1": EraseNow(LOOK),
}


def test_every_stored_name_has_a_sample_and_a_golden_file() -> None:
    assert SAMPLES.keys() == EVENTS.keys() | PRIVATE.keys() | COMMANDS.keys()
    assert {path.stem for path in GOLDEN.glob("*.json")} >= SAMPLES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_stored_is_read_and_stored_the_same(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")
    assert CODEC.decode(name, data) == SAMPLES[name]
    assert CODEC.encode(SAMPLES[name]) == (name, data)


def published(event: object) -> Sequence[Any]:
    return publish(Delivered("compliance", "s@1", f"review-{ABOUT.submission_id}", 1, 1, ABOUT.brand_id, NOON, event))


SUBJECTS = ("subject.erasure_requested@1", "subject.erased@1", "subject.erasure_declined@1")


@pytest.mark.parametrize("name", SUBJECTS)
def test_an_erasure_is_published_with_the_person(name: str) -> None:
    (announced,) = published(SAMPLES[name])
    message = getattr(pb, announced.type.rpartition(".")[2]).FromString(announced.value)
    assert message.subject_id == LOOK
    assert message.ListFields()[-1][1].ToDatetime(tzinfo=NOON.tzinfo) == NOON


@pytest.mark.parametrize("name", [one for one in EVENTS if one not in SUBJECTS])
def test_every_event_has_one_public_message_with_the_parties(name: str) -> None:
    (announced,) = published(SAMPLES[name])
    assert isinstance(announced, PublicEvent)
    message = getattr(pb, announced.type.rpartition(".")[2])()
    message.ParseFromString(announced.value)
    assert (message.brand_id, message.creator_id) == (ABOUT.brand_id, ABOUT.creator_id)
    assert message.deliverable_id == ABOUT.deliverable_id


def test_the_steps_of_an_erasure_are_not_published() -> None:
    assert [published(SAMPLES[name]) for name in PRIVATE] == [[]] * len(PRIVATE)


def test_no_public_form_is_forgotten() -> None:
    check_forms(FORMS, *EVENTS.values())


def test_the_text_under_review_is_not_published() -> None:
    (announced,) = published(SAMPLES["review.opened@2"])
    assert "全网最低价".encode() not in announced.value


def test_a_published_finding_says_law_place_and_cure() -> None:
    (announced,) = published(SAMPLES["review.completed@2"])
    message = pb.ReviewCompleted.FromString(announced.value)
    (finding,) = message.findings
    assert message.verdict == common.VERDICT_BLOCKED
    assert finding.law == "中华人民共和国广告法 第九条第（三）项"
    assert (finding.field, finding.span_start, finding.span_end) == ("text", 0, 5)
    assert finding.severity == pb.SEVERITY_BLOCKING


def test_a_refusal_tells_code_and_facts() -> None:
    refused = CommandRefused("c-1", "review-1", "ReviewContent", "review.text_too_long", '{"limit":20000,"soft":false}')
    assert CODEC.name_of(CommandRefused) == REFUSED_NAME
    (announced,) = published(refused)
    message = pb.CommandRefused.FromString(announced.value)
    assert (message.command_id, message.requester, message.code) == ("c-1", "review-1", "review.text_too_long")
    assert {fact.name: fact.value for fact in message.facts} == {"limit": "20000", "soft": "false"}
