"""The OpenAPI document of queries, made from descriptors: parameters, bodies and answers with types and examples."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from kernel.edge.fields import worded
from kernel.edge.transcoding.answers import ANY
from kernel.edge.transcoding.requests import FIELDS, TIME, expected
from kernel.edge.transcoding.rules import Rule

Schema = dict[str, Any]
EXAMPLE_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
_INT64 = worded("^-?[0-9]{1,19}$", "a whole number as text")
_TIMEOUT = worded("^[0-9]{1,8}[HMSmun]$", "a number and its unit: H, M, S, m, u or n")
INT64: Schema = {"type": "string", "format": "int64", "pattern": _INT64, "examples": ["1200"]}
INT32: Schema = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
DOUBLE: Schema = {
    "anyOf": [{"type": "number", "format": "double"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]
}
CONTAINED: Schema = {
    "type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}},
    "description": "A message of the type that `@type` names, with its own fields beside it.",
}  # fmt: skip
INSTANT: Schema = {"type": "string", "format": "date-time", "examples": ["2027-03-01T08:00:00Z"]}
WELL_KNOWN = {TIME: INSTANT, ANY: CONTAINED}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_INT32: INT32,
    FieldDescriptor.CPPTYPE_INT64: INT64,
    FieldDescriptor.CPPTYPE_DOUBLE: DOUBLE,
}
DESCRIPTIONS = {
    "at_least": "The token of a receipt, `<service>:<position>`: the answer includes that write, or is 503 after a bounded wait.",
    "page_size": "Lines of a page; 0 is the default, more than the limit is the limit.",
    "page_token": "`page.next_page_token` of the page before; it opens for the same filters and order only.",
    "order_by": "A field, with ` desc` for the other direction; the query names those it has.",
}
"""Of the fields that all queries have in common."""
PARTIAL: Schema = {
    "name": FIELDS, "in": "query", "required": False, "schema": {"type": "string", "maxLength": 2_000},
    "description": "The answer's fields that are wanted, comma-separated, also inside of lists; empty: all.",
}  # fmt: skip
DEADLINE: Schema = {
    "name": "Grpc-Timeout", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": _TIMEOUT, "examples": ["500m"]},
    "description": "When the caller stops waiting, as gRPC writes it; 10 s without, 30 s at most. Past it the answer is 504.",
}  # fmt: skip
KNOWN: Schema = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "ETags of answers that the caller has: 304 where it has this one.",
}  # fmt: skip


def summary(rule: Rule) -> str:
    """The method's name as words: "List deferred payments" of ListDeferredPayments."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", rule.method.name).capitalize()


def operation(rule: Rule) -> Schema:
    """The part of an operation that FastAPI does not know."""
    answer = {"schema": reference(rule.method.output_type)}
    media_type = "text/event-stream" if rule.is_stream else "application/json"
    is_kept = rule.verb == "GET" and not rule.is_stream
    extra: Schema = {
        "tags": [rule.method.containing_service.name],
        "parameters": [*_parameters(rule), PARTIAL, DEADLINE, *([KNOWN] if is_kept else [])],
        "responses": {
            "200": {"description": rule.method.output_type.name, "content": {media_type: answer}},
            "504": {"description": "The caller's deadline, or 10 s, was over", "content": PROBLEM},
        },
    }
    if is_kept:
        extra["responses"]["304"] = {"description": "The caller has the answer already"}
    if rule.verb == "POST":
        extra["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _object(rule.left(), False)}},
        }
    return extra


PROBLEM: Schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _parameters(rule: Rule) -> Iterator[Schema]:
    for name in rule.variables:
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "examples": [EXAMPLE_ID]},
        }
    for field in rule.left() if rule.verb == "GET" else ():
        parameter = {"name": field.name, "in": "query", "required": False, "schema": schema(field)}
        yield {**parameter, "description": DESCRIPTIONS.get(field.name, expected(field))}


def add_schemas(api: FastAPI, rule: Rule) -> None:
    """Adds the schemas of a rule's answer to those that the document names."""
    schemas: dict[str, Schema] = api.state.schemas
    waiting: list[Descriptor] = [rule.method.output_type]
    waiting += [field.message_type for field in rule.left() if field.message_type is not None]
    while waiting:
        described = waiting.pop()
        if described.full_name not in {*schemas, TIME, ANY}:
            schemas[described.full_name] = _object(described.fields, True)
            waiting += [field.message_type for field in described.fields if field.message_type is not None]


def reference(described: Descriptor) -> Schema:
    return {"$ref": f"#/components/schemas/{described.full_name}"}


def _object(fields: Sequence[FieldDescriptor], is_answer: bool) -> Schema:
    made: Schema = {"type": "object", "properties": {field.name: schema(field) for field in fields}}
    if is_answer:
        made["required"] = [field.name for field in fields if not field.has_presence]
        return made
    return {**made, "additionalProperties": False}


def schema(field: FieldDescriptor) -> Schema:
    """JSON Schema of a field's values."""
    one = _one(field)
    return {"type": "array", "items": one} if field.is_repeated else one


def _one(field: FieldDescriptor) -> Schema:
    if field.message_type is not None:
        return WELL_KNOWN.get(field.message_type.full_name) or reference(field.message_type)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    if field.name.endswith("_id"):
        return {"type": "string", "examples": [EXAMPLE_ID]}
    return _SCALARS[field.cpp_type]


def _enum(enum: EnumDescriptor) -> Schema:
    return {"type": "string", "enum": [value.name for value in enum.values]}
