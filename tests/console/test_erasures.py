"""Being forgotten: asked for by the person on its page, or noted by an operator; declined with a reason that the person reads."""

from tests.console.test_money import confirmed
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent


async def test_a_creator_asks_and_is_answered(console: OpenConsole) -> None:
    async with console.visitor("creator") as creator:
        before = await opened(creator, "/profile/erasure")
        for told in ("What goes", "What stays, and how long", "four years"):
            assert told in before.text
        _, asked = await confirmed(creator, before.form("/profile/erasure"), {})
        assert "You asked to be forgotten" in asked.text
        assert "An operator answers until" in asked.text
        assert not [form for form in asked.forms if form.action == "/profile/erasure"], "it waits: once is enough"
    async with console.visitor("operator") as operator:
        form = (await opened(operator, "/erasures")).form("/decline-erasure")
        _, done = await confirmed(operator, form, {"reason": "contract.running"})
        assert "The request is answered." in done.text
    async with console.visitor("creator", "zh-CN") as creator:
        answered = await opened(creator, "/profile/erasure")
    assert "上次申请已答复" in answered.text
    assert "合同" in answered.text


async def test_an_operator_notes_a_letter(console: OpenConsole) -> None:
    async with console.visitor("operator") as operator:
        form = (await opened(operator, "/erasures")).form("/erasures")
        refused = await sent(operator, form, {"subject_id": "<b>me</b>"})
        assert refused.answer.status_code == 422
        assert 'id="subject_id-wrong"' in refused.answer.text
        done = await sent(operator, form, {"subject_id": console.cast["other-creator"].tenant})
        assert "The request stands here until it is answered." in done.text
    async with console.visitor("auditor") as auditor:
        shown = await opened(auditor, "/erasures")
        assert not [form for form in shown.forms if form.action == "/erasures"]
        assert (await auditor.post("/erasures", data={"_form": "f" * 32})).status_code == 403
