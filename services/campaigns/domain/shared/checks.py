"""Checks of domain values: one line per rule, one stable code each; bounds stand on the fields of the types themselves."""

import re
from collections.abc import Sequence
from typing import Any

from kernel.core.bounds import ends, limits, on
from kernel.core.faults import Fact, Invalid

CODE = re.compile(r"[a-z][a-z0-9_.]{0,59}\Z")


def valid(ok: bool, code: str, **facts: Fact) -> None:
    """Raises Invalid `code` unless ok."""
    if not ok:
        raise Invalid(code, **facts)


def check_text(value: object, field: str, code: str) -> None:
    """A text within the bounds of its field; not blank where it may not be empty."""
    _text(getattr(value, field), limits(value, field), code)


def check_texts(value: object, field: str, code: str) -> None:
    """No more texts than the bounds of their field allow, each within the bounds of an item."""
    check_count(value, field, code, "limit_items")
    allowed = ends(on(value, field).each)
    for text in getattr(value, field):
        _text(text, allowed, code)


def check_count(value: object, field: str, code: str, fact: str = "limit") -> None:
    """So many items as the bounds of the field allow."""
    items: Sequence[Any] = getattr(value, field)
    low, high = limits(value, field)
    valid(low <= len(items) <= high, code, **{fact: high})


def check_number(value: object, field: str, code: str, fact: str = "limit", **facts: Fact) -> None:
    """A number within the bounds of its field."""
    low, high = limits(value, field)
    valid(low <= getattr(value, field) <= high, code, **facts, **{fact: high})


def _text(text: str, allowed: tuple[int, int], code: str) -> None:
    low, high = allowed
    valid(low <= len(text) <= high and (low == 0 or bool(text.strip())), code, limit_chars=high)


def reason_code(value: str) -> None:
    """A reason in an event is a word like `budget_cut`, never free text: free text may hold personal data."""
    valid(CODE.match(value) is not None, "reason.malformed", expected="a word of a-z, 0-9, _ and .")
