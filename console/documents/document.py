"""An OpenAPI document as pages read it: operations, their fields and answers, named schemas. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from console.documents.kinds import Kind, kind_of

METHODS = ("get", "put", "post", "patch", "delete")
KEY = "Idempotency-Key"
STREAM = "text/event-stream"
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of an object: `place` is path, query, header, or "" for a body's."""

    name: str
    place: str
    kind: Kind
    is_required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Answers of one form: status and meaning of each, the kinds of content, their type."""

    statuses: tuple[tuple[str, str], ...]
    contents: tuple[str, ...]
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A path asked by a method. `body` is the schema of what is sent as `media`, None for nothing."""

    service: str
    id: str
    method: str
    path: str
    tag: str
    said: str
    fields: tuple[Field, ...]
    body: Schema | None
    media: str
    replies: tuple[Reply, ...]
    answer: Schema | None

    @property
    def title(self) -> str:
        """The first line of what it says."""
        return self.said.partition("\n")[0]

    @property
    def is_command(self) -> bool:
        """Whether it changes something: commands have a key, queries have none, whatever their method."""
        return self.method != "GET" and any(one.name == KEY for one in self.fields)

    @property
    def asked(self) -> tuple[Field, ...]:
        """What stands in the address."""
        return tuple(one for one in self.fields if one.place in ("path", "query"))

    def has(self, words: Iterable[str]) -> bool:
        """Whether all words stand in its method, path, id or text."""
        text = f"{self.method} {self.path} {self.id} {self.tag} {self.said}".lower()
        return all(word in text for word in words)


class Document:
    """The document of one service."""

    def __init__(self, service: str, raw: Mapping[str, Any]) -> None:
        """Raises KeyError, TypeError or AttributeError for what is no such document."""
        self.service = service
        self.title, self.said = str(raw["info"]["title"]), str(raw["info"].get("description", ""))
        self.schemas: Mapping[str, Schema] = dict(sorted(raw.get("components", {}).get("schemas", {}).items()))
        self.operations = {one.id: one for one in _operations(service, raw["paths"])}

    @cached_property
    def by_tag(self) -> Mapping[str, list[Operation]]:
        found: dict[str, list[Operation]] = {}
        for one in sorted(self.operations.values(), key=lambda one: (one.tag, one.path, one.method)):
            found.setdefault(one.tag, []).append(one)
        return found

    def fields(self, schema: Schema) -> list[Field]:
        """The fields of an object, also of a named one; [] for what is none."""
        named = self.resolved(schema)
        required = named.get("required", ())
        return [
            Field(name, "", kind_of(one), name in required, str(one.get("description", "")))
            for name, one in named.get("properties", {}).items()
        ]

    def resolved(self, schema: Schema) -> Schema:
        """The schema behind a reference; {} where there is none."""
        ref = schema.get("$ref")
        return self.schemas.get(name_of(ref), {}) if ref else schema


def name_of(ref: Any) -> str:
    """The name of a schema in a reference to it."""
    return str(ref).rpartition("/")[2]


def _operations(service: str, paths: Mapping[str, Mapping[str, Any]]) -> Iterator[Operation]:
    for path, methods in paths.items():
        for method in METHODS:
            if method in methods:
                yield _operation(service, method, path, methods[method])


def _operation(service: str, method: str, path: str, told: Mapping[str, Any]) -> Operation:
    bodies = told.get("requestBody", {}).get("content", {})
    media = next(iter(bodies), "")
    good: Mapping[str, Any] = next(
        (one for status, one in told.get("responses", {}).items() if status.startswith("2")), {}
    )
    answers = good.get("content", {})
    return Operation(
        service=service,
        id=told["operationId"],
        method=method.upper(),
        path=path,
        tag=(told.get("tags") or ["queries"])[0],
        said=str(told.get("description") or told.get("summary", "")),
        fields=tuple(_parameter(one) for one in told.get("parameters", ())),
        body=bodies[media].get("schema", {}) if media else None,
        media=media,
        replies=tuple(_replies(told.get("responses", {}))),
        answer=next((one.get("schema") for one in answers.values()), None),
    )


def _parameter(told: Mapping[str, Any]) -> Field:
    kind, is_required = kind_of(told.get("schema", {})), bool(told.get("required"))
    return Field(told["name"], told["in"], kind, is_required, str(told.get("description", "")))


def _replies(told: Mapping[str, Mapping[str, Any]]) -> Iterator[Reply]:
    """Refusals have one form: they stand together."""
    forms: dict[tuple[tuple[str, ...], Kind | None], list[tuple[str, str]]] = {}
    for status, one in told.items():
        contents = one.get("content", {})
        schema = next((each["schema"] for each in contents.values() if each.get("schema")), None)
        form = tuple(contents), kind_of(schema) if schema else None
        forms.setdefault(form, []).append((status, str(one.get("description", ""))))
    yield from (Reply(tuple(statuses), *form) for form, statuses in forms.items())
