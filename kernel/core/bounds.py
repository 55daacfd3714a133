"""Bounds on the fields of domain types: the domain checks values against a bound, and request bodies read the same bound."""

from functools import cache
from typing import Any, get_type_hints

from annotated_types import Interval, Len

SUM_LIMIT = 4 * 10**18
"""Where a sum over many events stands still: one more of what is added to it still fits into 64 bits. A sum that gets here is
hostile or wrong, and must stop no other sum."""


def saturated(total: int) -> int:
    """A sum within its bound."""
    return max(-SUM_LIMIT, min(total, SUM_LIMIT))


class Asked:
    """Bounds of a field that a caller sets: `whole` bounds the field itself, `each` bounds each of its items.

    Declared with the field: `title: Annotated[str, Asked(Len(1, 120))]`. They are applied to commands and never by the codec:
    an event that was stored under wider bounds stays readable.
    """

    def __init__(self, whole: Len | Interval, each: Len | None = None) -> None:
        self.whole, self.each = whole, each


@cache
def asked(kind: type, field: str) -> Asked:
    """The bounds of a dataclass's field; raises LookupError for a field without bounds."""
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


def on(value: object, field: str) -> Asked:
    """The bounds of a field of this value."""
    kind: Any = type(value)
    found: Asked = asked(kind, field)
    return found


def limits(value: object, field: str) -> tuple[int, int]:
    """The lowest and highest number, or length, that the bounds of a field of this value allow."""
    kind: Any = type(value)
    found: tuple[int, int] = _limits(kind, field)
    return found


@cache
def _limits(kind: type, field: str) -> tuple[int, int]:
    return ends(asked(kind, field).whole)


def ends(bounds: Any) -> tuple[int, int]:
    """The lowest and the highest value that the bounds allow."""
    names = ("min_length", "max_length") if isinstance(bounds, Len) else ("ge", "le")
    return getattr(bounds, names[0]), getattr(bounds, names[1])
