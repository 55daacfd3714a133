"""Personal fields of stored events: a field marked `PersonalData` is encrypted in the log, and reads as its blank once erased.

    handle: Annotated[str, PersonalData()]
    birth_year: Annotated[int | None, PersonalData(None)] = None

A stream holds personal fields of one subject only: the one whose id the stream's id ends in. Domain code imports this module.
"""

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import orjson

SEALED = "sealed"
"""Field of a stored event that holds all its personal fields, encrypted together."""
EACH = "*"
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Marker of a personal field. `blank` stands in its place where nobody may read it. With `stored` False the field is for
    the moment of the decision (to free what a person held) and is never written."""

    blank: Any = ""
    stored: bool = True


def personal_paths(kind: Any) -> tuple[tuple[Path, PersonalData], ...]:
    """The personal fields of a type and of the types in it, each by the steps that lead to it in JSON."""
    return tuple(_paths(kind))


def _paths(kind: Any) -> Iterator[tuple[Path, PersonalData]]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        marker = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, PersonalData)), None)
        if marker is not None:
            yield (name,), marker
            continue
        for steps, inner in inner_types(hint):
            for path, found in _paths(inner):
                yield (name, *steps, *path), found


def inner_types(hint: Any) -> Iterator[tuple[Path, type]]:
    """The dataclasses inside a field's type, each by the steps that lead to it."""
    if get_origin(hint) is Annotated:
        yield from inner_types(get_args(hint)[0])
    elif isinstance(hint, type) and is_dataclass(hint):
        yield (), hint
    else:
        steps = (EACH,) if get_origin(hint) in (tuple, list) else ()
        for part in get_args(hint):
            yield from ((steps + more, found) for more, found in inner_types(part))


class PersonalForm:
    """Form of a stored event with personal fields: `split` takes them out (and `join` puts them back). No key, no I/O."""

    def __init__(self, kind: type) -> None:
        self._paths = personal_paths(kind)

    def __bool__(self) -> bool:
        return bool(self._paths)

    def split(self, data: bytes) -> tuple[dict[str, Any], bytes]:
        """The event's fields with blanks, and JSON of what stood there; b"" where all of it is blank already."""
        raw = orjson.loads(data)
        taken: dict[str, Any] = {}
        for path, marker in self._paths:
            for holder, name, place in list(_places(raw, path)):
                if holder[name] != _json(marker.blank):
                    if marker.stored:
                        taken[place] = holder[name]
                    holder[name] = _json(marker.blank)
        return raw, orjson.dumps(taken) if taken else b""


def join(raw: dict[str, Any], values: bytes) -> bytes:
    """The event as it was before `split`. Each value says its place, so it needs no form: the type may have changed since."""
    for place, value in orjson.loads(values).items():
        *steps, name = place.split(".")
        holder: Any = raw
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        holder[name] = value
    return orjson.dumps(raw)


def _json(blank: Any) -> Any:
    return list(blank) if isinstance(blank, tuple) else blank


def _places(raw: Any, path: Path, place: str = "") -> Iterator[tuple[Any, str, str]]:
    """Where a path leads in an event: holder, name, and the place's own name. What is absent or null leads nowhere."""
    step, rest = path[0], path[1:]
    if step == EACH:
        for index, one in enumerate(raw or ()):
            yield from _places(one, rest, f"{place}{index}.")
    elif isinstance(raw, dict) and step in raw:
        if rest:
            yield from _places(raw[step], rest, f"{place}{step}.")
        else:
            yield raw, step, f"{place}{step}"
