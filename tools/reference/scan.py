"""The codes of faults as the code has them: every string `noun.what_is_wrong`, with the kind it is raised as, by service."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kernel.core import faults
from kernel.core.faults import Fault, Kind

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
KINDS: Mapping[str, Kind] = {
    name: one.kind for name, one in vars(faults).items() if isinstance(one, type) and issubclass(one, Fault)
}
BY_FUNCTION: Mapping[str, Kind] = {
    "valid": "invalid", "check_text": "invalid", "check_texts": "invalid", "check_count": "invalid",
    "check_number": "invalid", "_bounded": "invalid", "refuse": "refused", "only": "forbidden",
    "require_owner": "forbidden", "check_other_person": "forbidden",
}  # fmt: skip
"""Functions that raise the code they are given, by name."""
NO_CODES = re.compile(
    r"grpc\..*|uvicorn\..*|http\.request|service\.name|cleanup\.policy|retention\.ms|ledger\.anchors|key\.pem|"
    r".*\.(json|toml|tsv|tab|yaml|any_of|patterns|says)|together\.(text|contact)|health_claim\.about"
)
"""Texts of the same form that are none: options of libraries, names of files, places in a rule pack."""
MADE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("kernel", "{}.exhausted"): ("calls.exhausted", "streams.exhausted", "waits.exhausted"),
    ("kernel", "{}.pending"): ("collaboration.pending", "review.pending"),
    ("campaigns", "campaign.not_{}"): ("campaign.not_published", "campaign.not_paused"),
    ("campaigns", "{}.unknown"): ("campaign.unknown", "collaboration.unknown"),
    ("compliance", "platform.refused_{}"): ("platform.refused_4xx",),
    ("ledger", "{}.unknown"): ("payout.unknown", "refund.unknown"),
    ("ledger", "{}.not_pending"): ("payout.not_pending", "refund.not_pending"),
    ("metrics", "{}.differs"): ("refund.differs", "amendment.differs"),
    ("metrics", "{}.too_many"): ("refund.too_many", "amendment.too_many"),
}
"""Codes that are put together where they are raised, by service and pattern."""


@dataclass(slots=True)
class Found:
    """Where a code was found: the kinds it is raised as, by the service; no kind where it is a reason in an event or answer."""

    kinds: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))


def codes() -> dict[str, Found]:
    """All codes of kernel and services, and those of files that discovery and metrics name row by row."""
    found: dict[str, Found] = defaultdict(Found)
    for root in ("kernel", "services"):
        for path in sorted((ROOT / root).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            service = parts[1] if root == "services" else "kernel"
            for code, kind in _codes_of(ast.parse(path.read_text()), service):
                found[code].kinds[service] |= {kind} if kind else set()
    return dict(found)


def _codes_of(tree: ast.Module, service: str) -> Iterator[tuple[str, Kind | None]]:
    raised: dict[int, Kind] = {}
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Call):
            _mark_call(scope, raised)
        elif isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            _mark_variables(scope, raised)
        elif isinstance(scope, ast.ClassDef):
            _mark_class(scope, raised)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _is_code(node.value) or id(node) in raised:
                yield node.value, raised.get(id(node))
        elif isinstance(node, ast.JoinedStr) and (id(node) in raised or (service, _pattern(node)) in MADE):
            for code in MADE[service, _pattern(node)]:
                yield code, raised.get(id(node))


def _is_code(text: str) -> bool:
    return CODE.fullmatch(text) is not None and NO_CODES.fullmatch(text) is None and not text.endswith("_")


def _pattern(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _mark_call(call: ast.Call, raised: dict[int, Kind]) -> None:
    """The code of `Refused("...")`, and of a function that raises the code it is given."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in KINDS and call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr):
        raised[id(call.args[0])] = KINDS[name]
    for argument in call.args if name in BY_FUNCTION else ():
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and _is_code(argument.value):
            raised[id(argument)] = BY_FUNCTION[name]


def _mark_variables(function: ast.FunctionDef | ast.AsyncFunctionDef, raised: dict[int, Kind]) -> None:
    """The codes of a variable that the function raises: `code = "a.b" if ... else "a.c"; raise Refused(code)`."""
    named = {
        call.args[0].id: KINDS[call.func.id]
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KINDS
        if call.args and isinstance(call.args[0], ast.Name)
    }
    for one in ast.walk(function):
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id in named:
            for constant in ast.walk(one.value):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str) and _is_code(constant.value):
                    raised[id(constant)] = named[one.targets[0].id]


def _mark_class(kind: ast.ClassDef, raised: dict[int, Kind]) -> None:
    """The code that a class of its own gives to Fault's constructor."""
    bases = [base.id for base in kind.bases if isinstance(base, ast.Name) and base.id in KINDS]
    for call in ast.walk(kind) if bases else ():
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "__init__" and call.args:
            raised[id(call.args[0])] = KINDS[bases[0]]
