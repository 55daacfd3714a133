"""Nothing promises a console while there is none: README, docs, help of make, texts of the command line. The first console
deletes this file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISE = re.compile(r"\b(?:web )?console\b|\bweb (?:interface|ui|app)\b|控制台", re.IGNORECASE)
FENCE = re.compile(r"^```console$", re.MULTILINE)
"""What a terminal shows, in Markdown: the name of a language, and no page."""


def told() -> Iterator[tuple[str, str]]:
    """(where, text) of what a newcomer reads: pages, the help of make's targets, texts of the command line."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield str(page.relative_to(ROOT)), FENCE.sub("", page.read_text("utf-8"))
    yield "Makefile", "\n".join(re.findall(r"## .*", (ROOT / "Makefile").read_text("utf-8")))
    for module in sorted((ROOT / "cli").rglob("*.py")):
        yield from ((str(module.relative_to(ROOT)), text) for text in texts_of(module.read_text("utf-8")))


def texts_of(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_console_is_promised() -> None:
    assert [(where, found.group()) for where, text in told() for found in PROMISE.finditer(text)] == []


@pytest.mark.parametrize("text", ["open the console at http://localhost:8000", "a web UI for brands", "打开控制台"])
def test_a_promise_is_seen(text: str) -> None:
    assert PROMISE.search(text)
    assert text in list(texts_of(f"print({text!r})"))
