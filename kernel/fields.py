"""Fields of request bodies: what they share, so that one value is refused the same way everywhere.

Bodies are parsed JSON: numbers and booleans are never taken from text, unknown fields are refused, every text is
bounded and free of control characters (PostgreSQL stores no NUL, and no one reads the others) and lone surrogates.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

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
from pydantic_core import CoreSchema

from kernel.money import LIMIT_MINOR, MINOR_DIGITS

TEXT_LIMIT = 20_000
_LINE = r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_LABEL = r"^[a-z][a-z0-9_]*$"

Uuid = Annotated[str, StringConstraints(pattern=_UUID), Field(examples=["01890a5d-ac96-774b-bcce-b302099a8057"])]
"""A UUID in canonical text: lower case, with hyphens."""
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
"""One line of 1 to 200 characters that does not begin with a space."""
LongText = Annotated[str, StringConstraints(max_length=TEXT_LIMIT, pattern=_TEXT)]
"""Up to 20,000 characters, line breaks and tabs allowed."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_LABEL)]
"""A word of a list, e.g. `food_and_drink`."""
AmountMinor = Annotated[int, Field(strict=True, ge=0, le=LIMIT_MINOR)]
"""Money in minor units of the currency beside it."""
PositiveMinor = Annotated[int, Field(strict=True, gt=0, le=LIMIT_MINOR)]
Bps = Annotated[int, Field(strict=True, ge=0, le=10_000)]
"""Hundredths of a percent, 0 to 100 %."""
Seconds = Annotated[int, Field(strict=True, ge=0, le=10 * 366 * 86_400)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]


def _known(currency: str) -> str:
    if currency not in MINOR_DIGITS:
        raise ValueError("not a currency of this platform (ISO 4217)")
    return currency


Currency = Annotated[
    str,
    StringConstraints(min_length=3, max_length=3),
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": sorted(MINOR_DIGITS), "description": "ISO 4217"}),
]


def _text_only(value: Any) -> Any:
    """Numbers are no times: a unit mistake (seconds, milliseconds) would pass unseen. Domain code passes datetimes."""
    if not isinstance(value, str | datetime):
        raise ValueError("expected an RFC 3339 date and time with an offset")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range in UTC") from error


UtcDatetime = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""RFC 3339 text with an offset, turned to UTC; a naive time is refused."""


def _tighten(schema: Any) -> None:
    """Walks a core schema; fields that say more about themselves keep it."""
    if isinstance(schema, list | tuple):
        for part in schema:
            _tighten(part)
    elif isinstance(schema, dict):
        if schema.get("type") in {"int", "float", "bool"}:
            schema.setdefault("strict", True)
        elif schema.get("type") == "str" and "pattern" not in schema:
            schema.setdefault("max_length", TEXT_LIMIT)
            schema["pattern"] = _TEXT
        for key, part in schema.items():
            if key not in {"metadata", "cls", "config"}:
                _tighten(part)


class Body(BaseModel):
    """Base of every request body: frozen, unknown fields refused, numbers and booleans strict, bare text bounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _tighten(schema)
        return schema
