"""Fingerprint of a command: a hash over its request, by which a chain that stands is told from another under its id."""

import hashlib
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

EVIDENCE: dict[str, bool] = {"evidence": True}
"""Marks fields that document a fact (a provider's reference) and do not make two reports of it different."""


def input_hash(command: Any) -> str:
    """32 hex digits over the command's name and every field that is not its default and not evidence.

    A command that grows a field with a default keeps the hash of whatever was asked before; so does a value inside it.
    """
    text = "\x1f".join(f"{name}={_said(value)}" for name, value in _given(command))
    return hashlib.sha256(f"{type(command).__name__}\x1f{text}".encode()).hexdigest()[:32]


def _given(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass that are not their default and not evidence, in order of declaration."""
    for item in fields(value):
        default = item.default if item.default_factory is MISSING else item.default_factory()
        if not item.metadata.get("evidence") and getattr(value, item.name) != default:
            yield item.name, getattr(value, item.name)


def _said(value: Any) -> str:
    """As `str` says it; of a dataclass inside, only the fields given."""
    return _shown(value) if isinstance(value, tuple) or is_dataclass(value) else str(value)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))}{',' if len(value) == 1 else ''})"
    if is_dataclass(value):
        return f"{type(value).__qualname__}({', '.join(f'{name}={_shown(one)}' for name, one in _given(value))})"
    return repr(value)
