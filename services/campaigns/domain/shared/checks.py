"""How domain values are checked: bounds on the fields of the types themselves, one line per rule, one stable code each."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, get_type_hints

from annotated_types import Interval, Len

from kernel.core.faults import Fact, Invalid

CODE = re.compile(r"[a-z][a-z0-9_.]{0,59}\Z")


class Asked:
    """Bounds of what may be asked: `whole` of the field, `each` of its items; a request body reads the same bounds.

    The codec does not apply them: what was stored under wider bounds stays readable when they are narrowed.
    """

    def __init__(self, whole: Len | Interval, each: Len | None = None) -> None:
        self.whole, self.each = whole, each


@cache
def asked(kind: type, field: str) -> Asked:
    """The bounds that stand on a field of a dataclass; LookupError where none do."""
    found = getattr(get_type_hints(kind, include_extras=True)[field], "__metadata__", ())
    for one in found:
        if isinstance(one, Asked):
            return one
    raise LookupError(f"{kind.__name__}.{field} has no bounds")


def whole(kind: type, field: str) -> Len | Interval:
    """The bounds of a field, for the body that asks for it."""
    return asked(kind, field).whole


def each(kind: type, field: str) -> Len | None:
    """The bounds of a field's items."""
    return asked(kind, field).each


def valid(ok: bool, code: str, **facts: Fact) -> None:
    """Raises Invalid `code` unless ok."""
    if not ok:
        raise Invalid(code, **facts)


def check_text(value: object, field: str, code: str) -> None:
    """A text within the bounds of its field; not blank where it may not be empty."""
    _text(getattr(value, field), _on(value, field).whole, code)


def check_texts(value: object, field: str, code: str) -> None:
    """No more texts than the bounds of their field allow, each within the bounds of an item."""
    bounds, texts = _on(value, field), getattr(value, field)
    check_count(value, field, code, "limit_items")
    for text in texts:
        _text(text, bounds.each, code)


def check_count(value: object, field: str, code: str, fact: str = "limit") -> None:
    """So many items as the bounds of the field allow."""
    items: Sequence[Any] = getattr(value, field)
    low, high = _ends(_on(value, field).whole)
    valid(low <= len(items) <= high, code, **{fact: high})


def check_number(value: object, field: str, code: str, fact: str = "limit", **facts: Fact) -> None:
    """A number within the bounds of its field."""
    low, high = _ends(_on(value, field).whole)
    valid(low <= getattr(value, field) <= high, code, **facts, **{fact: high})


def _on(value: object, field: str) -> Asked:
    kind: Any = type(value)
    found: Asked = asked(kind, field)
    return found


def _text(text: str, bounds: Any, code: str) -> None:
    low, high = _ends(bounds)
    valid(low <= len(text) <= high and (low == 0 or bool(text.strip())), code, limit_chars=high)


def _ends(bounds: Any) -> tuple[int, int]:
    """Both ends, the upper one with it."""
    names = ("min_length", "max_length") if isinstance(bounds, Len) else ("ge", "le")
    return getattr(bounds, names[0]), getattr(bounds, names[1])


def reason_code(value: str) -> None:
    """A reason in an event is a word like `budget_cut`, never free text: free text may hold personal data."""
    valid(CODE.match(value) is not None, "reason.malformed", expected="a word of a-z, 0-9, _ and .")
