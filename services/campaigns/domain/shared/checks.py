"""How domain values are checked: one line per rule, one stable code each."""

import re
from collections.abc import Sequence

from kernel.core.faults import Fact, Invalid

CODE = re.compile(r"[a-z][a-z0-9_.]{0,59}\Z")


def valid(ok: bool, code: str, **facts: Fact) -> None:
    """Raises Invalid `code` unless ok."""
    if not ok:
        raise Invalid(code, **facts)


def short(value: str, code: str, limit: int) -> None:
    """A text of 1..limit characters that is not blank."""
    valid(bool(value.strip()) and len(value) <= limit, code, limit_chars=limit)


def short_list(values: Sequence[str], code: str, limit: int, chars: int = 500) -> None:
    """At most `limit` texts of at most `chars` characters, none blank."""
    valid(len(values) <= limit, code, limit_items=limit)
    for value in values:
        short(value, code, chars)


def reason_code(value: str) -> None:
    """A reason in an event is a word like `budget_cut`, never free text: free text may hold personal data."""
    valid(CODE.match(value) is not None, "reason.malformed", expected="a word of a-z, 0-9, _ and .")
