"""A schema of OpenAPI as its type in words, with the name that it has in its document and the bounds of its values. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.words import mark

WORDS: Mapping[str, str] = {
    "string": mark("text"),
    "integer": mark("whole number"),
    "number": mark("number"),
    "boolean": mark("true or false"),
    "object": mark("object"),
    "array": mark("list"),
    "uuid": mark("id"),
    "date-time": mark("time"),
    "date": mark("day"),
    "int64": mark("whole number, as text"),
    "uint64": mark("whole number, as text"),
    "int32": mark("whole number"),
    "double": mark("number"),
    "any": mark("anything"),
}
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
BOUNDS: Mapping[str, str] = {
    "minimum": mark("from {value}"),
    "maximum": mark("to {value}"),
    "exclusiveMinimum": mark("above {value}"),
    "exclusiveMaximum": mark("below {value}"),
    "minLength": mark("at least {value} characters"),
    "maxLength": mark("at most {value} characters"),
    "minItems": mark("at least {value} of them"),
    "maxItems": mark("at most {value} of them"),
    "default": mark("{value} when left out"),
    "const": mark("always {value}"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`word` names what it is; `named` is the schema it refers to; `of` is what a list holds, `either` are alternatives."""

    word: str
    named: str = ""
    of: "Kind | None" = None
    either: tuple["Kind", ...] = ()
    options: tuple[str, ...] = ()
    bounds: tuple[tuple[str, str], ...] = ()
    """Each a marked sentence and its value."""
    pattern: str = ""

    @property
    def is_list(self) -> bool:
        return self.of is not None

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Pairs of a list to choose from, nothing first; [] where anything may be typed."""
        named = [one for one in self.options if not one.endswith("_UNSPECIFIED")]
        return [(one, one) for one in ("", *named)] if named else []


def kind_of(schema: Mapping[str, Any]) -> Kind:
    if "$ref" in schema:
        return Kind("", named=str(schema["$ref"]).rpartition("/")[2])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            kinds = tuple(kind_of(one) for one in schema[several] if one.get("type") != "null")
            return kinds[0] if len(kinds) == 1 else Kind("", either=kinds)
    word, bounds = str(schema.get("format") or schema.get("type", "any")), tuple(_bounds(schema))
    if schema.get("type") == "array":
        return Kind("array", of=kind_of(schema.get("items", {})), bounds=bounds)
    options, pattern = tuple(str(one) for one in schema.get("enum", ())), str(schema.get("pattern", ""))
    if pattern == UUID:
        return Kind(WORDS["uuid"])
    return Kind(WORDS.get(word, word), options=options, bounds=bounds, pattern=pattern)


def _bounds(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, sentence in BOUNDS.items():
        if schema.get(name) not in (None, "", [], {}):
            yield sentence, str(schema[name]).removesuffix(".0")
