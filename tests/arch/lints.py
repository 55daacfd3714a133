"""Rules that ruff has not: each takes one Source and answers its offences as `path:line: what`."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from tests.arch.log_lints import log_fields
from tests.arch.tree import Source

Lint = Callable[[Source], Iterator[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

MAX_FILE = 300
MAX_FUNCTION = 50
VAGUE = frozenset({"utils", "util", "helpers", "helper", "manager", "managers", "service", "misc"})
TRANSACTIONS = frozenset({"begin", "begin_nested", "commit", "rollback"})
# The kernel's own files that open and end database transactions; every other file asks them to.
MAY_COMMIT = frozenset(
    {"kernel/adapters/database.py", "kernel/adapters/postgres/driver.py", "kernel/processors/projector.py"}
)
STORES = frozenset({"PostgresDatabase", "SqliteDatabase", "PostgresLog", "SqliteLog"})
# Where the store is chosen, and where SQLAlchemy asks types of both for their form.
MAY_CHOOSE_STORE = frozenset({"kernel/adapters/opening.py", "kernel/adapters/schema.py", "kernel/eventlog/opening.py"})
CLOCKS = frozenset({"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime"})
CLOCK_OWNERS = frozenset({"datetime", "date", "time"})
CHANCE = ("random", "secrets", "time")
IMPURE = (
    *(
        "asyncio",
        "http",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
        "shutil",
        "signal",
    ),
    *("socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request"),
)
KERNEL_FOR_DOMAIN = frozenset(
    f"kernel.core.{word}"
    for word in ("bounds", "canonical", "decider", "events", "faults", "ids", "money", "personal", "world")
)
# Built so that neither these lines nor the lints' own fixtures match.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|root|work|Users)/[\w.]")


def functions(source: Source) -> Iterator[tuple[Function, int]]:
    """Every function with its number of lines, its docstring and decorators not counted."""
    for node in source.nodes:
        if isinstance(node, Function):
            yield node, _lines(node)


def _lines(node: Function) -> int:
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def sizes(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > MAX_FILE:
        yield f"{source.path}: {lines} lines, {MAX_FILE} allowed"
    for node, length in functions(source):
        if length > MAX_FUNCTION:
            yield source.at(node, f"{node.name} has {length} lines, {MAX_FUNCTION} allowed")


def vague_names(source: Source) -> Iterator[str]:
    path = PurePosixPath(source.path)
    for part in (*path.parts[:-1], path.stem):
        if part.lower() in VAGUE:
            yield f"{source.path}: {part} says nothing about what is in it"
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and re.search(r"(Utils?|Helpers?|Managers?)$", node.name):
            yield source.at(node, f"class {node.name} says nothing about what it is")


def transactions(source: Source) -> Iterator[str]:
    """Of product code only the kernel's own files end transactions; a bare `commit()` of Kafka's is never right."""
    if source.product and not source.path.startswith("tools/") and source.path not in MAY_COMMIT:
        yield from transaction_calls(source)


def transaction_calls(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRANSACTIONS:
            if node.func.attr == "commit" and node.args:
                continue  # Kafka's, with its offsets named
            yield source.at(node, f".{node.func.attr}() is the kernel's")


def must_be_pure(source: Source) -> bool:
    return "/domain/" in source.path or bool(re.match(r"services/\w+/projections", source.path))


def impure_calls(source: Source) -> Iterator[str]:
    """No clock, chance or float in domain code and projections: the same events must give the same bytes for ever."""
    if not must_be_pure(source):
        return
    for node in source.nodes:
        match node:
            case ast.Constant(value=float() as number):
                yield source.at(node, f"float literal {number}")
            case ast.Name(id="float" | "uuid4" | "uuid1" as name):
                yield source.at(node, name)
            case ast.Attribute(attr="uuid4" | "uuid1" as name):
                yield source.at(node, name)
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if owner in CLOCK_OWNERS and name in CLOCKS:
                    yield source.at(node, f"{owner}.{name} reads the clock")


def impure_imports(source: Source) -> Iterator[str]:
    """Domain code imports no I/O, clock or chance, and of the kernel only its words; projections no clock or chance."""
    if not must_be_pure(source):
        return
    domain = "/domain/" in source.path
    for node, name in imports(source):
        top = name.split(".")[0]
        if f"{name}.".startswith(tuple(f"{banned}." for banned in (IMPURE if domain else CHANCE))):
            yield source.at(node, f"imports {name}")
        if domain and top == "kernel" and not _kernel_word(name):
            yield source.at(node, f"imports {name}; of the kernel only {', '.join(sorted(KERNEL_FOR_DOMAIN))}")


def _kernel_word(name: str) -> bool:
    return ".".join(name.split(".")[:3]) in KERNEL_FOR_DOMAIN


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported name: `from a import b` gives `a.b`, which may be a module or something in one."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(source, node)
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def _base(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.module.split(".")
    package = package if source.path.endswith("__init__.py") else package[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def swallowed(source: Source) -> Iterator[str]:
    """A handler of everything must raise; one who wants to go on names what it can handle."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _everything(node.type) and not _raises(node):
            yield source.at(node, "catches everything and never raises")
        if isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(map(_everything, node.args)):
            yield source.at(node, "suppresses everything")


def _everything(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or _name(each) in ("Exception", "BaseException") for each in kinds)


def _raises(handler: ast.ExceptHandler) -> bool:
    """Whether a raise stands in the handler itself, not in a function it defines."""
    waiting: list[ast.AST] = list(handler.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, Function | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def prints(source: Source) -> Iterator[str]:
    if source.path.startswith(("cli/", "tools/", "attack/")):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and _name(node.func) == "print":
            yield source.at(node, "print is for cli, tools and programs")


def faust_outside_streams(source: Source) -> Iterator[str]:
    """Faust loses and doubles in its exactly-once mode, so it stays where that can be recomputed."""
    for node, name in imports(source):
        if name.split(".")[0] == "faust" and source.path != "services/metrics/stream.py":
            yield source.at(node, "imports faust outside services/metrics/stream.py")


def unfinished(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{source.path}:{number}: unfinished: {line.strip()[:80]}"


def machine_paths(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if MACHINE.search(line):
            yield f"{source.path}:{number}: a path of one machine: {line.strip()[:80]}"


def store_branches(source: Source) -> Iterator[str]:
    """Which store a service has is chosen once (kernel.adapters.opening, kernel.eventlog.opening) and asked nowhere else.

    What differs is a method of Database or Log; what SQL spells differently is a type or expression of the adapters.
    """
    if not source.product or source.path.startswith("tools/") or source.path in MAY_CHOOSE_STORE:
        return
    for node in source.nodes:
        match node:
            case ast.Attribute(attr="is_sqlite" | "is_postgres" as name):
                yield source.at(node, f"{name} asks which store this is")
            case ast.Attribute(value=ast.Name(id="dialect") | ast.Attribute(attr="dialect"), attr="name"):
                yield source.at(node, "dialect.name asks which store this is")
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]) if _names(kinds) & STORES:
                yield source.at(node, "isinstance asks which store this is")
            case ast.Call(func=ast.Attribute(attr="startswith"), args=[ast.Constant(value=str() as start), *_]):
                if start.startswith(("sqlite", "postgres")):
                    yield source.at(node, "the URL is asked which store this is")


def _names(node: ast.AST) -> set[str]:
    return {_name(each) for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute)}


TAKES_LIMIT = {"timeout": 0, "wait_for": 1, "wait": 0, "join": 0, "select": 3}
"""Functions that wait at most so long, and the place of that argument; others take it by the name `timeout`."""
PAUSE_S = 1.0


def bare_deadlines(source: Source) -> Iterator[str]:
    """A test's deadline is told for the usual machine, and patience() or within() makes it as long as this machine needs.

    What is under a second is a pause: it is meant to pass, however slow the machine is.
    """
    if not source.path.startswith("tests/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call):
            yield from (source.at(node, "a deadline without patience()") for limit in _limits(node) if _is_bare(limit))


def _limits(call: ast.Call) -> Iterator[ast.expr]:
    yield from (word.value for word in call.keywords if word.arg == "timeout")
    function, given = call.func, call.args
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant):
        return  # a text's join
    if _name(function) == "to_thread" and given:
        function, given = given[0], given[1:]
    place = TAKES_LIMIT.get(_name(function), len(given))
    yield from given[place : place + 1]


def _is_bare(limit: ast.expr) -> bool:
    match limit:
        case ast.Constant(value=int() | float() as seconds):
            return seconds >= PAUSE_S
        case ast.BinOp(left=left, right=right):
            return _is_bare(left) or _is_bare(right)
        case _:
            return _name(limit).lower().endswith("_s")


PYTHON: dict[str, Lint] = {
    "sizes": sizes,
    "vague_names": vague_names,
    "transactions": transactions,
    "impure_calls": impure_calls,
    "impure_imports": impure_imports,
    "swallowed": swallowed,
    "store_branches": store_branches,
    "prints": prints,
    "log_fields": log_fields,
    "faust_outside_streams": faust_outside_streams,
    "bare_deadlines": bare_deadlines,
}
TEXT: dict[str, Lint] = {"unfinished": unfinished, "machine_paths": machine_paths}
