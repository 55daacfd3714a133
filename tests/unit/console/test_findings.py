"""Findings are marked where they stand, whatever overlaps, and told in the reader's language."""

import pytest
from dandelion.compliance.v1.events_pb2 import SEVERITY_BLOCKING, SEVERITY_WARNING, Finding
from dandelion.compliance.v1.queries_pb2 import Rule, RuleText

from console.look.findings import Piece, Told, pieces, told


def found(start: int, end: int, severity: int = SEVERITY_WARNING, field: str = "text") -> Finding:
    return Finding(field=field, span_start=start, span_end=end, severity=severity)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "cut"),
    [
        ([], [("abcdef", (), "")]),
        ([found(0, 6)], [("abcdef", (1,), "warn")]),
        ([found(2, 4)], [("ab", (), ""), ("cd", (1,), "warn"), ("ef", (), "")]),
        (
            [found(0, 4), found(2, 6, SEVERITY_BLOCKING)],
            [("ab", (1,), "warn"), ("cd", (1, 2), "bad"), ("ef", (2,), "bad")],
        ),
        ([found(0, 0), found(3, 3)], [("abcdef", (), "")]),
        ([found(4, 99)], [("abcd", (), ""), ("ef", (1,), "warn")]),
        ([found(0, 3, field="title")], [("abcdef", (), "")]),
    ],
)
def test_a_text_is_cut_where_findings_begin_and_end(
    findings: list[Finding], cut: list[tuple[str, tuple[int, ...], str]]
) -> None:
    assert pieces("abcdef", "text", findings) == [Piece(*one) for one in cut]


def test_nothing_is_cut_out_of_an_empty_text() -> None:
    assert pieces("", "text", [found(0, 3)]) == []


RULE = Rule(
    rule_id="cn.label",
    texts=[
        RuleText(language="zh", law="广告法", article="第九条", reason="为什么", suggestion="改为“{fix}”。"),
        RuleText(language="en", law="Law", article="Art. 9", reason="why", suggestion="Say {fix} instead."),
    ],
)
SAID = Finding(rule_id="cn.label", law="广告法 第九条", reason="为什么", suggestion="改为“广告”。")


@pytest.mark.parametrize(
    ("rules", "lang", "expected"),
    [
        ({"cn.label": RULE}, "en", Told("Law Art. 9", "why", "Say 广告 instead.")),
        ({"cn.label": RULE}, "zh-CN", Told("广告法 第九条", "为什么", "改为“广告”。")),
        ({}, "en", Told("广告法 第九条", "为什么", "改为“广告”。")),
    ],
)
def test_a_finding_is_told_in_the_reader_s_language(rules: dict[str, Rule], lang: str, expected: Told) -> None:
    assert told(SAID, rules, lang) == expected
