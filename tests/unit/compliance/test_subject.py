"""What praise is said of, what spells a term, where a registered name stands as that name, and who helped."""

from datetime import UTC, datetime

import pytest

from services.compliance.domain.findings import Content, Evidence, Verdict, verdict_of
from services.compliance.domain.packs import in_force
from services.compliance.domain.rules.subject import said_of_others
from services.compliance.packs import shipped_lists, shipped_packs

AT = datetime(2026, 11, 1, tzinfo=UTC)


def judged(text: str, jurisdiction: str = "CN", category: str = "", *evidence: Evidence) -> Verdict:
    pack = in_force(shipped_packs(), jurisdiction, AT)
    assert pack is not None
    content = Content(text, jurisdiction=jurisdiction, product_category=category, evidence=evidence)
    return verdict_of(pack.findings(content, AT))


@pytest.mark.parametrize(
    ("text", "word", "others"),
    [
        ("国家级运动员也来排队", "国家级", True),
        ("唯一会弹古筝的人", "唯一", True),
        ("唯一能去黑头的鼻贴", "唯一", False),
        ("史无前例的大雨", "史无前例", True),
        ("最优秀的面料", "最优秀", False),
        ("最强壮的就数我爸", "最强", True),
        ("我们宿舍的老大遥遥领先", "遥遥领先", True),
        ("我们的床垫遥遥领先", "遥遥领先", False),
        ("国家级运动员水壶", "国家级", False),
        ("最强机器人", "最强", False),
    ],
)
def test_the_subject_of_praise(text: str, word: str, others: bool) -> None:
    start = text.index(word)
    assert said_of_others(shipped_lists().heads, text, start, start + len(word)) is others


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("最jia选择", "最佳选择"),
        ("guojiaji品质", "国家级品质"),
        ("国家J品质", "国家级品质"),
        ("全国D一", "全国第一"),
        ("唯①能去黑头", "唯一能去黑头"),
        ("A级景区", "a级景区"),
        ("K歌到半夜", "k歌到半夜"),
        ("GJJ品质", "gjj品质"),
        ("women都喜欢", "women都喜欢"),
        ("好dish", "好dish"),
    ],
)
def test_letters_that_complete_a_term_are_read_as_its_characters(text: str, folded: str) -> None:
    assert shipped_lists().folding.fold(text).text == folded


@pytest.mark.parametrize(
    ("text", "term", "written"),
    [
        ("选guojiaji品质", "国家级", "guojiaji"),
        ("买zui佳选择", "最佳", "zui佳"),
        ("zui佳选择", "最佳", "zui佳"),
        ("买最jia选择", "最佳", "最jia"),
        ("买国jia级", "国家级", "国jia级"),
    ],
)
def test_the_place_of_a_spelled_term_is_in_characters_of_the_original(text: str, term: str, written: str) -> None:
    folded = shipped_lists().folding.fold(text)
    start = folded.text.index(term)
    span = folded.span(start, start + len(term))
    assert text[span.start : span.end] == written


NAME = Evidence("registered_name", "极品", "1234567")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("极品旗舰店的口红到货", Verdict.CLEAR),
        ("「极品」口红到货", Verdict.CLEAR),
        ("极品牌口红，真的是极品", Verdict.BLOCKED),
        ("这支口红真是极品", Verdict.BLOCKED),
        ("口红里的极品", Verdict.BLOCKED),
    ],
)
def test_a_registered_name_excuses_where_it_stands_as_that_name(text: str, verdict: Verdict) -> None:
    assert judged(text, "CN", "", NAME) is verdict
    assert judged(text) is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("text", "category", "claim"),
    [
        ("Talking to a friend helped my anxiety about exams", "", False),
        ("Helped my anxiety about exams to have a plan", "", False),
        ("The vet cured our cat's eczema", "", False),
        ("Therapy helped my depression", "health_food", False),
        ("These drops helped my eczema", "", True),
        ("It helps my anxiety, try it with my code", "health_food", True),
        ("Taking these gummies helped my anxiety", "", True),
        ("My sister gave me this tea and it cured my migraine", "", True),
        ("Chaga for stress relief", "health_food", True),
    ],
)
def test_goods_that_help_a_disease_are_a_claim_and_small_talk_is_none(text: str, category: str, claim: bool) -> None:
    assert (judged(text, "UK", category) is not Verdict.CLEAR) is claim


@pytest.mark.parametrize(
    "text",
    [
        "Walnuts contribute to the improvement of the elasticity of blood vessels",
        "Betaine contributes to normal homocysteine metabolism",
        "Plant sterols have been shown to lower blood cholesterol",
        "Pectins contribute to the maintenance of normal blood cholesterol levels",
    ],
)
def test_claims_of_the_register_stand_and_others_of_the_same_substance_do_not(text: str) -> None:
    for place in ("UK", "EU"):
        assert judged(text, place, "food") is Verdict.CLEAR
        assert judged(f"{text.split()[0]} boosts your immunity", place, "food") is not Verdict.CLEAR
