"""Roles as the code asks for them: `actor.require(...)`, by command or route."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.reference.scan import ROOT

ROLES: Mapping[str, str] = {
    "brand": "a brand's people: drafts campaigns, funds them, decides about content, reads its returns",
    "agency": "an agency's people: acts for the organisations that name it, and has payouts of its own",
    "creator": "a creator's people: its tenant is the creator's id; applies, submits, publishes, is paid",
    "operator": "staff: imports and identifies creators, rules in disputes, erases persons, reads what staff reads",
    "reviewer": "staff: decides about content that the rules leave open, rules in disputes",
    "finance": "staff: books by hand (two people), verifies residences, sets fees and rates, settles discrepancies",
    "auditor": "staff: reads everything and changes nothing",
    "system": "the platform's own processes; no token has it",
}


def asked() -> list[tuple[str, str, tuple[str, ...]]]:
    """(service, what asks, roles) of every `require`, sorted."""
    found: set[tuple[str, str, tuple[str, ...]]] = set()
    for path in sorted((ROOT / "services").rglob("*.py")):
        tree = ast.parse(path.read_text())
        constants = {**dict(_imported(tree)), **dict(_constants(tree))}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                try:
                    needed = list(_required(function, constants))
                except ValueError as problem:
                    raise ValueError(f"{path.relative_to(ROOT)} {problem}") from problem
                found |= {(path.relative_to(ROOT).parts[1], _label(function, path), roles) for roles in needed}
    return sorted(found)


def _constants(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Tuples and sets of words that a module names."""
    for one in tree.body:
        target = (
            one.targets[0] if isinstance(one, ast.Assign) else one.target if isinstance(one, ast.AnnAssign) else None
        )
        if isinstance(target, ast.Name) and isinstance(one, ast.Assign | ast.AnnAssign) and one.value is not None:
            words = [each.value for each in ast.walk(one.value) if isinstance(each, ast.Constant)]
            if words and all(isinstance(word, str) for word in words):
                yield target.id, tuple(str(word) for word in words)


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The same of modules of services that this one imports names from."""
    for one in tree.body:
        if isinstance(one, ast.ImportFrom) and one.module and one.module.startswith("services."):
            theirs = _of_module(one.module)
            for each in one.names:
                if each.name in theirs:
                    yield each.name, theirs[each.name]
                inside = _of_module(f"{one.module}.{each.name}")
                yield from ((f"{each.asname or each.name}.{name}", words) for name, words in inside.items())


def _of_module(module: str) -> dict[str, tuple[str, ...]]:
    """The words that a module names, a package's in its `__init__`; none where there is no such module."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return dict(_constants(ast.parse(file.read_text()))) if file.exists() else {}


def _required(
    function: ast.FunctionDef | ast.AsyncFunctionDef, constants: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Roles of each `require` of this function itself, in order; raises ValueError for one that is computed."""
    inner = {id(each) for child in ast.walk(function) if child is not function and isinstance(
        child, ast.FunctionDef | ast.AsyncFunctionDef) for each in ast.walk(child)}  # fmt: skip
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "require" and id(call) not in inner:
            roles = [role for each in call.args for role in _words(each, constants)]
            if roles:
                yield tuple(sorted(set(roles)))


def _words(argument: ast.expr, constants: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    match argument:
        case ast.Constant(value=str(word)):
            return (word,)
        case ast.Starred(value=named) | ast.Subscript(value=named) if ast.unparse(named) in constants:
            return constants[ast.unparse(named)]
    raise ValueError(
        f"line {argument.lineno}: roles that are not named here: {ast.unparse(argument)}; name them in a constant"
    )


def _label(function: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> str:
    """The command that is decided, else the function with its file."""
    types = [one.annotation for one in function.args.args if one.arg == "command" and one.annotation]
    name = ast.unparse(types[0]) if types else ""
    if name and name != "Command":
        return name.replace(" | ", ", ")
    file = path.parent.name if path.stem == "__init__" else path.stem
    return f"{file}: {function.name.strip('_').replace('_', ' ')}"
