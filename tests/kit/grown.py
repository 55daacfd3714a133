"""An import hook: dataclasses of the product read as a later version of them, with one more field that has a default.

`python -m tests.kit.grown '{"module": ["Class"]}' PROGRAM ...` runs a module in a process in which they have grown.
"""

import ast
import json
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

FIELD = 'grown_since: str = "as before"'
Growth = Mapping[str, Sequence[str]]
"""The classes that grow, by the module that holds them."""


class _Grows(SourceFileLoader):
    def __init__(self, name: str, path: str, classes: Sequence[str]) -> None:
        super().__init__(name, path)
        self._classes = classes

    def get_code(self, fullname: str) -> CodeType:
        return compile(grown(self.get_data(self.path).decode(), self._classes), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, growth: Growth) -> None:
        self._growth = growth

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path) if fullname in self._growth else None
        if found is not None and found.origin is not None:
            found.loader = _Grows(fullname, found.origin, self._growth[fullname])
        return found


def install(growth: Growth) -> None:
    """From now on; none of the modules may be imported yet."""
    early = sorted(growth.keys() & sys.modules.keys())
    if early:
        raise RuntimeError(f"imported before they could grow: {early}")
    sys.meta_path.insert(0, _Finder(growth))


def grown(source: str, classes: Sequence[str]) -> str:
    """The source with FIELD after the last field of each class; LookupError for a class that is not there."""
    lines, places = source.splitlines(), dict[str, int]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name in classes:
            places[node.name] = max(one.end_lineno or 0 for one in node.body if isinstance(one, ast.AnnAssign))
    if missing := set(classes) - places.keys():
        raise LookupError(f"no such class: {sorted(missing)}")
    for line in sorted(places.values(), reverse=True):
        lines.insert(line, f"    {FIELD}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    _, growth, program, *rest = sys.argv
    install(json.loads(growth))
    sys.argv = [program, *rest]
    runpy.run_module(program, run_name="__main__", alter_sys=True)
