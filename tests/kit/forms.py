"""A table from event type to function: what its type cannot say, checked by name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_type_hints


def check_forms(forms: Mapping[type, Callable[..., Any]], *unions: Any) -> None:
    """Every event of the unions has a function, no other has one, and each function takes the event it is given."""
    events = {event for union in unions for event in _members(union)}
    forgotten, unknown = events - set(forms), set(forms) - events
    assert not forgotten, f"forgotten: {_names(forgotten)}"
    assert not unknown, f"no event of the unions: {_names(unknown)}"
    crossed = {event for event, function in forms.items() if not _takes(function, event)}
    assert not crossed, f"the function is written for another event: {_names(crossed)}"


def _members(union: Any) -> tuple[type, ...]:
    return get_args(union) or (union,)


def _takes(function: Callable[..., Any], event: type) -> bool:
    hints = {name: kind for name, kind in get_type_hints(function).items() if name != "return"}
    first = next(iter(hints.values()))
    return first is object or event in _members(first)


def _names(events: Iterable[type]) -> list[str]:
    return sorted(event.__name__ for event in events)
