"""Words of enum values: PLATFORM_DOUYIN is "douyin", the zero value (`*_UNSPECIFIED`) is the empty word.

`number(common_pb2.Platform, "douyin")` and `word(common_pb2.Platform, 2)` are each other's inverse for every known value.
"""

import re
from typing import Any, Protocol, TypeVar

V = TypeVar("V", bound=int)


class EnumType(Protocol[V]):
    """A generated protobuf enum."""

    DESCRIPTOR: Any

    def Value(self, name: str) -> V: ...  # noqa: N802

    def Name(self, number: V) -> str: ...  # noqa: N802


def prefix(enum: EnumType[Any]) -> str:
    """Prefix of the enum's value names: `SUBMISSION_STAGE_` of SubmissionStage."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", enum.DESCRIPTOR.name).upper() + "_"


def number(enum: EnumType[V], word: str) -> V:
    """Value of a word; raises ValueError for a word that the enum does not have."""
    return enum.Value(prefix(enum) + (word.upper() or "UNSPECIFIED"))


def word(enum: EnumType[V], value: V) -> str:
    """Word of a value; empty for an unset value and for one that this version does not know."""
    known = enum.DESCRIPTOR.values_by_number.get(int(value))
    return "" if known is None or known.number == 0 else known.name.removeprefix(prefix(enum)).lower()


def words(enum: EnumType[Any]) -> tuple[str, ...]:
    """Words of an enum, in the order of the proto file."""
    return tuple(value.name.removeprefix(prefix(enum)).lower() for value in enum.DESCRIPTOR.values if value.number)
