"""What a log line says arrives: each field that code gives is one of those that the formatter takes."""

import ast
from collections.abc import Iterator

from kernel.runtime.logs import FIELDS
from tests.arch.tree import Source

LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})


def _dicts(node: ast.AST) -> Iterator[tuple[str, ast.Dict]]:
    """Names that an assignment gives to dict displays, also one of several at once."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for name, value in pairs:
            if isinstance(name, ast.Name) and isinstance(value, ast.Dict):
                yield name.id, value


def _extras(node: ast.AST) -> Iterator[ast.expr]:
    """What a call of a logger is given as `extra`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "extra")


def log_fields(source: Source) -> Iterator[str]:
    """The formatter drops a field that FIELDS does not list, and the line then names nothing."""
    if not source.product:
        return
    named = dict(pair for node in source.nodes for pair in _dicts(node))
    for node in source.nodes:
        for extra in _extras(node):
            fields = named.get(extra.id) if isinstance(extra, ast.Name) else extra
            if not isinstance(fields, ast.Dict):
                yield source.at(node, "fields of a log line are a dict that stands in this file")
                continue
            keys = [ast.literal_eval(key) if isinstance(key, ast.Constant) else "**" for key in fields.keys]
            yield from (source.at(node, f"the log drops {key!r}") for key in keys if key not in FIELDS)
