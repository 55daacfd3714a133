"""Personal fields of stored events: a field marked `PersonalData` is encrypted in the log, and reads as its blank once erased.

    handle: Annotated[str, PersonalData()]
    birth_year: Annotated[int | None, PersonalData(None)] = None
    creator_id: Annotated[str, DataSubject()]

The personal fields of an event are one person's: whom a field marked `DataSubject` names, else the one whose id the stream's id
ends in. Domain code imports this module.
"""

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, split_stream, stream_id

SEALED = "sealed"
"""Field of a stored event that holds all its personal fields, encrypted together."""
SEALED_FOR = "sealed_for"
"""Field of a stored event beside SEALED: the subject, where that is not the stream's own."""
MARK = f'"{SEALED}":"'.encode()
"""Stands in a stored event that is sealed, and in none that was opened; in a text of JSON its quotes would be escaped."""
EACH = "*"
Path = tuple[str, ...]
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Marker of a personal field. `blank` stands in its place where nobody may read it. With `stored` False the field is for
    the moment of the decision (to free what a person held) and is never written."""

    blank: Any = ""
    stored: bool = True


@dataclass(frozen=True, slots=True)
class DataSubject:
    """Marker of the field, outside of lists, whose text names the person whose personal fields the event holds."""


def personal_paths(kind: Any) -> tuple[tuple[Path, PersonalData], ...]:
    """The personal fields of a type and of the types in it, each by the steps that lead to it in JSON."""
    return tuple(_paths(kind, PersonalData))


def _paths(kind: Any, wanted: type[M]) -> Iterator[tuple[Path, M]]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        marker = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, wanted)), None)
        if marker is not None:
            yield (name,), marker
            continue
        for steps, inner in inner_types(hint):
            for path, found in _paths(inner, wanted):
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
        self._subject = next((path for path, _ in _paths(kind, DataSubject)), None)

    @property
    def names_subject(self) -> bool:
        """Whether the events themselves say whose their personal fields are."""
        return self._subject is not None

    def subject(self, raw: dict[str, Any], stream: str) -> str:
        """Whose the personal fields are."""
        found = [holder[name] for holder, name, _ in _places(raw, self._subject)] if self._subject else []
        return str(found[0]) if found else split_stream(stream)[1]

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


@dataclass(frozen=True, slots=True)
class Erased:
    """From compliance: a person is to be forgotten."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class ErasurePostponed:
    """The law wants what is kept of the subject kept until `due_at`; then it is erased."""

    subject_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """From now on an effect deletes the subject's key and texts; asked again after it was done, it is done again."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """Key and texts are gone: read models and indexes drop what they hold of them."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class EraseNow:
    """By the clock: the time for which the law wanted it kept is over."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class RecordErasure:
    """By the effect: what it was asked to delete is gone."""

    subject_id: str


class ErasureStep(StrEnum):
    """How far the erasure of one subject is in one service."""

    NONE = "none"
    POSTPONED = "postponed"
    ASKED = "asked"
    DONE = "done"


ERASURE = "erasure"
"""Category of the streams, which are named by an id derived of the subject: subjects of other services need not be UUIDs."""
ErasureEvent = ErasurePostponed | ErasureAsked | ErasureDone
ErasureCommand = Delivered[Any] | EraseNow | RecordErasure


def erasure_stream(subject_id: str) -> str:
    return stream_id(ERASURE, derived_id(ERASURE, subject_id))


def erasures(kept: timedelta = timedelta(0)) -> Decider[ErasureCommand, ErasureStep, ErasureEvent]:
    """Process of forgetting a person in a service, private. It begins with an event that has a `subject_id`; what the service
    has is `kept` that much longer, because the law says so. The effect that deletes stands in kernel/processors/erasing.py."""

    def decide(command: ErasureCommand, step: ErasureStep, context: Context) -> list[ErasureEvent]:
        match command:
            case RecordErasure(subject_id):
                return [ErasureDone(subject_id)] if step is ErasureStep.ASKED else []
            case EraseNow(subject_id):
                return [ErasureAsked(subject_id)] if step is ErasureStep.POSTPONED else []
            case _ if step in (ErasureStep.ASKED, ErasureStep.POSTPONED):
                return []
            case _ if kept:
                return [ErasurePostponed(command.event.subject_id, context.at + kept)]
            case _:
                return [ErasureAsked(command.event.subject_id)]

    return Decider(ERASURE, ErasureStep.NONE, decide, lambda _, event: _STEPS[type(event)], published=False)


_STEPS: dict[type, ErasureStep] = {
    ErasurePostponed: ErasureStep.POSTPONED,
    ErasureAsked: ErasureStep.ASKED,
    ErasureDone: ErasureStep.DONE,
}


def erasure_of(incoming: Delivered[Any], cause: type[Any] = Erased) -> str | None:
    """The stream of the erasure that an event of type `cause` begins."""
    return erasure_stream(incoming.event.subject_id) if isinstance(incoming.event, cause) else None
