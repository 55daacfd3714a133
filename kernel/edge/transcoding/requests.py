"""An HTTP request as the message of its query: path, query parameters or JSON body, by the JSON form of protobuf."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import Error, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kernel.core.faults import Invalid
from kernel.edge.grpc_calls import DEADLINE_LIMIT_S, DEADLINE_S
from kernel.edge.transcoding.rules import Rule

FIELDS = "fields"
"""Parameter of every query: which fields of the answer are wanted (kernel.edge.transcoding.selection)."""
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
TIME = "google.protobuf.Timestamp"
_SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: "a text",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_INT32: "an integer of 32 bits",
    FieldDescriptor.CPPTYPE_INT64: "an integer of 64 bits",
}
_BOOLEANS = {"true": True, "false": False}


def deadline_s(given: str | None, default_s: float = DEADLINE_S, limit_s: float = DEADLINE_LIMIT_S) -> float:
    """Seconds of a `Grpc-Timeout` header, e.g. "500m" (gRPC's form), at most `limit_s`; raises Invalid for another form."""
    if given is None:
        return default_s
    found = _TIMEOUT.fullmatch(given)
    if found is None:
        raise Invalid("deadline.malformed", field="Grpc-Timeout", expected="digits and one of H M S m u n, e.g. 500m")
    return min(int(found[1]) * _UNIT_S[found[2]], limit_s)


async def message_of(rule: Rule, request: Request) -> Message:
    """The request's message; raises RequestValidationError with each wrong field, and Invalid `body.malformed`."""
    message = GetMessageClass(rule.request)()
    asked = request.query_params
    wrong = [*_filled(message, "path", request.path_params, rule.variables)]
    left = [field.name for field in rule.left()]
    if rule.verb == "POST":
        wrong += _filled(message, "body", await _body(request), left)
        wrong += [_error("query", name, "extra_forbidden", "not a parameter here") for name in asked if name != FIELDS]
    else:
        given = {name: asked.getlist(name) for name in asked if name != FIELDS}
        wrong += _filled(message, "query", {name: _plain(rule, name, texts) for name, texts in given.items()}, left)
    if wrong:
        raise RequestValidationError(wrong)
    return message


async def _body(request: Request) -> dict[str, Any]:
    try:
        found = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError as error:
        raise Invalid("body.malformed") from error
    if not isinstance(found, dict):
        raise RequestValidationError([_error("body", "", "dict_type", "a JSON object is expected")])
    return found


def _plain(rule: Rule, name: str, texts: list[str]) -> Any:
    """The texts of one parameter as JSON would have them: a list for a repeated field, else one value."""
    field = _named(rule.request, name)
    values = [_BOOLEANS.get(text, text) for text in texts] if _is_boolean(field) else texts
    return values[0] if len(values) == 1 and not (field and field.is_repeated) else values


def _filled(
    message: Message, place: str, given: Mapping[str, Any], allowed: Collection[str]
) -> Iterator[dict[str, Any]]:
    """Sets the given fields, and yields what is wrong with them: without the value, which may be personal."""
    for name, value in given.items():
        field = _named(message.DESCRIPTOR, name)
        if field is None or field.name not in allowed:
            yield _error(place, name, "extra_forbidden", "not a parameter here")
            continue
        try:
            ParseDict({field.name: value}, message)
            is_text = "\x00" not in str(value)
        except (Error, RecursionError):
            is_text = False
        if not is_text:
            yield _error(place, name, "malformed", expected(field))


def _named(described: Any, name: str) -> FieldDescriptor | None:
    """A field by its name or by its name in camel case, as the JSON form of protobuf has both."""
    by_name: FieldDescriptor | None = described.fields_by_name.get(name) or described.fields_by_camelcase_name.get(name)
    return by_name


def _is_boolean(field: FieldDescriptor | None) -> bool:
    return field is not None and field.type == FieldDescriptor.TYPE_BOOL


def expected(field: FieldDescriptor) -> str:
    """What a field takes, for whoever sent something else."""
    if field.enum_type is not None:
        one = f"one of {', '.join(value.name for value in field.enum_type.values)}"
    elif field.message_type is not None:
        one = "RFC 3339, e.g. 2027-03-01T00:00:00Z" if field.message_type.full_name == TIME else "a JSON object"
    else:
        one = _SCALARS.get(field.cpp_type, "a number")
    return f"each is {one}" if field.is_repeated else f"expected {one}"


def _error(place: str, field: str, rule: str, detail: str) -> dict[str, Any]:
    return {"loc": (place, field) if field else (place,), "type": rule, "words": detail}
