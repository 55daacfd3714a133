"""Checks that profile, rate card, audience and figures share. Each raises Invalid naming the field and the rule."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from kernel.core.bounds import limits, on
from kernel.core.faults import Invalid

COUNT_LIMIT = 10**11
"""No single count (followers, exposures) may reach this: more than every human several times over is a unit mistake."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class Provenance(StrEnum):
    """Where a number comes from: read from the platform, typed in by somebody, or computed by a model."""

    PLATFORM = "platform"
    MANUAL = "manual"
    ESTIMATED = "estimated"


def checked_count(field: str, value: int) -> int:
    """A whole number in [0, COUNT_LIMIT)."""
    if not 0 <= value < COUNT_LIMIT:
        raise Invalid("count.out_of_range", field=field, value=value, limit=COUNT_LIMIT)
    return value


def checked_text(field: str, value: str, limit: int) -> str:
    """One line of at most `limit` characters without control characters and without blanks around it."""
    if len(value) > limit:
        raise Invalid("text.too_long", field=field, limit=limit)
    if value != value.strip() or _CONTROL.search(value):
        raise Invalid("text.malformed", field=field, expected="no control characters, no blanks around it")
    return value


def checked_line(value: object, field: str) -> str:
    """The text in a field of `value`, which is one line within the bounds of the field."""
    return checked_text(field, getattr(value, field), limits(value, field)[1])


def checked_lines(value: object, field: str) -> str:
    """The text in a field of `value`, which may have several lines, within the bounds of the field."""
    text: str = getattr(value, field)
    lowest, highest = limits(value, field)
    if not lowest <= len(text.strip()) <= len(text) <= highest:
        raise Invalid("text.empty" if len(text) <= highest else "text.too_long", field=field, limit=highest)
    if _CONTROL.search(text.replace("\n", "")):
        raise Invalid("text.malformed", field=field, expected="no control characters but line feeds")
    return text


def checked_few(value: object, field: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """The items of a list in a field of `value`, distinct and sorted, within the bounds of the field."""
    return checked_unique(field, items, limits(value, field)[1])


def checked_unique(field: str, values: tuple[str, ...], limit: int) -> tuple[str, ...]:
    """At most `limit` distinct values, sorted, so that the same set is always stored the same way."""
    if len(values) > limit:
        raise Invalid("list.too_long", field=field, limit=limit)
    if len(set(values)) != len(values):
        raise Invalid("list.repeated_value", field=field)
    return tuple(sorted(values))


def checked_texts(value: object, field: str) -> tuple[str, ...]:
    """The distinct non-empty texts in a field of `value`, within the bounds of the field and of its items."""
    longest = on(value, field).each
    assert longest is not None
    assert longest.max_length is not None
    texts = tuple(checked_text(field, text, longest.max_length) for text in getattr(value, field))
    if not all(texts):
        raise Invalid("text.empty", field=field)
    return checked_few(value, field, texts)


def checked_observed(observed_at: datetime, at: datetime) -> datetime:
    """When a number was read: a UTC time that is not later than now (`at`, database time)."""
    if observed_at.tzinfo is None or observed_at.utcoffset() != timedelta(0):
        raise Invalid("time.not_utc", field="observed_at")
    if observed_at > at:
        raise Invalid("time.in_the_future", field="observed_at", value=observed_at.isoformat(), now=at.isoformat())
    return observed_at.astimezone(UTC)
