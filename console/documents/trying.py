"""A call of an operation as it was typed: its address, its body. What cannot be sent is said at its field. Pure."""

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from console.documents.document import Operation
from console.forms import Form
from console.words import mark

ADDRESS_LIMIT = 8_000
"""Characters: servers take 32 KiB of a whole head."""
NO_SEGMENT = mark("This cannot stand in an address.")
TOO_LONG = mark("Together this is too long for an address.")
NO_JSON = mark("This is no JSON: look for a missing quote, comma or bracket.")


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent to the service."""

    method: str
    path: str
    body: bytes
    media: str


def call_of(operation: Operation, form: Form) -> Call:
    """The call; a mistake is noted in the form."""
    path, query = operation.path, list[tuple[str, str]]()
    for field in operation.asked:
        name = f"{field.place}.{field.name}"
        if field.place == "path":
            path = path.replace(f"{{{field.name}}}", _segment(form, name))
        else:
            values = form.many(name) if field.kind.is_list else [form.text(name)]
            query += [(field.name, value) for value in values if value]
    address = path + (f"?{urlencode(query)}" if query else "")
    if len(address) > ADDRESS_LIMIT:
        longest = max(operation.asked, key=lambda one: len(form.first(f"{one.place}.{one.name}")))
        form.wrong.setdefault(f"{longest.place}.{longest.name}", TOO_LONG)
    return Call(operation.method, address, _body(operation, form), operation.media)


def _segment(form: Form, name: str) -> str:
    typed = form.needed(name)
    if typed in (".", ".."):
        form.wrong.setdefault(name, NO_SEGMENT)
    return quote(typed, safe="")


def _body(operation: Operation, form: Form) -> bytes:
    if operation.body is None:
        return b""
    typed = form.first("body")
    if operation.media == "application/json":
        try:
            json.loads(typed)
        except (ValueError, RecursionError):
            form.wrong.setdefault("body", NO_JSON)
    return typed.encode("utf-8", "replace")
