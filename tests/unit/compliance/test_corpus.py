"""Texts as people write them, clear and not, in the places whose law is known: recall and false alarms, with bounds.

`held_out` texts were written before anything was tried on them: 155 of 164 were judged as wanted the first time, and 107 of the
122 of `held_out_2`, written after the rules were mended by the first. Somebody who had read neither wrote `held_out_3` (94 of 107
as wanted the first time) and, after mends by it, `held_out_4` (59 of 62) and `held_out_5` (60 of 68). What is still judged
otherwise is named here.
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
HIDDEN = {f"\\u{code:04x}": chr(code) for code in (0x200B, 0x202C, 0x202E, 0x2067, 0x2069)}
"""Characters that no editor shows are written by their numbers."""
KNOWN_FALSE_ALARMS = {
    "最强壮的是那头牛吗",
    "孩子防病意识从洗手开始",
    "提供治疗愈合后的护理建议吗",
    "独家村的风景很好",
    "最大的西瓜有二十斤",
    "Miracle on Ice was a great game",
    "顶级赛事的门票抢到了",
    "这部电影最强调的是亲情",
    "国家级运动员也来排队",
    "第一名的奖品是一本书",
    "万能的朋友圈帮我找猫",
    "纯天然的山泉边露营",
}


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
    assert wrong(wanted) == set()


def test_the_corpus_has_enough_of_each_kind_and_place() -> None:
    rows = texts()
    assert sum(row["wanted"] == "clear" for row in rows) >= 120
    assert sum(row["wanted"] != "clear" for row in rows) >= 120
    for place in ("CN", "UK", "US", "EU", "FR", "DE"):
        assert {row["wanted"] == "clear" for row in rows if row["jurisdiction"] == place} == {True, False}
