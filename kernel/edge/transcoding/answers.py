"""Answers of queries as JSON, in the JSON form of protobuf with all fields printed and names as in proto/.

64-bit integers are texts, enums names, times RFC 3339 in UTC; what has no value (messages, `optional`) is left out. The printer
is made once per message type: google.protobuf.json_format looks at every descriptor anew for every message, and takes more than
twice as long (tests/unit/test_transcoding.py compares the answers).
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Print = Callable[[Any], Any]
ANY = "google.protobuf.Any"
_WIDE = {
    FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}  # fmt: skip
_SAME = {
    FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32,
}  # fmt: skip


def plain(message: Message) -> dict[str, Any]:
    """The message as plain values; raises NotImplementedError for a type of field that no answer has had yet."""
    told: dict[str, Any] = printer(message.DESCRIPTOR)(message)
    return told


@cache
def printer(described: Descriptor) -> Print:
    """Printer of a message type, as `plain` uses it."""
    if described.full_name == "google.protobuf.Timestamp":
        return lambda stamp: stamp.ToJsonString()
    if described.full_name == ANY:
        return _contained
    if described.full_name.startswith("google.protobuf."):
        raise NotImplementedError(f"no JSON form of {described.full_name} here")
    steps = [(field.name, field.has_presence, _field(field)) for field in described.fields]

    def told(message: Any) -> dict[str, Any]:
        return {
            name: show(getattr(message, name))
            for name, has_presence, show in steps
            if not has_presence or message.HasField(name)
        }

    return told


def _contained(holder: Any) -> dict[str, Any]:
    """A message of any type: its own fields beside `@type`; raises KeyError for a type that this process has never imported."""
    described = descriptor_pool.Default().FindMessageTypeByName(holder.TypeName())
    return {"@type": holder.type_url, **plain(GetMessageClass(described).FromString(holder.value))}


def _field(field: FieldDescriptor) -> Print:
    one = _value(field)
    if field.is_repeated:
        return lambda values: [one(value) for value in values]
    return one


def _value(field: FieldDescriptor) -> Print:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            raise NotImplementedError(f"{field.full_name}: no JSON form of maps here")
        described = field.message_type
        return lambda value: printer(described)(value)
    if field.enum_type is not None:
        return _names(field.enum_type)
    if field.type in _WIDE:
        return str
    if field.type in _SAME:
        return _as_it_is
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _number
    raise NotImplementedError(f"{field.full_name}: no JSON form of its type here")


def _as_it_is(value: Any) -> Any:
    return value


def _names(enum: EnumDescriptor) -> Print:
    """The value's name; the number of one that this version does not know."""
    names = {value.number: value.name for value in reversed(enum.values)}
    return lambda number: names.get(number, number)


def _number(value: float) -> float | str:
    """JSON has no number for infinity and for what is no number."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
