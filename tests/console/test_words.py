"""Every text of a page is there in every language, and every word of a template is marked."""

import re
from pathlib import Path

import pytest
from dandelion.compliance.v1.events_pb2 import Finding

from console.look.findings import told
from console.words import CATALOGS, LANGUAGES, chosen, translations
from console.words.catalogs import ROOT, said, untranslated
from console.words.goods import GOODS, LAWS
from services.compliance.packs import shipped_packs

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CODE = re.compile(r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>|[\w-]+=\"[^\"]*\"", re.DOTALL)
BARE = re.compile(r"[^\W\d_]{2,}")
UNITS = frozenset({"Ctrl"})
"""Letters that are the same in every language."""


@pytest.mark.parametrize("lang", sorted(CATALOGS))
def test_every_text_is_translated(lang: str) -> None:
    assert untranslated(lang) == []


def test_texts_are_found() -> None:
    assert "What needs you now" in said()["home"]
    assert translations("zh-CN").gettext("What needs you now") == "待您处理"


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(ROOT / "templates")))
def test_no_word_of_a_template_is_bare(file: Path) -> None:
    text = TAGS.sub(" ", CODE.sub(" ", file.read_text()))
    assert [word for word in BARE.findall(text) if word not in UNITS] == []


@pytest.mark.parametrize(
    ("wanted", "accepted", "lang"),
    [("zh-CN", "en", "zh-CN"), ("", "zh-TW,en;q=0.5", "zh-CN"), ("", "fr, en;q=0.8", "en"), ("xx", "", "en")],
)
def test_a_visitor_is_read_in_the_language_asked_for(wanted: str, accepted: str, lang: str) -> None:
    assert chosen(wanted, accepted) == lang
    assert lang in LANGUAGES


@pytest.mark.parametrize("lang", sorted(CATALOGS))
@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_a_number_of_things_is_told_in_the_language(lang: str, number: int) -> None:
    one, many = next(text for room in said().values() for text in room if isinstance(text, tuple))
    assert translations(lang).ngettext(one, many, number) not in (one, many)


def test_what_the_rule_packs_name_has_a_name_for_people() -> None:
    packs = list(shipped_packs())
    assert {word for pack in packs for word in pack.categories.values()} <= set(GOODS)
    assert {pack.jurisdiction for pack in packs} <= set(LAWS)


def test_the_place_of_a_label_is_told_in_words() -> None:
    finding = Finding(rule_id="cn.label", suggestion="发布时自动标注：广告 (overlay)")
    assert told(finding, {}, "zh-CN").suggestion == "发布时自动标注：广告 (画面叠加)"
    assert told(finding, {}, "en").suggestion == "发布时自动标注：广告 (Overlay)"
