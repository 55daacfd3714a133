"""Which label is due, and whether a text shows one."""

from datetime import UTC, datetime

import pytest
from dandelion_posts.labels import core, leading, spellings
from dandelion_posts.labels import find as label_in

from services.compliance.domain.disclosure import Label, carries, find, shows, with_label
from services.compliance.domain.findings import Content, is_advert
from services.compliance.domain.packs import Pack, in_force
from services.compliance.packs import shipped_packs


@pytest.mark.parametrize(
    ("jurisdiction", "platform", "format", "label", "placement"),
    [
        ("CN", "xiaohongshu", "image_note", "广告", "text_start"),
        ("CN", "xiaohongshu", "video", "广告", "text_start"),
        ("CN", "douyin", "video", "广告", "overlay"),
        ("US", "instagram", "image_note", "#ad", "text_start"),
        ("US", "youtube", "video", "Paid promotion", "overlay"),
        ("UK", "instagram", "story", "Ad", "overlay"),
        ("FR", "instagram", "image_note", "Publicité", "text_start"),
        ("EU", "", "", "Advertising", "text_start"),
    ],
)
def test_the_label_is_data(jurisdiction: str, platform: str, format: str, label: str, placement: str) -> None:
    pack = in_force(shipped_packs(), jurisdiction, datetime(2026, 11, 1, tzinfo=UTC))
    assert pack is not None
    due = pack.labels.due(Content(text="", platform=platform, format=format))
    assert (due.label, due.placement) == (label, placement)


@pytest.mark.parametrize(
    ("wording", "text", "shown"),
    [
        ("广告", "【广告】周末出门妆", True),
        ("广告", "#广告 周末出门妆", True),
        ("广告", "【广\u200b告】周末", True),
        ("广告", "这不是广告哦", False),
        ("#ad", "My routine #ad", True),
        ("#ad", "My routine #adventure", False),
        ("#ad", "My routine ＃ＡＤ", True),
        ("ad", "Ad: my routine", True),
        ("ad", "my dad", False),
        ("paid partnership", "Paid  partnership with Acme", True),
        ("Publicité", "PUBLICITÉ - mon sérum", True),
        ("Publicité", "antipublicité", False),
    ],
)
def test_a_label_is_seen_as_a_label_only(wording: str, text: str, shown: bool) -> None:
    assert shows(wording, text) is shown


def test_the_place_of_a_label_is_in_characters_of_the_original() -> None:
    span = find("广告", "🌟【广\u200b告】")
    assert span is not None
    assert (span.start, span.end) == (2, 5)


LABEL = Label("CN", "zh", "*", "*", "广告", "text_start")


def test_the_label_is_put_in_front_once() -> None:
    title, text = with_label(LABEL, "标题", "周末出门妆")
    assert (title, text) == ("标题", "广告 周末出门妆")
    assert with_label(LABEL, title, text) == (title, text)


@pytest.mark.parametrize(
    ("title", "text", "carried"),
    [
        ("", "广告 周末", True),
        ("", "广告周末", True),
        ("广告｜周末", "", True),
        ("", "周末【广告】", True),
        ("", "周末，不是广告", False),
    ],
)
def test_a_post_carries_its_label(title: str, text: str, carried: bool) -> None:
    assert carries("广告", title, text) is carried


def test_a_latin_label_goes_in_front_too() -> None:
    assert with_label(Label("US", "en", "*", "*", "#ad", "text_start"), "", "My day") == ("", "#ad My day")


@pytest.mark.parametrize(
    ("content", "advert"),
    [
        (Content(text="", compensation="gift"), True),
        (Content(text="", compensation="commission"), True),
        (Content(text="广告", compensation="none"), False),
        (Content(text="", compensation="none", links=("https://shop.example/1",)), True),
        (Content(text="", compensation="none", codes=("SAVE10",)), True),
        (Content(text="", compensation=""), True),
    ],
)
def test_the_deal_decides_what_is_an_advert_not_the_label(content: Content, advert: bool) -> None:
    assert is_advert(content) is advert


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda pack: str(pack.id))
def test_what_stands_in_the_place_of_a_label_is_what_its_law_takes(pack: Pack) -> None:
    taken = {core(wording) for wording in pack.labels.accepted}
    bare = {word for word in taken if leading((word,), f"{word}: a text") and not label_in(word, f"a {word} here")}
    for label in {label.label for label in pack.labels.attach}:
        found = {core(spelling) for spelling in spellings(label)}
        assert bare | {core(label)} <= found <= taken | {core(label)}
