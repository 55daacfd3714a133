"""Reviews and rules: what waits, where findings stand, a decision, the rules of a day, what changes, and a text tried."""

import re

import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.kit.waiting import DOUBTFUL, waiting_review


@pytest.fixture(scope="module")
async def review_id(console: OpenConsole) -> str:
    return await waiting_review(console.layout)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("reviewer", {"/reviews": 200, "/reviews?decided=1": 200, "/rules": 200}),
        ("auditor", {"/reviews": 200, "/rules/changes": 200}),
        ("brand", {"/reviews": 403, "/rules": 200, "/rules/try": 200}),
        ("finance", {"/reviews": 403}),
    ],
)
async def test_who_may_open_what(console: OpenConsole, name: str, paths: dict[str, int]) -> None:
    async with console.visitor(name) as visitor:
        assert {path: (await visitor.get(path)).status_code for path in paths} == paths


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_a_finding_is_marked_where_it_stands_and_told_in_the_reader_s_language(
    console: OpenConsole, review_id: str, lang: str
) -> None:
    async with console.visitor("reviewer", lang) as reviewer:
        assert f"/reviews/{review_id}" in (await opened(reviewer, "/reviews")).links
        shown = await opened(reviewer, f"/reviews/{review_id}")
    assert re.search(r'<mark class="warn">首选', shown.answer.text)
    assert ("Advertising Law of the PRC" in shown.text) == (lang == "en")
    assert ("中华人民共和国广告法" in shown.text) == (lang == "zh-CN")


async def test_parties_read_a_review_and_strangers_do_not(console: OpenConsole, review_id: str) -> None:
    async with console.visitor("brand") as brand:
        shown = await opened(brand, f"/reviews/{review_id}")
    assert DOUBTFUL[3:5] in shown.text
    assert not [form for form in shown.forms if form.action.endswith("/decide")]
    async with console.visitor("other-brand") as stranger:
        assert (await stranger.get(f"/reviews/{review_id}")).status_code == 404


async def test_a_reviewer_decides_with_a_reason(console: OpenConsole, review_id: str) -> None:
    async with console.visitor("reviewer") as reviewer:
        form = (await opened(reviewer, f"/reviews/{review_id}")).form("/decide")
        refused = await sent(reviewer, form, {"approved": "true", "reason": "  "})
        assert refused.answer.status_code == 422
        assert "Please fill this in." in refused.text
        done = await sent(reviewer, form, {"approved": "true", "reason": "一家商店的首选，不是全网"})
        assert "Your voice is given" in done.text
        twice = await sent(reviewer, form, {"approved": "true", "reason": "一家商店的首选，不是全网"})
        assert twice.answer.status_code == 200
        shown = await opened(reviewer, f"/reviews/{review_id}")
    assert "一家商店的首选，不是全网" in shown.text
    assert not [form for form in shown.forms if form.action.endswith("/decide")]


async def test_rules_of_a_day_and_what_changes(console: OpenConsole) -> None:
    async with console.visitor("auditor") as auditor:
        now = await opened(auditor, "/rules?jurisdiction=CN")
        before = await opened(auditor, "/rules?jurisdiction=CN&on=2024-08-22")
        changes = await opened(auditor, "/rules/changes?jurisdiction=CN&since=2024-08-01")
        nowhere = await opened(auditor, "/rules?jurisdiction=XX&on=never")
    assert "cn.label.weak" in now.text
    assert "cn.label.weak" not in before.text
    assert "2024-08-23" in changes.text
    assert "No rules that day" in nowhere.text


@pytest.mark.parametrize(
    ("text", "said"),
    [("全网第一，药到病除", "Blocked"), ("广告 周末出门妆", "Clear"), ("<script>alert(1)</script>", "Clear")],
)
async def test_a_text_is_tried(console: OpenConsole, text: str, said: str) -> None:
    async with console.visitor("creator") as creator:
        form = (await opened(creator, "/rules/try")).form("/rules/try")
        shown = await sent(creator, form, {"text": text})
        empty = await sent(creator, form, {"text": " "})
    assert said in shown.text
    assert "<script>alert" not in shown.answer.text
    assert empty.answer.status_code == 422
