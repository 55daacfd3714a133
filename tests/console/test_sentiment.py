"""Sentiment on the page: a campaign's comments by content and day, and texts of one's own scored and not kept."""

import pytest

from cli.story.plan import DEALS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.unit.metrics.test_sentiment import BAD, GOOD

HERE = f"/performance/{DEALS[0].id}/sentiment"


@pytest.mark.parametrize(
    ("lang", "good", "bad", "none"),
    [("en", "positive", "negative", "a language that no model reads"), ("zh-CN", "正面", "负面", "没有模型能读的语言")],
)
async def test_texts_are_scored(console: OpenConsole, lang: str, good: str, bad: str, none: str) -> None:
    async with console.visitor("brand", lang) as brand:
        page = await opened(brand, HERE)
        shown = await sent(brand, page.form("/sentiment"), {"texts": "\n".join((GOOD[0], BAD[2], "とても良い"))})
    rows = shown.text.partition(GOOD[0])[2]
    assert rows.startswith(f" {good}")
    assert f"{BAD[2]} {bad}" in rows
    assert f"とても良い {none}" in rows


async def test_nothing_typed_is_said_and_too_much_keeps_what_was_typed(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        page = await opened(brand, HERE)
        empty = await sent(brand, page.form("/sentiment"), {"texts": ""})
        assert empty.answer.status_code == 422
        many = await sent(brand, page.form("/sentiment"), {"texts": "\n".join(["fine"] * 501)})
    assert many.answer.status_code == 422
    assert "Write 1 to 500 texts" in many.text
    assert many.form("/sentiment").fields["texts"][0].count("fine") == 501


async def test_a_campaign_without_comments_is_not_measured(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        page = await opened(brand, HERE)
    assert "No comment was scored yet" in page.text
    assert "not measured" in page.text


async def test_a_campaign_of_others_is_not_there(console: OpenConsole) -> None:
    async with console.visitor("other-creator") as stranger:
        assert (await stranger.get(HERE)).status_code == 404
