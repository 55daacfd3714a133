"""Weights of a match on the page: chosen in percents, confirmed, in force, put back; learned where past work teaches any."""

import pytest

from services.discovery.domain.matching import PARTS
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent

HERE = "/planner/weights"
STYLE = {f"weights.{at}.weight": "100" if part == "style" else "0" for at, part in enumerate(PARTS)}


@pytest.mark.parametrize(("name", "status"), [("operator", 200), ("auditor", 200), ("brand", 403), ("reviewer", 403)])
async def test_who_sees_the_weights(console: OpenConsole, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(HERE)).status_code == status
        planner = await opened(visitor, "/planner")
        assert (HERE in planner.links) == (status == 200)


async def test_weights_are_chosen_and_put_back(console: OpenConsole) -> None:
    async with console.visitor("operator") as operator:
        page = await opened(operator, HERE)
        before = page.text.count("put back")
        wrong = await sent(operator, page.form("/adopt"), STYLE | {"weights.1.weight": "20", "reason": "style"})
        sure = await sent(operator, wrong.form("/adopt"), {})
        assert sure.answer.status_code == 422
        assert "not 100 percent together" in sure.text
        asked = await sent(operator, page.form("/adopt"), STYLE | {"reason": "style sells"})
        assert "every match of every brand" in asked.text
        adopted = await sent(operator, asked.form("/adopt"), {})
        assert "style sells" in adopted.text
        back = await sent(operator, adopted.form("/restore"), {"version": "0", "reason_back": "it did not"})
        restored = await sent(operator, back.form("/restore"), {})
    assert restored.text.count("put back") > before
    async with console.visitor("auditor", "zh-CN") as auditor:
        seen = await opened(auditor, HERE)
    assert "恢复第 0 版" in seen.text
    assert not [one for one in seen.forms if one.method == "post" and one.action.startswith(HERE)]


@pytest.mark.parametrize(("lang", "told"), [("en", "Too little work has ended"), ("zh-CN", "结束的合作还太少")])
async def test_too_little_to_learn_from_is_said(console: OpenConsole, lang: str, told: str) -> None:
    async with console.visitor("operator", lang) as operator:
        answer = await operator.get(HERE, params={"learn": "1"})
    assert answer.status_code == 409
    assert told in answer.text
