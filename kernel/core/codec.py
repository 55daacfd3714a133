"""Codec: encodes events as canonical JSON under a stored name `noun.verb@n`, and decodes them, upcasting old versions."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from kernel.core.canonical import canonical
from kernel.core.events import Delivered, Recorded
from kernel.core.faults import Poison
from kernel.core.personal import PersonalForm

Raw = dict[str, Any]
Upcast = Callable[[Raw], Raw]
T = TypeVar("T")

_adapters: dict[Any, TypeAdapter[Any]] = {}


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """Pydantic's adapter of a type, made at its first use and cached: a process uses few of its declared types."""
    found = _adapters.get(kind)
    if found is None:
        found = _adapters[kind] = TypeAdapter(kind)
    return found


class Codec:
    """Codec of a service. `types` maps the current stored name of every event (and stored command) to its frozen dataclass.

    `upcasts[("noun.verb", n)]` turns the raw dict of version n into the raw dict of version n + 1, so decoders know the
    newest version only. Encoding is canonical JSON (UTF-8, no white space, fields as declared, times as RFC 3339 in UTC),
    because hashes cover the stored bytes.
    """

    def __init__(self, types: Mapping[str, type], upcasts: Mapping[tuple[str, int], Upcast] | None = None) -> None:
        self._names = {kind: name for name, kind in types.items()}
        self._current = {name.partition("@")[0]: int(name.partition("@")[2]) for name in types}
        self._types = dict(types)
        self._upcasts = dict(upcasts or {})
        self._personal: dict[str, PersonalForm | None] = {}
        if len(self._names) != len(types) or len(self._current) != len(types):
            raise ValueError("each type and each noun.verb is stored under one name")

    def versions(self) -> Mapping[str, int]:
        """The current version of every stored `noun.verb`."""
        return self._current

    def name_of(self, kind: type) -> str:
        return self._names[kind]

    def is_current(self, name: str) -> bool:
        """Whether events are stored under this name now: the name of a former version is upcast, or unknown."""
        return name in self._types

    def personal(self, name: str) -> PersonalForm | None:
        """Form of the personal fields of what is stored under a current name; None where it has none."""
        if name not in self._personal:
            form = PersonalForm(self._types[name]) if name in self._types else None
            self._personal[name] = form or None
        return self._personal[name]

    def encode(self, value: object) -> tuple[str, bytes]:
        """Stored name and canonical bytes of an event."""
        return self._names[type(value)], canonical(value)

    def decode(self, name: str, data: bytes) -> Any:
        """Event of the current dataclass from bytes of any version; raises Poison `event.unknown` or `event.malformed`."""
        kind = self._types.get(name)
        try:
            if kind is not None:
                return adapter(kind).validate_json(data)
            current, raw = self._upcast(name, orjson.loads(data))
            return adapter(self._types[current]).validate_python(raw)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise Poison("event.malformed", name=name, why=_why(error)) from error

    def _upcast(self, name: str, raw: Raw) -> tuple[str, Raw]:
        noun, _, number = name.partition("@")
        current = self._current.get(noun)
        if current is None or not (number.isascii() and number.isdigit()) or int(number) > current:
            raise Poison("event.unknown", name=name[:80])
        for version in range(int(number), current):
            raw = self._upcasts[noun, version](raw)
        return f"{noun}@{current}", raw


def _why(error: Exception) -> str:
    """The reason without the value, which may be personal: it is logged and kept with a parked event."""
    if isinstance(error, ValidationError):
        places = [f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors(include_input=False)]
        return "; ".join(places)[:200]
    return str(error)[:200]


def incoming_of(service: str, recorded: Recorded, codec: Codec) -> Delivered[Any]:
    """Decodes a stored event into the form that the service's own projections, processes and publish get."""
    return delivered(service, recorded, codec, orjson.loads(recorded.meta))


def delivered(service: str, recorded: Recorded, codec: Codec, meta: Mapping[str, Any]) -> Delivered[Any]:
    """`incoming_of` with the metadata already parsed, for the relay, which needs the metadata itself too."""
    event = codec.decode(recorded.name, recorded.data)
    return Delivered(
        service, recorded.id, recorded.stream, recorded.version, recorded.position, recorded.tenant,
        recorded.recorded_at, event, meta["correlation"], meta["traceparent"],
    )  # fmt: skip
