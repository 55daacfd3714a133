"""Bounds of a domain type beside the request body that asks for it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kernel.core.bounds import Asked, asked

Bound = tuple[type, str, Asked]


def bounded(mirrors: Mapping[type, Any]) -> list[Bound]:
    """Every field with bounds that the type's body asks for."""
    named = [
        (kind, one.name) for kind, body in mirrors.items() for one in fields(kind) if one.name in body.model_fields
    ]
    return [(kind, name, found) for kind, name in named if (found := _asked(kind, name)) is not None]


def _asked(kind: type, name: str) -> Asked | None:
    try:
        return asked(kind, name)
    except LookupError:
        return None


def check_bound(body: Any, name: str, bounds: Asked) -> None:
    """The body says the same limits of the field and of its items."""
    said = body.model_json_schema()["properties"][name]
    said = next(iter(said.get("anyOf", [said])))  # the value, where the field may also be null
    upper = getattr(bounds.whole, "max_length", None) or getattr(bounds.whole, "le", None)
    assert upper in {said.get("maxLength"), said.get("maxItems"), said.get("maximum")}
    if bounds.each is not None:
        assert said["items"]["maxLength"] == bounds.each.max_length
