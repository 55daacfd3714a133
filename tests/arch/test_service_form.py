"""One form for all services: docs/add-a-service.md says which file holds which name, and each service is compared with it."""

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from cli.embedded import WIRED
from kernel.host.app import Service
from tests.arch.tree import ROOT

PAGE = (ROOT / "docs" / "add-a-service.md").read_text()
STARTED = {"http": "_http", "queries": "_queries", "stream": "_stream"}
"""Fields that hold a function of wiring, which imports the edge when its role starts."""


@dataclass(frozen=True)
class Row:
    """A line of a table of the page."""

    file: str
    names: tuple[str, ...]
    fields: tuple[str, ...]
    everywhere: bool

    @property
    def stem(self) -> str:
        return self.file.removesuffix(".py").rstrip("/")


def rows_of(page: str) -> list[Row]:
    head, _, rest = page.partition("\n## Every service\n")
    every, _, some = rest.partition("\n## Where a service needs it\n")
    assert "" not in (head, every, some), "the page has two tables under these headings"
    return [*_table(every, True), *_table(some, False)]


def _table(text: str, everywhere: bool) -> Iterator[Row]:
    for line in text.splitlines():
        cells = line.strip("|").split("|")
        if line.startswith("| `"):
            file, names, filled = (tuple(re.findall(r"`([^`]+)`", cell)) for cell in cells[:3])
            yield Row(file[0], names, filled, everywhere)


ROWS = rows_of(PAGE)


def code_of(service: str, file: str) -> ast.Module | None:
    """The module that a file of the page is in a service: the file, or the `__init__.py` of a folder of that name."""
    folder = ROOT / "services" / service
    for path in (folder / file, folder / file.removesuffix(".py") / "__init__.py"):
        if path.is_file():
            return ast.parse(path.read_text())
    return None


def defined_in(tree: ast.Module) -> set[str]:
    """Names that a module itself binds at its top; what it imports is defined elsewhere."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {one.id for one in targets if isinstance(one, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def deviations(service: Service, rows: Sequence[Row] = ROWS) -> list[str]:
    """Where a service is not as the page says, a line each."""
    return [*_files(service.name, rows), *(line for row in rows for line in _held(service, row))]


def _files(name: str, rows: Sequence[Row]) -> Iterator[str]:
    known = {row.file.partition("/")[0].removesuffix(".py") for row in rows} | {"__init__"}
    for path in sorted((ROOT / "services" / name).iterdir()):
        if path.name != "__pycache__" and path.stem not in known and path.name not in {row.file for row in rows}:
            yield f"{name}/{path.name} is not on the page"


def _held(service: Service, row: Row) -> Iterator[str]:
    here = (ROOT / "services" / service.name / row.file).exists() or code_of(service.name, row.file) is not None
    wanted = row.everywhere or any(_filled(service, field) for field in row.fields)
    if wanted and not here:
        yield f"{service.name}/{row.file} is missing"
    if not (wanted and here and row.names):
        return
    tree = code_of(service.name, row.file)
    for name in row.names:
        if tree is None or name not in defined_in(tree):
            yield f"{service.name}/{row.file} has no {name}"
        else:
            yield from (f"{service.name}: {one}" for one in _handed_over(service, row, name))


def _filled(service: Service, field: str) -> bool:
    (declared,) = (one for one in fields(Service) if one.name == field)
    value = getattr(service, field)
    return value is not None and value is not declared.default and value != ()


def _handed_over(service: Service, row: Row, name: str) -> Iterator[str]:
    """The name of a row stands in the `Service` field of the row."""
    module = importlib.import_module(f"services.{service.name}.{row.stem.replace('/', '.')}")
    for field in row.fields:
        if field in STARTED:
            text = ast.unparse(_function(service.name, STARTED[field]))
            if not {f"from services.{service.name}.{row.stem} import {name}", f"return {name}(app"} <= _said(text):
                yield f"Service.{field} does not start {row.stem}.{name}(app)"
        elif field != "migrations" and _filled(service, field) and getattr(service, field) is not getattr(module, name):
            yield f"Service.{field} is not {row.stem}.{name}"


def _said(text: str) -> set[str]:
    """Its lines, calls without what follows their first argument."""
    return {re.split(r"[,)]", line.strip())[0] for line in text.splitlines()}


def _function(service: str, name: str) -> ast.AST:
    tree = code_of(service, "wiring.py")
    assert tree is not None
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return found[0] if found else ast.Module([], [])


@pytest.mark.parametrize("service", WIRED)
def test_a_service_has_the_form_of_the_page(service: str) -> None:
    assert deviations(WIRED[service]) == []


@pytest.mark.parametrize("row", [row for row in ROWS if not row.everywhere], ids=lambda row: f"{row.file}-{row.names}")
def test_what_the_page_lists_as_needed_by_some_is_there_in_one(row: Row) -> None:
    for service in WIRED:
        tree = code_of(service, row.file)
        if (tree is not None and set(row.names) <= defined_in(tree)) or (
            tree is None and (ROOT / "services" / service / row.file).is_dir()
        ):
            return
    pytest.fail(f"no service has {row.file} with {row.names}")


def test_every_field_of_a_service_is_on_the_page() -> None:
    told = {field for row in ROWS for field in row.fields} | {"name", "own_topics"}
    assert told == {field.name for field in fields(Service)}


def test_modules_of_the_kernel_that_the_page_names_are_there() -> None:
    for name in sorted(set(re.findall(r"`(kernel(?:\.\w+)+)", PAGE))):
        found: Any = importlib.import_module(".".join(name.split(".")[:3]))
        for part in name.split(".")[3:]:
            found = getattr(found, part)


def _row(**changes: Any) -> Row:
    return replace(Row("publish.py", ("publish",), ("publish",), True), **changes)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (_row(file="graph.py"), "ledger/graph.py is missing"),
        (_row(names=("announce",)), "ledger/publish.py has no announce"),
        (_row(fields=("decode_command",)), "ledger: Service.decode_command is not publish.publish"),
        (
            _row(file="rpc.py", names=("SIDES",), fields=("queries",)),
            "ledger: Service.queries does not start rpc.SIDES(app)",
        ),
    ],
)
def test_a_deviation_is_named(row: Row, told: str) -> None:
    assert told in deviations(WIRED["ledger"], [*ROWS, row])


def test_a_file_that_the_page_does_not_know_is_named() -> None:
    told = deviations(WIRED["ledger"], [row for row in ROWS if row.file != "ports.py"])
    assert told == ["ledger/ports is not on the page"]
