"""Every refusal of the services is explained to people, in both languages, with its numbers as they are read."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from console.calls.problems import Problem
from console.look import facts
from console.look.formats import Formats
from console.look.refusals import CODES, OF_KIND, PLACE, explained, said
from console.look.rendering import environments
from console.look.rules import RULES, of_rule
from console.words import translations
from kernel.core.faults import Invalid
from kernel.edge.fields import OTHERWISE, WORDS, WORDS_OF_PATTERN
from tools.reference.entries import entries, entry_of
from tools.reference.scan import CODE, ROOT, codes

EXPLAINED: dict[str, list[str]] = json.loads(CODES.read_text("utf-8"))
FOR_CALLERS = re.compile(
    r"`|\bfact\b|GET /|POST |PUT |minor unit|basis point|DANDELION|the header [A-Z]|\bbody\b|proto file|/docs|docs/"
    r"|\btoken\b|at_least|README|Retry-After|under the same key|ISO 4217"
)
"""Words for who writes a client; at a page they tell nothing."""


def test_every_code_is_explained() -> None:
    assert sorted(EXPLAINED) == sorted(codes())


def test_people_are_told_nothing_about_the_api() -> None:
    known, found = entries(), codes()
    for_operators = {
        code
        for code, one in found.items()
        if all((entry := entry_of(code, service, known)) and entry.who == "operator" for service in one.kinds)
    }
    told = {code: " ".join(EXPLAINED[code]) for code in EXPLAINED.keys() - for_operators}
    assert {code: text for code, text in told.items() if FOR_CALLERS.search(text)} == {}


def test_each_name_in_a_sentence_is_a_fact_of_its_refusal() -> None:
    raised = _facts()
    named = {code: set(PLACE.findall(" ".join(told))) for code, told in EXPLAINED.items()}
    named |= {
        code: names | {"currency"} for code, names in named.items() if any(name.endswith("_minor") for name in names)
    }
    assert {code: sorted(names - raised.get(code, set())) for code, names in named.items() if names} == {
        code: [] for code, names in named.items() if names
    }


def test_the_chinese_has_the_same_facts() -> None:
    for text in sorted({text for told in EXPLAINED.values() for text in told}):
        told = translations("zh-CN").gettext(text)
        assert sorted(PLACE.findall(told)) == sorted(PLACE.findall(text)), text
        assert re.search("[\u4e00-\u9fff]", told), text


@pytest.mark.parametrize(
    ("problem", "lang", "how"),
    [
        (Problem("invalid", "text.too_long", {"limit": "20000"}), "en", "Give 20,000 characters at most."),
        (Problem("invalid", "text.too_long", {}), "en", OF_KIND["invalid"][1]),
        (
            Problem("refused", "payout.more_than_available", {"available_minor": "123450", "currency": "CNY"}),
            "zh-CN",
            "最多可提现 ¥1,234.50。",
        ),
        (Problem("refused", "payout.more_than_available", {"available_minor": "1"}), "en", OF_KIND["refused"][1]),
        (
            Problem("refused", "payout.account_cooling_down", {"usable_at": "2027-03-01T00:00:00+00:00"}),
            "zh-CN",
            "2027年3月1日 08:00 起可用。",
        ),
        (
            Problem("forbidden", "actor.role_missing", {"needs": "brand or agency"}),
            "zh-CN",
            "需要以下角色之一：品牌, 代理机构。请由拥有该角色的人操作。",
        ),
        (Problem("invalid", "terms.clock_above_ceiling", {"ceiling_s": "86400"}), "en", "Give 1 day at most."),
        (Problem("invalid", "fee.share_out_of_range", {"limit_bps": "1550"}), "en", "Give 15.5% at most."),
    ],
)
def test_facts_are_written_for_their_reader(problem: Problem, lang: str, how: str) -> None:
    words, formats = translations(lang).gettext, Formats(lang, "Asia/Shanghai", datetime(2027, 1, 1, tzinfo=UTC))
    told = facts.written(problem.facts, formats, words)
    assert words(explained(problem, told)[1]).format_map(told) == how


def test_what_a_service_says_of_a_field_is_in_the_catalogs() -> None:
    for name in ("campaigns.rest", "discovery.rest", "ledger.rest", "metrics.rest", "compliance.rest"):
        importlib.import_module(f"services.{name}")
    every = [*WORDS.values(), OTHERWISE, *(f"Expected {words}" for words in WORDS_OF_PATTERN.values())]
    numbered = [re.sub(r"\{\w+\}", "7", sentence) for sentence in every]
    keys = {told for _, told in RULES}
    assert [sentence for sentence in numbered if of_rule(sentence)[0] not in keys] == []


def test_a_fault_that_names_its_field_is_told_by_its_code() -> None:
    problem = said(str(Invalid("text.too_long", field="brief.title", limit=120)))
    assert problem is not None
    assert (problem.code, problem.facts["limit"]) == ("text.too_long", "120")
    assert said("Expected at most 120 characters") is None


def test_a_field_that_the_page_has_not_is_told_above_it() -> None:
    """Else nothing of the page would say what is wrong."""
    made = environments()["en"].from_string(
        '{% from "macros/pieces.html" import fields_notice with context %}{{ fields_notice(problem, content) }}'
    )
    problem = Problem("invalid", "request.invalid", {}, {"there": "It is missing", "elsewhere": "Expected a number"})
    page = SimpleNamespace(explain_field=lambda said: of_rule(said)[0])
    shown = made.render(page=page, problem=problem, content='<p id="there-wrong">Please fill this in.</p>')
    assert "Please write a number." in shown
    assert "<code>elsewhere</code>" in shown
    assert "<code>there</code>" not in shown
    assert "Look at the marked fields." in shown


def _facts() -> dict[str, set[str]]:
    """Names of facts by code, wherever the code stands among a call's arguments."""
    found: dict[str, set[str]] = {}
    for path in (path for root in ("kernel", "services") for path in (ROOT / root).rglob("*.py")):
        for call in _calls(path):
            given = {word.arg for word in call.keywords if word.arg}
            for one in (*call.args, *(word.value for word in call.keywords if word.arg is None)):
                if isinstance(one, ast.Dict):
                    given |= {key.value for key in one.keys if isinstance(key, ast.Constant)}  # type: ignore[misc]
                elif isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value):
                    found.setdefault(one.value, set()).update(given)
    return found


def _calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
