"""A service that is away, or takes no more just now, costs nothing that was typed: the form is kept, and counts once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from console.calls.clients import Services
from console.calls.problems import Problem
from tests.kit.console import OpenConsole
from tests.kit.lively import BRIEF, platform_of
from tests.kit.pages import opened, sent
from tests.kit.written import events_of

TITLE = "Rain in the city, typed with care"


@contextmanager
def away(problem: Problem) -> Iterator[None]:
    """Every service answers with a problem until the block ends."""

    async def refuse(*_: Any, **__: Any) -> Any:
        raise problem

    with pytest.MonkeyPatch.context() as patch:
        for name in ("ask", "command"):
            patch.setattr(Services, name, refuse)
        yield


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Problem("exhausted", "rate.exhausted", {"retry_after_s": "1"}), "more requests a second"),
        (Problem("unavailable", "service.unavailable"), "Nothing that you typed is lost"),
    ],
    ids=["too many", "away"],
)
async def test_a_form_is_kept_and_sent_again_once(console: OpenConsole, problem: Problem, told: str) -> None:
    title, name = f"{TITLE}: {problem.kind}", console.cast["brand"].name
    async with console.visitor("brand") as brand:
        form = (await opened(brand, "/briefs/new")).form("/briefs/new")
        typed = {**BRIEF, "brief.title": title, "brief.deliverables.0.platform": platform_of(console)}
        with away(problem):
            kept = await sent(brand, form, typed)
            assert kept.answer.status_code == problem.status
            assert told in kept.text
            again = kept.form("/briefs/new")
            assert again.fields["brief.title"] == [title]
            assert (await sent(brand, again, {})).answer.status_code == problem.status
        before = events_of(console.layout, [name])
        first = await sent(brand, again, {})
        once = events_of(console.layout, [name])
        second = await sent(brand, again, {})
    assert first.answer.status_code == second.answer.status_code == httpx.codes.OK
    assert str(first.answer.url) == str(second.answer.url)
    assert events_of(console.layout, [name]) == once != before


async def test_a_page_that_is_asked_for_says_so_and_keeps_nothing(console: OpenConsole) -> None:
    async with console.visitor("brand", "zh-CN") as brand:
        with away(Problem("unavailable", "service.unavailable")):
            shown = await brand.get("/campaigns")
    assert shown.status_code == 503
    assert "您输入的内容都还在" not in shown.text
