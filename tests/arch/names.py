"""Rules on names: public names that no program uses, and private names of other libraries.

Both go by identifiers alone. A name counts as used when any program has its identifier, so the first rule misses a dead name
that shares its identifier with a living one, and reports no name that is used.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.arch.lints import Function, imports
from tests.arch.tree import Source

CHECKED = ("kernel/", "services/")
PROGRAMS = ("kernel/", "services/", "sandbox/", "cli/", "tools/", "contracts/", "bench/", "soak/", "attack/")
PLAIN = frozenset(
    ("property", "classmethod", "staticmethod", "cache", "cached_property", "contextmanager", "asynccontextmanager")
)
"""Decorators that leave a function to be called by its name; any other one may register the function somewhere."""
DOCUMENTED = frozenset(("_replace", "_fields", "_asdict", "_make", "_exit"))
"""Names with an underscore that the standard library documents: of named tuples, and os._exit."""


CALLING_NOTHING = frozenset(("Generic", "NamedTuple", "Protocol"))
"""Bases of the library that call no method of a subclass."""


class Defined(NamedTuple):
    name: str
    node: ast.AST
    owner: str
    """The class of a method; empty for names of the module."""

    @property
    def full_name(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


def unused(sources: Sequence[Source], allowed: Collection[tuple[str, str]] = ()) -> Iterator[str]:
    """Public functions, classes, constants and methods of kernel/ and services/ whose identifier no program uses."""
    programs = [source for source in sources if source.path.startswith(PROGRAMS)]
    used = {name for source in programs for name in _used(source.tree)}
    classes = {name for source in programs for name in _classes(source)} | CALLING_NOTHING
    for source in programs:
        if not source.path.startswith(CHECKED) or "/migrations/" in source.path:
            continue
        for defined in _public(source, classes):
            if defined.name not in used and (source.path, defined.full_name) not in allowed:
                yield source.at(defined.node, f"no program uses {defined.full_name}")


def _used(tree: ast.Module) -> Iterator[str]:
    """Identifiers that are read, called by keyword, matched, or spelled in a string (getattr, __all__, column names)."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.keyword(arg=str(name)) | ast.Constant(value=str(name)):
                yield name
            case ast.MatchClass(kwd_attrs=names):
                yield from names


def _classes(source: Source) -> Iterator[str]:
    return (node.name for node in source.nodes if isinstance(node, ast.ClassDef))


def _public(source: Source, own_classes: Collection[str]) -> Iterator[Defined]:
    for statement in source.tree.body:
        yield from _names(statement, "")
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and all(_base(base) in own_classes for base in node.bases):
            for part in node.body:  # methods under a base of a library are overrides that the library calls
                if isinstance(part, Function):
                    yield from _names(part, node.name)


def _base(node: ast.expr) -> str:
    node = node.value if isinstance(node, ast.Subscript) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _names(node: ast.AST, owner: str) -> Iterator[Defined]:
    names: list[str] = []
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _is_plain(node):
            names = [name]
        case ast.ClassDef(name=name):
            names = [name]
        case ast.Assign(targets=targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = [name]
    return (Defined(name, node, owner) for name in names if not name.startswith("_"))


def _is_plain(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(isinstance(each, ast.Name) and each.id in PLAIN for each in node.decorator_list)


def foreign_privates(source: Source, allowed: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Private names of other libraries: `x._y` that the file does not define itself, `getattr(x, "_y")`, imports of `_y`."""
    own = set(_own_privates(source.tree))
    for node, name in (*_private_attributes(source.tree), *_private_imports(source)):
        if name not in own and name not in DOCUMENTED and (source.path, name) not in allowed:
            yield source.at(node, f"{name} is another's private name")


def _own_privates(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def _private_attributes(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls" | "super")):
                continue
            case ast.Attribute(attr=name) if _is_private(name):
                yield node, name
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                yield from [(node, name)] if _is_private(name) else []


def _private_imports(source: Source) -> Iterator[tuple[ast.AST, str]]:
    for node, name in imports(source):
        yield from ((node, part) for part in name.split(".") if _is_private(part))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
