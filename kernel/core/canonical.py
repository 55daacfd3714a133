"""Canonical JSON, and documents that keep the text that their hash covers. Domain code may import this module."""

import hashlib
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from typing import Any, Generic, TypeVar, get_args

import orjson

T = TypeVar("T")


def canonical(value: object) -> bytes:
    """Canonical JSON: a dataclass's fields in order of declaration, a dict's keys sorted, no white space."""
    return orjson.dumps(value, _kept, orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def without_defaults(value: Any) -> Any:
    """A value as dicts, without the fields that have their default: its hash stays the same when a dataclass grows a field."""
    if isinstance(value, tuple | list):
        return [without_defaults(one) for one in value]
    kind: Any = type(value)
    defaults = _defaults(kind)
    if defaults is None:
        return value
    parts = ((name, getattr(value, name), default) for name, default in defaults)
    return {name: without_defaults(part) for name, part, default in parts if part != default}


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...] | None:
    """The fields of a dataclass, each with its default, MISSING where it has none; None of any other type."""
    return tuple((one.name, _default(one)) for one in fields(kind)) if is_dataclass(kind) else None


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def sha256_of(*documents: "Hashed[Any]") -> str:
    """SHA-256, in hexadecimal, over the text of each document, one a line."""
    return hashlib.sha256("\n".join(each.text for each in documents).encode()).hexdigest()


class Hashed(Generic[T]):
    """A hashed document: a value, and the canonical text (all keys sorted) that the document's SHA-256 covers.

    A document is stored as its text and read with the text that stands there. A type that grows a field with a default
    therefore changes neither the text nor the hash of any document made before, wherever that document is passed on.
    """

    __slots__ = ("text", "value")

    def __init__(self, value: T, text: str) -> None:
        self.value, self.text = value, text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hashed) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Hashed({self.text})"

    def __deepcopy__(self, _memo: object) -> "Hashed[T]":
        return self

    @classmethod
    def of(cls, value: T) -> "Hashed[T]":
        """A new document of a frozen dataclass."""
        return cls(value, _text(orjson.loads(canonical(value))))

    def with_parts(self, **parts: str | int) -> "Hashed[T]":
        """The document with other values of some fields; the rest of its text stays as it stands."""
        value: Any = self.value
        return Hashed(replace(value, **parts), _text(orjson.loads(self.text) | parts))

    @property
    def sha256(self) -> str:
        return sha256_of(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """How a codec reads a document: the text first, then the value from it."""
        (kind,) = get_args(source)
        return {
            "type": "function-wrap",
            "function": {"type": "no-info", "function": _read},
            "schema": handler.generate_schema(kind),
        }


def _read(raw: Any, value_of: Callable[[Any], T]) -> Hashed[T]:
    return raw if isinstance(raw, Hashed) else Hashed(value_of(raw), _text(raw))


def _text(raw: Any) -> str:
    return canonical(raw).decode()


def _kept(value: object) -> orjson.Fragment:
    if isinstance(value, Hashed):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
