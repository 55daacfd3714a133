"""The sign-in page: both languages, everybody on it, nothing of what people type taken for markup."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.story.market import AUDITOR, FINANCE, OPERATOR, REVIEWER, SECOND
from cli.story.plan import BRANDS
from sandbox.identity import people
from tests.kit.identity import provider, told

PARTY = "6f1c1a52-0f0e-4a55-9d5b-1f6f0a7a3c11"


class Page(HTMLParser):
    """What a page holds: tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text = list[tuple[str, Mapping[str, str | None]]](), ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, tag: str, name: str) -> Iterator[str | None]:
        return (given[name] for kind, given in self.tags if kind == tag and name in given)


@pytest.mark.parametrize(("locale", "accept", "lang"), [
    ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("", "en-GB", "en"), ("en", "zh", "en"), ("zh-TW", "", "zh-CN"),
    ("fr", "de,zh;q=0.5", "zh-CN"), ("", "", "en"),
])  # fmt: skip
async def test_the_page_speaks_the_reader_s_language_and_lists_everybody(
    tmp_path: Path, locale: str, accept: str, lang: str
) -> None:
    async with provider(tmp_path) as browser:
        asked = browser.asked(ui_locales=locale)
        answer = await browser.http.get("/authorize", params=asked, headers={"accept-language": accept})
    page = Page(answer.text)
    assert list(page.values("html", "lang")) == [lang]
    assert set(page.values("button", "value")) == {one.subject for one in people.STORY}
    assert ("选择您的身份" in page.text) == (lang == "zh-CN")
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [to for to in [*page.values("link", "href"), *page.values("img", "src")] if to]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("typed", "field"), [
    ({"role": "finance", "party": PARTY}, "role"), ({"role": "brand", "party": "platform"}, "party"),
    ({"role": "brand", "party": ""}, "party"), ({"role": "brand", "party": PARTY, "name": "a\u202eb"}, "name"),
    ({"role": "brand", "party": PARTY, "name": "n" * 81}, "name"), ({"role": "brand", "party": PARTY, "name": "olga"}, "name"),
])  # fmt: skip
async def test_nobody_is_made_up_as_staff_or_of_no_id_and_what_was_typed_stays(
    tmp_path: Path, typed: dict[str, str], field: str
) -> None:
    async with provider(tmp_path) as browser:
        answer = await browser.http.post("/authorize", data={**browser.asked(), **typed})
    assert answer.status_code == 422
    page = Page(answer.text)
    assert f"{field}-bad" in set(page.values("p", "id"))
    assert typed["party"] in set(page.values("input", "value"))


async def test_what_people_type_is_never_markup(tmp_path: Path) -> None:
    hostile = '"><script>alert(1)</script>'
    async with provider(tmp_path) as browser:
        asked = browser.asked(state=hostile, ui_locales=f"en {hostile}")
        first = await browser.http.get("/authorize", params=asked)
        made = await browser.http.post("/authorize", data={**asked, "role": "brand", "party": PARTY, "name": hostile})
        assert told(made)["state"] == hostile
        second = await browser.http.get("/authorize", params=asked)
        third = await browser.http.post(
            "/authorize", data={**asked, "role": hostile, "party": hostile, "name": hostile}
        )
    for answer in (first, second, third):
        assert "script" not in {tag for tag, _ in Page(answer.text).tags}


def test_the_page_lists_the_people_of_the_story() -> None:
    listed = {(one.subject, one.tenant, one.roles) for one in people.STORY}
    for who in (BRANDS["bella"], REVIEWER, FINANCE, SECOND, OPERATOR, AUDITOR):
        assert (who.name, who.tenant, (who.role,)) in listed
    assert [one.roles for one in people.STORY].count(("creator",)) == 2
    assert ("agency",) in {one.roles for one in people.STORY}
