"""Which label is due, and whether a text shows one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from dandelion_posts.labels import core, leading, spellings, toggle
from dandelion_posts.labels import find as label_in

from services.compliance.domain.disclosure import Label, Shown, carries, find, shows, with_label
from services.compliance.domain.findings import Content, Evidence, is_advert
from services.compliance.domain.packs import Pack, in_force
from services.compliance.domain.review import judge
from services.compliance.packs import shipped_packs

DAY = date(2026, 11, 1)


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
    title, text = with_label(LABEL, "标题", "周末出门妆", DAY)
    assert (title, text) == ("标题", "广告 周末出门妆")
    assert with_label(LABEL, title, text, DAY) == (title, text)


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
    assert carries("广告", Shown(title, text), DAY) is carried


def test_a_latin_label_goes_in_front_too() -> None:
    assert with_label(Label("US", "en", "*", "*", "#ad", "text_start"), "", "My day", DAY) == ("", "#ad My day")


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
        found = {core(spelling) for spelling in spellings(label, pack.valid_from)}
        assert bare | {core(label)} <= found <= taken | {core(label)}


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda pack: str(pack.id))
def test_before_its_law_nothing_stands_in_the_place_of_a_label(pack: Pack) -> None:
    first = min(each.valid_from for each in shipped_packs() if each.jurisdiction == pack.jurisdiction)
    before = min(first, date(2023, 3, 23)) - timedelta(days=1)
    for label in {label.label for label in pack.labels.attach}:
        assert spellings(label, before) == (label,)
        assert not toggle(label, "instagram", before)


@pytest.mark.parametrize(
    ("shown", "placement", "carried"),
    [
        (Shown("", "A serum", mark="Paid partnership"), "platform_toggle", True),
        (Shown("", "Paid partnership: a serum"), "platform_toggle", False),
        (Shown("", "A serum"), "platform_toggle", False),
        (Shown("", "A serum", overlay="Paid partnership"), "platform_toggle", False),
    ],
)
def test_a_post_under_the_platforms_mark_is_labelled_by_that_mark_alone(
    shown: Shown, placement: str, carried: bool
) -> None:
    assert carries("Paid partnership", shown, DAY, placement) is carried


@pytest.mark.parametrize(
    ("overlay", "carried"), [("#ad", True), ("AD: my serum", True), ("my dad", False), ("", False)]
)
def test_a_label_on_the_picture_counts_where_the_platform_tells_of_it(overlay: str, carried: bool) -> None:
    assert carries("#ad", Shown("", "A serum", overlay=overlay), DAY, "overlay") is carried


def declared(phrase: str, platform: str, format: str = "") -> Content:
    proof = Evidence("disclosure", phrase, "settings of the post")
    return Content("A serum", platform=platform, format=format, jurisdiction="EU", evidence=(proof,))


@pytest.mark.parametrize(
    ("content", "placement"),
    [
        (declared("platform_toggle", platform="instagram"), "platform_toggle"),
        (declared("platform_toggle", platform="weibo"), "text_start"),
        (declared("overlay", platform="instagram", format="story"), "overlay"),
        (declared("overlay", platform="instagram", format="image_note"), "text_start"),
        (declared("a promise", platform="instagram"), "text_start"),
    ],
)
def test_a_declared_disclosure_is_attached_where_the_law_takes_it(content: Content, placement: str) -> None:
    judged = judge(shipped_packs(), content, datetime(2026, 11, 1, tzinfo=UTC))
    assert judged.label is not None
    assert (judged.label.label, judged.label.placement) == ("Advertising", placement)
    missing = "eu.label.missing" in {finding.rule_id for finding in judged.findings}
    assert missing is (placement == "text_start")
    if placement == "platform_toggle":
        assert with_label(judged.label, "", "A serum", DAY) == ("", "A serum")
