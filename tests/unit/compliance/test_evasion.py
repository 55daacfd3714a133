"""Recall on the listed terms and silence on the harmless phrases, plain and disguised, with bounds that may only get better."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest

from services.compliance.domain.findings import Content, Finding, Severity
from services.compliance.domain.packs import Pack, in_force
from services.compliance.packs import HERE, shipped_packs

AT = datetime(2026, 11, 1, tzinfo=UTC)


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


TERMS = [row["term"] for row in rows("cn_terms.tsv")]
TRADITIONAL = {row["plain"]: row["written"][0] for row in rows("traditional.tsv")}
SYLLABLES = rows("syllables.tsv")
HARMLESS = [row["phrase"] for row in rows("cn_harmless.tsv")]


@cache
def pack() -> Pack:
    found = in_force(shipped_packs(), "CN", AT)
    assert found is not None
    return found


def grave(text: str) -> list[Finding]:
    found = pack().findings(Content(text=text), AT)
    return [finding for finding in found if finding.severity is not Severity.NOTICE]


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def traditional(text: str) -> str:
    """Each character by its first traditional form where there is one."""
    return "".join(TRADITIONAL.get(character, character) for character in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "blanks": " ".join,
    "zero width": "\u200b".join,
    "emoji": "🌟".join,
    "stars": "*".join,
    "dots": "·".join,
    "emoji with selectors": "❤️".join,
    "full width": full_width,
    "traditional": traditional,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_listed_term_is_found_in_any_dress(disguise: str) -> None:
    missed = [term for term in TERMS if not grave(f"这款产品{DISGUISES[disguise](term)}呢")]
    assert missed == []


@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_harmless_phrase_stays_silent_in_any_dress(disguise: str) -> None:
    loud = [phrase for phrase in HARMLESS if grave(f"今天{DISGUISES[disguise](phrase)}哦")]
    assert loud == []


def test_a_separator_set_between_all_characters_does_not_hide_a_long_term() -> None:
    long = [term for term in TERMS if len(term) > 2]
    found = [term for term in long if grave(f"这款产品{'，'.join(term)}呢")]
    assert len(found) * 100 >= len(long) * 95


def one_homophone(term: str) -> str | None:
    """The term with its last character replaced by another of the same sound; None when there is no other."""
    for row in SYLLABLES:
        if term[-1] in row["characters"] and len(row["characters"]) > 1:
            return term[:-1] + next(character for character in row["characters"] if character != term[-1])
    return None


def test_terms_of_three_and_more_characters_are_heard_through_one_homophone() -> None:
    disguised = [other for term in TERMS if len(term) >= 3 and term.isalpha() and (other := one_homophone(term))]
    heard = [term for term in disguised if grave(f"这款产品{term}呢")]
    assert len(disguised) > 150
    assert len(heard) * 100 >= len(disguised) * 95


ORDINARY = [
    "今天下班路上买了杯豆浆，味道很香，明天还想喝。",
    "第一次去海边露营，帐篷搭了两个小时，晚上看到了很多星星。",
    "这本书讲了三个人的故事，最后一章让我想了很久。",
    "昨天快递到了，包装完好，客服态度也好。",
    "最近天气变冷了，记得多穿一点。",
    "孩子在幼儿园学会了折纸，回家教我折了一只小船。",
    "有机会的话，希望能再去一次那家小店。",
    "钱包过了三天才找到，还好东西都在。",
    "公司正在公开运营数据，大家都可以看到。",
    "医生发现他的视力下降了，建议少看屏幕。",
    "确保本次活动顺利，请提前十分钟到场。",
    "面包过期了就不要吃了。",
    "最大的对手其实是自己。",
    "这部治愈系动画适合周末看。",
    "他完全能听懂老师讲的内容。",
    "你不必过于担心，明天再说。",
    "请把垃圾分类，可回收的放左边。",
    "菜市场的西红柿今天特别新鲜。",
    "我们打车到处方便，就没有开车。",
    "本品不能代替药物，请按说明食用。",
]


def test_ordinary_sentences_stay_silent() -> None:
    assert [text for text in ORDINARY if grave(text)] == []
