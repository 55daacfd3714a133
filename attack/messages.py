"""Protobuf: any bytes to any RPC, and messages whose fields hold what nobody would send; never an error of ours."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from attack.rpc import asked, methods
from attack.tally import Tally
from attack.target import Target
from attack.trying import trying

OURS = frozenset({"UNKNOWN", "INTERNAL", "DATA_LOSS"})
TEXTS = st.one_of(
    st.text(max_size=100),
    st.sampled_from(["' OR 1=1 --", "../..", "\x00", "x" * 20_000, "role:operator", "public", "%", "🌟" * 500]),
)
NUMBERS = st.sampled_from([0, 1, -1, 2**31 - 1, -(2**31), 1_000])
LARGE = st.one_of(NUMBERS, st.sampled_from([2**63 - 1, -(2**63)]))
OF: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_STRING: TEXTS, FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-5, 99),
    FieldDescriptor.CPPTYPE_INT32: NUMBERS, FieldDescriptor.CPPTYPE_INT64: LARGE,
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1), FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(), FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32),
}  # fmt: skip
DEPTH = 3


def messages(described: Any, depth: int = 0) -> st.SearchStrategy[bytes]:
    """Messages of a type with any of its fields set."""
    return st.sets(st.sampled_from([*described.fields] or [None])).flatmap(lambda chosen: st.builds(
        lambda values: _made(described, values), st.fixed_dictionaries({
            one: _values(one, depth) for one in chosen if one is not None and (depth < DEPTH or not one.message_type)
        }),
    ))  # fmt: skip


def _values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    one = messages(field.message_type, depth + 1) if field.message_type else OF.get(field.cpp_type, st.binary())
    return st.lists(one, max_size=20) if field.is_repeated else one


def _made(described: Any, values: dict[Any, Any]) -> bytes:
    message = GetMessageClass(described)()
    for field, value in values.items():
        _set(message, field, value)
    return bytes(message.SerializeToString())


def _set(message: Any, field: Any, value: Any) -> None:
    try:
        if field.message_type and not field.is_repeated:
            getattr(message, field.name).MergeFromString(value)
        elif field.message_type:
            for one in value:
                getattr(message, field.name).add().MergeFromString(one)
        elif field.is_repeated:
            getattr(message, field.name).extend(value)
        else:
            setattr(message, field.name, value)
    except (AttributeError, TypeError, ValueError):  # a map, or a text that protobuf itself does not take
        return


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    for service, method in methods():
        say(method.name)

        def one(message: bytes, service: str = service, method: Any = method) -> None:
            code = asked(target, service, method, message, target.caller(service))
            tally.check(code not in OURS, f"{method.name}: {code} for {message[:60]!r}")

        times = (1 if method.server_streaming else 6) * scale
        trying(st.one_of(messages(method.input_type), st.binary(max_size=200)), one, times)
