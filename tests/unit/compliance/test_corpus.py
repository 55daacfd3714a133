"""Texts as people write them, clear and not, in the places whose law is known: recall and false alarms, with bounds.

`held_out` texts were written before anything was tried on them: 155 of 164 were judged as wanted the first time, and 107 of the
122 of `held_out_2`, written after the rules were mended by the first. Somebody who had read neither wrote `held_out_3` (94 of 107
as wanted the first time) and, after mends by it, `held_out_4` (59 of 62) and `held_out_5` (60 of 68). `held_out_6` was written
to be hard, before anything was tried: 64 of 113 harmless and 74 of 101 others; `held_out_7` after the mends by it: 25 of 31 and
25 of 27. What is still judged otherwise is named here.
"""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.compliance.domain.findings import Content, Verdict, verdict_of
from services.compliance.domain.packs import in_force
from services.compliance.packs import shipped_packs

AT = datetime(2026, 11, 1, tzinfo=UTC)
PACKS = shipped_packs()
HIDDEN = {f"\\u{code:04x}": chr(code) for code in (0x200B, 0x200C, 0x2060, 0x202C, 0x202E, 0x2067, 0x2069)}
"""Characters that no editor shows are written by their numbers."""
KNOWN_FALSE_ALARMS = {
    "最强壮的是那头牛吗",
    "孩子防病意识从洗手开始",
    "提供治疗愈合后的护理建议吗",
    "最大的西瓜有二十斤",
    "Miracle on Ice was a great game",
    "纯天然的山泉边露营",
    "最低价位的票已经卖完了",
    "外婆住院治疗期间我天天送饭",
    "周末陪爸爸去复查高血压，路上买了菜",
    "他说话一针见血，治好了我的精神内耗",
    "我妈有糖尿病，所以家里做菜少放糖",
    "转运司机打电话说到楼下了",
    "我家狗叫旺财，今天满一岁",
    "学校状元桥上拍了毕业照",
    "专供暖气的管道去年刚换",
    "王牌对王牌第三季又重看了",
    "首创集团门口的银杏黄了",
    "首家面试就过了，太意外",
    "奶奶的红烧肉秘方终于学会了",
    "武侠小说里解毒的桥段特别精彩",
    "脚伤痊愈后第一次跑步",
    "昨晚又失眠了，干脆起来看球",
    "爸爸痛风不能吃海鲜，点菜要注意",
    "万能充电器借给了室友",
    "终极考试周，图书馆坐满了人",
    "国家级裁判吹响了终场哨",
    "无敌的童年就是不用写作业",
    "独一无二的经历写进了日记",
    "领导者演讲拖了四十分钟",
    "他终极一生都在修古籍",
    "打针治疗后的小狗终于肯吃饭",
}
KNOWN_MISSES = {
    "囯镓级品质",
    "我们的床垫无人能敌",
    "丁页级面料",
    "Z好的面膜",
    "GJJ品质面霜",
    "My joints stopped hurting after a week of these capsules",
    "I no longer need my inhaler since this tea",
    "I was hard hit with covid, now the brain fog started to lift thanks to these",
    "冠军同款跑鞋，销量第弌",
    "Say no to colds with our honey",
}
"""Of the two sets that were written last; all that was found before is found."""


def texts() -> list[dict[str, str]]:
    with (Path(__file__).parent / "corpus" / "texts.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def judged(row: dict[str, str]) -> Verdict:
    text = row["text"]
    for written, character in HIDDEN.items():
        text = text.replace(written, character)
    pack = in_force(PACKS, row["jurisdiction"], AT)
    assert pack is not None
    content = Content(text=text, jurisdiction=row["jurisdiction"], product_category=row["category"])
    return verdict_of(pack.findings(content, AT))


def wrong(wanted: str) -> set[str]:
    fitting = {"clear": {Verdict.CLEAR}, "found": {Verdict.BLOCKED, Verdict.NEEDS_HUMAN}, "blocked": {Verdict.BLOCKED}}
    rows = [row for row in texts() if row["wanted"] == wanted]
    return {row["text"] for row in rows if judged(row) not in fitting[wanted]}


def test_what_is_harmless_is_clear() -> None:
    assert wrong("clear") == KNOWN_FALSE_ALARMS


@pytest.mark.parametrize("wanted", ["found", "blocked"])
def test_what_the_law_minds_is_found(wanted: str) -> None:
    assert wrong(wanted) == (KNOWN_MISSES if wanted == "found" else set())


def test_what_is_missed_stands_in_the_last_two_sets_only() -> None:
    sets = {row["text"]: row["set"] for row in texts()}
    assert {sets[text] for text in KNOWN_MISSES} <= {"held_out_6", "held_out_7"}


def test_the_corpus_has_enough_of_each_kind_and_place() -> None:
    rows = texts()
    assert sum(row["wanted"] == "clear" for row in rows) >= 120
    assert sum(row["wanted"] != "clear" for row in rows) >= 120
    for place in ("CN", "UK", "US", "EU", "FR", "DE"):
        assert {row["wanted"] == "clear" for row in rows if row["jurisdiction"] == place} == {True, False}
