"""Field types that request bodies share, so that every route refuses a wrong value in the same way.

A body is parsed JSON: a number or boolean comes as such and not as text, unknown fields are refused, every text is bounded and
free of lone surrogates and control characters (PostgreSQL stores no NUL, and nobody reads the others).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from kernel.core.money import CURRENCIES, LIMIT_MINOR

TEXT_LIMIT = 20_000
WORDS_OF_PATTERN: dict[str, str] = {}
"""What the texts of a pattern are, in words: a refusal says these, and nobody has to read a regular expression."""


def worded(pattern: str, words: str) -> str:
    """The pattern itself; its words are what a refusal says is expected."""
    WORDS_OF_PATTERN[pattern] = words
    return pattern


REASON_WORDS = "a word such as budget_cut (small letters, digits, _ and .), as free text may hold personal data"
_LINE = worded(
    r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$", "one line without control characters and no blank before it"
)
_TEXT = worded(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$", "text without control characters but line breaks and tabs")
_UUID = worded(
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", "a UUID in small letters with its hyphens"
)
_LABEL = worded(r"^[a-z][a-z0-9_]*$", "a word of small letters, digits and _, such as food_and_drink")

Uuid = Annotated[str, StringConstraints(pattern=_UUID), Field(examples=["01890a5d-ac96-774b-bcce-b302099a8057"])]
"""A UUID in canonical text: lower case, with hyphens."""
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
"""One line of 1 to 200 characters that does not begin with a space."""
LongText = Annotated[str, StringConstraints(max_length=TEXT_LIMIT, pattern=_TEXT)]
"""Up to 20,000 characters, line breaks and tabs allowed."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_LABEL)]
"""A word of a list, e.g. `food_and_drink`."""
AmountMinor = Annotated[int, Field(ge=0, le=LIMIT_MINOR)]
"""Money in minor units of the currency beside it."""
PositiveMinor = Annotated[int, Field(gt=0, le=LIMIT_MINOR)]
Bps = Annotated[int, Field(ge=0, le=10_000)]
"""Hundredths of a percent, 0 to 100 %."""
Count = Annotated[int, Field(ge=0, le=10**12)]


def _known(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("not a currency of this platform (ISO 4217)")
    return currency


Currency = Annotated[
    str,
    StringConstraints(min_length=3, max_length=3),
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES), "description": "ISO 4217"}),
]


def _text_only(value: Any) -> Any:
    """Refuses a number as a time, because a wrong unit (seconds, milliseconds) would pass unseen. Domain code gives datetimes."""
    if not isinstance(value, str | datetime):
        raise ValueError("expected an RFC 3339 date and time with an offset")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range in UTC") from error


UtcDatetime = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""RFC 3339 text with an offset, converted to UTC; a time without an offset is refused."""


def _day_only(value: Any) -> Any:
    """A number is no day, and neither is a time: it would be a day in one time zone only."""
    if not isinstance(value, date) and not (isinstance(value, str) and len(value) == len("2027-03-01")):
        raise ValueError("expected a day as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_day_only)]
"""A calendar day, YYYY-MM-DD."""


def _integer(value: Any) -> Any:
    """Turns 5.0 into the integer 5, as JSON Schema does, because JSON has one kind of number; past 2**53 a float is inexact."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _tighten(schema: Any) -> None:
    """Makes a core schema strict, part by part. A field that sets its own strictness or pattern keeps it."""
    if isinstance(schema, list | tuple):
        for part in schema:
            _tighten(part)
    elif isinstance(schema, dict):
        _tighten_one(schema)
        for key in schema.keys() - {"metadata", "cls", "config"}:
            _tighten(schema[key])


def _tighten_one(schema: dict[str, Any]) -> None:
    match schema.get("type"):
        case "int" if "strict" not in schema:
            strict = {**schema, "strict": True}
            schema.clear()
            schema.update(core_schema.no_info_before_validator_function(_integer, cast(CoreSchema, strict)))
        case "float" | "bool":
            schema.setdefault("strict", True)
        case "str" if "pattern" not in schema:
            schema.setdefault("max_length", TEXT_LIMIT)
            schema["pattern"] = _TEXT


class Body(BaseModel):
    """Base of every request body: frozen, unknown fields refused, numbers and booleans strict, bare text bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _tighten(schema)
        return schema


ERRORS_LIMIT = 50
WORDS: Mapping[str, str] = {
    "missing": "It is missing",
    "extra_forbidden": "There is no such field",
    "string_type": "Expected a text",
    "string_unicode": "Expected a text in UTF-8",
    "string_too_short": "Expected at least {min_length} characters",
    "string_too_long": "Expected at most {max_length} characters",
    "too_short": "Expected at least {min_length} items",
    "too_long": "Expected at most {max_length} items",
    "int_type": "Expected a whole number",
    "int_parsing": "Expected a whole number",
    "int_parsing_size": "Expected a whole number with fewer digits",
    "int_from_float": "Expected a whole number",
    "float_type": "Expected a number",
    "float_parsing": "Expected a number",
    "finite_number": "Expected a number that is neither infinite nor NaN",
    "bool_type": "Expected true or false",
    "bool_parsing": "Expected true or false",
    "none_required": "Expected null",
    "greater_than": "Expected more than {gt}",
    "greater_than_equal": "Expected {ge} or more",
    "less_than": "Expected less than {lt}",
    "less_than_equal": "Expected {le} or less",
    "enum": "Expected one of {expected}",
    "literal_error": "Expected one of {expected}",
    "list_type": "Expected a list",
    "tuple_type": "Expected a list",
    "dict_type": "Expected an object",
    "model_type": "Expected an object",
    "model_attributes_type": "Expected an object",
    "dataclass_type": "Expected an object",
    "datetime_type": "Expected a time, such as 2027-03-01T08:00:00Z",
    "datetime_parsing": "Expected a time, such as 2027-03-01T08:00:00Z",
    "datetime_from_date_parsing": "Expected a time, such as 2027-03-01T08:00:00Z",
    "datetime_object_invalid": "Expected a time, such as 2027-03-01T08:00:00Z",
    "timezone_aware": "Expected a time with its zone, such as 2027-03-01T08:00:00Z",
    "date_type": "Expected a day, such as 2027-03-01",
    "date_parsing": "Expected a day, such as 2027-03-01",
    "date_from_datetime_parsing": "Expected a day, such as 2027-03-01",
    "date_from_datetime_inexact": "Expected a day, such as 2027-03-01",
}
OTHERWISE = "It breaks the rule that is named"


def violations(found: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, str]]:
    """Violations by field: place, field, rule and detail. Without the value, which may be personal."""
    for one in found[:ERRORS_LIMIT]:
        place, *path = [str(part)[:100] for part in one["loc"]]
        yield {"in": place, "field": ".".join(path), "rule": one["type"], "detail": _said(one)[:300]}


def _said(violation: Mapping[str, Any]) -> str:
    """The rule in words: those it came with, a pattern's own, a check's own, else those of its kind."""
    if "words" in violation:
        return str(violation["words"])
    context = violation.get("ctx", {})
    words = WORDS_OF_PATTERN.get(str(context.get("pattern", "")))
    if words:
        return f"Expected {words}"
    if violation["type"] in {"value_error", "assertion_error"}:
        return str(context.get("error", OTHERWISE))
    return WORDS.get(violation["type"], OTHERWISE).format_map(context)
