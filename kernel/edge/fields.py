"""Field types that request bodies share, so that every route refuses a wrong value in the same way.

A body is parsed JSON: a number or boolean comes as such and not as text, unknown fields are refused, every text is bounded and
free of lone surrogates and control characters (PostgreSQL stores no NUL, and nobody reads the others).
"""

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
