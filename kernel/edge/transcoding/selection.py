"""Parameter `fields` of a query (AIP-157): the answer's fields that the caller wants, e.g. `campaigns.brief.title,page`."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from kernel.core.faults import Invalid

LIMIT = 2_000
"""Characters of the parameter."""
Wanted = dict[str, "Wanted"]
"""Wanted fields by name; an empty dictionary means all below."""


def wanted(text: str, answer: Descriptor) -> Wanted:
    """Fields of an answer by name, also inside of lists; raises Invalid `fields.unknown` and `fields.too_long`."""
    if len(text) > LIMIT:
        raise Invalid("fields.too_long", field="fields", limit=LIMIT)
    found: Wanted = {}
    for path in filter(None, (one.strip() for one in text.split(","))):
        _add(found, path, answer)
    return found


def _add(found: Wanted, path: str, answer: Descriptor) -> None:
    names = path.split(".")
    described: Descriptor | None = answer
    for number, name in enumerate(names):
        field = described.fields_by_name.get(name) if described is not None else None
        if field is None:
            raise Invalid("fields.unknown", field="fields", path=path[:200])
        described = field.message_type
        is_last = number == len(names) - 1
        below = found.get(name)
        if is_last or below == {}:
            found[name] = {}  # all below is wanted, whatever else names a part of it
            return
        found = found.setdefault(name, {})


def only(told: Mapping[str, Any], fields: Wanted) -> dict[str, Any]:
    """The wanted part of an answer in plain values; all of it where nothing is named."""
    if not fields:
        return dict(told)
    return {name: _part(told[name], below) for name, below in fields.items() if name in told}


def _part(value: Any, below: Wanted) -> Any:
    if isinstance(value, list):
        return [_part(one, below) for one in value]
    return only(value, below) if isinstance(value, dict) else value
