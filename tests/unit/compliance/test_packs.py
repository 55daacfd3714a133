"""Every example of every shipped rule: what must fire fires, what must stay silent stays silent."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from kernel.core.faults import Invalid
from services.compliance.domain.findings import Content, Severity, Verdict, verdict_of
from services.compliance.domain.packs import MAX_FINDINGS, Pack, Rule, in_force, parse
from services.compliance.packs import in_other_words, shipped_lists, shipped_packs

PACKS = shipped_packs()
OWN = [(pack, rule) for pack in PACKS for rule in pack.rules if rule.jurisdiction == pack.jurisdiction]
FIRING = [(pack, rule, content) for pack, rule in OWN for content in rule.fires]
SILENT = [(pack, rule, content) for pack, rule in OWN for content in rule.silent]


def name(value: object) -> str:
    return value.id if isinstance(value, Pack | Rule) else ""


def fired(pack: Pack, rule: Rule, content: Content) -> bool:
    at = datetime.combine(max(pack.valid_from, rule.valid_from), time(), pack.zones[pack.jurisdiction])
    return any(finding.rule_id == rule.id for finding in pack.findings(content, at))


@pytest.mark.parametrize(("pack", "rule", "content"), FIRING, ids=name)
def test_example_fires(pack: Pack, rule: Rule, content: Content) -> None:
    assert fired(pack, rule, content)


@pytest.mark.parametrize(("pack", "rule", "content"), SILENT, ids=name)
def test_example_stays_silent(pack: Pack, rule: Rule, content: Content) -> None:
    assert not fired(pack, rule, content)


@pytest.mark.parametrize(("pack", "rule"), OWN, ids=name)
def test_every_rule_has_both_kinds_of_examples_and_a_source(pack: Pack, rule: Rule) -> None:
    assert rule.fires
    assert rule.silent
    assert all((rule.law, rule.article, rule.why, rule.fix))


def unknown_of(category: str, jurisdiction: str = "CN", **more: Any) -> tuple[Verdict, bool]:
    """The verdict on a harmless text about goods of the category, and whether it is for the category's sake."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    pack = in_force(PACKS, jurisdiction, at)
    assert pack is not None
    found = pack.findings(Content("周末", jurisdiction=jurisdiction, product_category=category, **more), at)
    return verdict_of(found), any(one.rule_id == "category.unknown" for one in found)


@pytest.mark.parametrize("jurisdiction", ["CN", "US", "UK", "EU", "FR"])
@pytest.mark.parametrize("category", ["cigaretes", "tobaco", "prescription medicines", "-", "?", "烟艹", "other"])
def test_a_category_that_nobody_knows_takes_a_person(category: str, jurisdiction: str) -> None:
    assert unknown_of(category, jurisdiction) == (Verdict.NEEDS_HUMAN, True)


@pytest.mark.parametrize("jurisdiction", ["CN", "US", "UK", "EU", "FR"])
@pytest.mark.parametrize(
    "category",
    [
        "tobacco",
        "Tobacco",
        " TOBACCO ",
        "E-Cigarette",
        "e cigarette",
        "Ｅ‑cigarette",
        "烟草",
        "cigarettes",
        "vape/pods",
    ],
)
def test_a_category_is_known_however_it_is_written_and_wherever_it_is_named(category: str, jurisdiction: str) -> None:
    assert unknown_of(category, jurisdiction) == (Verdict.BLOCKED, False)


@pytest.mark.parametrize("jurisdiction", ["CN", "US", "UK", "EU", "FR"])
@pytest.mark.parametrize(
    "category", ["cosmetics", "fashion", "home", "Home Decor", "家居家装", "美妆/口红", "图书", ""]
)
def test_ordinary_goods_are_clear_everywhere(category: str, jurisdiction: str) -> None:
    assert unknown_of(category, jurisdiction) == (Verdict.CLEAR, False)


def test_a_post_without_a_deal_is_about_no_category() -> None:
    assert unknown_of("cigaretes", compensation="none") == (Verdict.CLEAR, False)


def test_a_rule_is_silent_before_its_day() -> None:
    pack = in_force(PACKS, "CN", datetime(2024, 8, 22, tzinfo=UTC))
    later = in_force(PACKS, "CN", datetime(2024, 8, 23, tzinfo=UTC))
    assert pack is not None
    assert later is not None
    content = Content(text="「合作」周末出门妆")
    before = {finding.rule_id for finding in pack.findings(content, datetime(2024, 8, 22, tzinfo=UTC))}
    after = {finding.rule_id for finding in later.findings(content, datetime(2024, 8, 23, tzinfo=UTC))}
    assert "cn.label.weak" not in before
    assert "cn.label.weak" in after


@pytest.mark.parametrize(
    ("jurisdiction", "at", "expected"),
    [
        ("CN", datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC), "CN@2023-05-01"),
        ("CN", datetime(2026, 1, 31, 16, 0, tzinfo=UTC), "CN@2026-02-01"),  # midnight in Beijing
        ("CN", datetime(2020, 1, 1, tzinfo=UTC), None),
        ("US", datetime(2026, 1, 1, tzinfo=UTC), "US@2024-10-21"),
        ("GB", datetime(2026, 1, 1, tzinfo=UTC), "UK@2023-03-23"),
        ("DE", datetime(2026, 1, 1, tzinfo=UTC), "EU@2024-02-17"),
        ("FR", datetime(2026, 1, 1, tzinfo=UTC), "FR@2024-11-08"),
        ("XX", datetime(2026, 1, 1, tzinfo=UTC), None),
        ("EU", datetime(2026, 8, 1, 21, 59, tzinfo=UTC), "EU@2024-02-17"),
        ("EU", datetime(2026, 8, 1, 22, 30, tzinfo=UTC), "EU@2026-08-02"),  # summer time in Brussels
        ("DE", datetime(2026, 8, 1, 22, 0, tzinfo=UTC), "EU@2026-08-02"),
        ("FI", datetime(2026, 8, 1, 21, 0, tzinfo=UTC), "EU@2026-08-02"),
        ("FI", datetime(2026, 8, 1, 20, 59, tzinfo=UTC), "EU@2024-02-17"),
        ("PT", datetime(2026, 8, 1, 22, 59, tzinfo=UTC), "EU@2024-02-17"),
        ("IE", datetime(2026, 8, 1, 23, 0, tzinfo=UTC), "EU@2026-08-02"),
        ("US", datetime(2024, 10, 21, 3, 59, tzinfo=UTC), "US@2023-07-26"),
        ("US", datetime(2024, 10, 21, 4, 0, tzinfo=UTC), "US@2024-10-21"),  # daylight saving time in Washington
        ("FR", datetime(2024, 11, 7, 23, 0, tzinfo=UTC), "FR@2024-11-08"),
    ],
)
def test_the_pack_of_the_day_judges(jurisdiction: str, at: datetime, expected: str | None) -> None:
    pack = in_force(PACKS, jurisdiction, at)
    assert (pack.id if pack else None) == expected


@pytest.mark.parametrize(
    ("jurisdiction", "at", "marked"),
    [
        ("FR", datetime(2026, 8, 1, 21, 59, tzinfo=UTC), False),
        ("FR", datetime(2026, 8, 1, 22, 0, tzinfo=UTC), True),
        ("PT", datetime(2026, 8, 1, 22, 0, tzinfo=UTC), False),
    ],
)
def test_a_rule_begins_at_midnight_of_its_place(jurisdiction: str, at: datetime, marked: bool) -> None:
    pack = in_force(PACKS, jurisdiction, at)
    assert pack is not None
    content = Content(text="A day at the sea", jurisdiction=jurisdiction, ai_made=True)
    assert any(finding.rule_id == "eu.ai_mark" for finding in pack.findings(content, at)) is marked


@pytest.mark.parametrize(
    ("text", "category", "verdict"),
    [
        ("周末出门妆，持妆不错", "美妆", Verdict.CLEAR),
        ("这是全网最低价", "美妆", Verdict.BLOCKED),
        ("这是首选的粉底", "美妆", Verdict.NEEDS_HUMAN),
        ("今天开箱", "电子烟", Verdict.BLOCKED),
        ("零刺激配方", "时尚", Verdict.CLEAR),
        ("零刺激配方", "护肤", Verdict.NEEDS_HUMAN),
        ("零刺激配方", "没有这个类目", Verdict.NEEDS_HUMAN),
    ],
)
def test_verdict(text: str, category: str, verdict: Verdict) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    pack = in_force(PACKS, "CN", at)
    assert pack is not None
    assert verdict_of(pack.findings(Content(text=text, product_category=category), at)) is verdict


def test_a_finding_names_law_article_place_and_cure() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    pack = in_force(PACKS, "CN", at)
    assert pack is not None
    text = "【广告】昨天入手的国\u200b家🌟级面霜"
    (finding,) = pack.findings(Content(text=text, title="面霜"), at)
    assert (finding.rule_id, finding.severity) == ("cn.superlative", Severity.BLOCKING)
    assert (finding.law, finding.article) == ("中华人民共和国广告法", "第九条第（三）项")
    assert finding.part == "text"
    assert text[finding.start : finding.end] == finding.excerpt == "国\u200b家🌟级"


@pytest.mark.parametrize(
    "piece", ["0", "最佳", "最大化", "唯一，", "a ", "post me a ", "国家几", "医生都", "ﷺ", "\u200b", "㊙"]
)
def test_a_long_text_of_one_piece_gives_a_bounded_answer(piece: str) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    for pack in filter(None, (in_force(PACKS, jurisdiction, at) for jurisdiction in ("CN", "US", "FR"))):
        text = (piece * 20_000)[:20_000]
        assert len(pack.findings(Content(text=text), at)) <= MAX_FINDINGS


DOCUMENT = {
    "jurisdiction": "XX",
    "timezone": "UTC",
    "versions": [{"from": "2020-01-01"}],
    "labels": {
        "attach": [{"language": "en", "platform": "*", "format": "*", "label": "Ad", "placement": "text_start"}],
        "accepted": ["ad"],
        "weak": [],
    },
}
RULE = {
    "id": "xx.one", "kind": "missing_label", "law": "L", "article": "1", "severity": "notice", "valid_from": "2020-01-01",
    "why": "w", "fix": "f", "fires": ["a"], "silent": ["ad"],
}  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    [
        [{**RULE, "colour": "red"}],
        [{**RULE, "kind": "no_such_kind"}],
        [{**RULE, "severity": "terrible"}],
        [{**RULE, "valid_from": "tomorrow"}],
        [RULE, RULE],
        [{**RULE, "kind": "lexicon", "params": {"terms": "not a list"}}],
        [{**RULE, "kind": "lexicon", "params": {"patterns": [{"find": "[0-9]+万"}]}}],
        [{**RULE, "kind": "lexicon", "params": {"contexts": [{"near": ".*来源", "then": "silent"}]}}],
        [{**RULE, "kind": "required_notice", "params": {"any_of": ["a{2,}"]}}],
        [{**RULE, "kind": "required_notice", "params": {"any_of": ["a{2,99}"]}}],
        [{key: value for key, value in RULE.items() if key != "law"}],
    ],
)
def test_a_malformed_pack_stops_the_start(rules: list[dict[str, object]]) -> None:
    with pytest.raises(Invalid, match=r"pack\.malformed"):
        parse([{**DOCUMENT, "rules": rules}], shipped_lists())


def test_a_place_without_a_known_time_zone_stops_the_start() -> None:
    with pytest.raises(Invalid, match=r"pack\.malformed"):
        parse([{**DOCUMENT, "aliases": {"YY": "Moon/Crater"}, "rules": [RULE]}], shipped_lists())


def test_a_well_formed_pack_is_taken() -> None:
    (pack,) = parse([{**DOCUMENT, "rules": [RULE]}], shipped_lists())
    assert pack.id == "XX@2020-01-01"


@pytest.mark.parametrize(("pack", "rule"), OWN, ids=name)
def test_every_rule_is_told_in_both_languages(pack: Pack, rule: Rule) -> None:
    (other,) = in_other_words()[rule.id]
    assert {rule.language, other.language} == {"zh", "en"}
    assert all((other.law, other.article, other.why, other.fix))
    assert ("{fix}" in rule.fix) == ("{fix}" in other.fix)


def test_nothing_is_told_of_a_rule_that_is_not_there() -> None:
    assert set(in_other_words()) == {rule.id for _, rule in OWN}
