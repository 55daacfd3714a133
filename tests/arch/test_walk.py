"""Documents lead to code: each name that follows a link to a Python file is defined in that file.

A link, then names in code spans: [writer.py](kernel/eventlog/writer.py) `Writer.execute`, `Writer.run`.
"""

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.arch.tree import Source, python, texts
from tests.arch.whole import resolved

NAME = r"`[A-Za-z_]\w*(?:\.\w+)*`"
NAMED = re.compile(rf"\]\(([^)\s#]+\.py)\)((?:(?:,| and)?\s{NAME})+)")
WALK = "docs/from-a-command-to-a-read-model.md"


def references(document: Source) -> Iterator[tuple[str, str]]:
    """Pairs of a file's path and a name that the document says is in it."""
    for path, names in NAMED.findall(document.text):
        for name in re.findall(NAME, names):
            yield resolved(document.path, path), name.strip("`")


def defined(tree: ast.Module) -> set[str]:
    """Classes, functions, methods and assigned names, by dotted name."""
    return {name for node in tree.body for name in _defined(node, "")}


def _defined(node: ast.stmt, owner: str) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield owner + node.name
            if not isinstance(node, ast.ClassDef) and owner:
                return
            for inner in node.body:
                yield from _defined(inner, f"{owner}{node.name}.")
        case ast.Assign(targets=targets):
            yield from (owner + target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield owner + name


def undefined(document: Source, files: Mapping[str, Source]) -> Iterator[str]:
    for path, name in references(document):
        if path not in files:
            yield f"{document.path}: {path} is not there"
        elif name not in defined(files[path].tree):
            yield f"{document.path}: {path} defines no {name}"


FILES = {source.path: source for source in python()}
DECISIONS = "docs/adr/"
"""Decisions keep the names of their day."""
DOCUMENTS = {source.path: source for source in texts() if source.path.endswith(".md")}
LEADING = [path for path, one in DOCUMENTS.items() if NAMED.search(one.text) and not path.startswith(DECISIONS)]


@pytest.mark.parametrize("path", LEADING)
def test_every_name_that_a_document_gives_is_defined_there(path: str) -> None:
    assert list(undefined(DOCUMENTS[path], FILES)) == []


def test_the_walk_names_a_file_and_a_function_for_every_step() -> None:
    walk = DOCUMENTS[WALK]
    steps = re.split(r"^\d+\. ", walk.text, flags=re.MULTILINE)[1:]
    assert len(steps) >= 7
    assert [step for step in steps if not NAMED.search(step)] == []
    assert len(list(references(walk))) >= 15


def test_the_map_of_the_pages_has_every_page() -> None:
    """By its file, or by the folder that holds it."""
    linked = {
        resolved("docs/README.md", link) for link in re.findall(r"\]\(([^)#]+)\)", DOCUMENTS["docs/README.md"].text)
    }
    folders = {path.rpartition("/")[0] for path in linked if path.endswith("README.md")} | linked
    pages = {path for path in DOCUMENTS if path.startswith("docs/")} - {"docs/README.md"}
    assert {path for path in pages - linked if path.rpartition("/")[0] not in folders - {"docs"}} == set()


def test_a_name_that_is_gone_is_seen() -> None:
    code = "class Writer:\n    async def execute(self): ...\ndef share(): ...\nLIMIT: int = 3\nTOPIC = 'a'\n"
    text = "[w](../a/w.py) `Writer`, `Writer.execute` and `share`; [w](../a/w.py) `LIMIT`, `TOPIC`; [x](x.py) `Gone`\n"
    text += "[w](../a/w.py) `Writer.run`, then `nothing`, [w](../a/w.py)\n`execute`"
    found = undefined(Source("docs/d.md", text), {"a/w.py": Source("a/w.py", code)})
    assert [line.rpartition(": ")[2] for line in found] == [
        "docs/x.py is not there",
        "a/w.py defines no Writer.run",
        "a/w.py defines no execute",
    ]
