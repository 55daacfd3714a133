"""Values of an enum as choices of a filter: in an address they stand by name."""

from collections.abc import Callable
from typing import Any

from console.words.enums import label


def value_of(enum: Any, name: str) -> Any:
    """Number of a value by its name; 0 for a name that is none."""
    return dict(enum.items()).get(name, 0)


def options(words: Callable[..., str], enum: Any) -> list[tuple[str, str]]:
    """(name, name for people) of the values of an enum; `words` puts a text into the reader's language."""
    return [(name, words(label(enum.DESCRIPTOR, number))) for name, number in enum.items() if number]
