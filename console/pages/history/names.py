"""What events and fields are called for people; what has no name here is shown as the contract calls it."""

from collections.abc import Callable, Iterator

from console.pages.history.events import EVENTS
from console.pages.history.fields import FIELDS
from console.words import mark

Words = Callable[[str], str]
MANY = {"shares": mark("Parts")}
"""Lists whose name is that of a count elsewhere."""


def event_name(words: Words, name: str) -> str:
    """The name of a message of a contract, in the reader's language."""
    return words(EVENTS[name]) if name in EVENTS else name


def field_name(words: Words, path: str) -> str:
    """A path such as `brief.deliverables.2.fee_minor`, part by part; the number of an item stays."""
    return " › ".join(_parts(words, path.split(".")))


def _parts(words: Words, parts: list[str]) -> Iterator[str]:
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        named = MANY.get(part) if following.isdigit() else None
        named = named or FIELDS.get(part)
        yield words(named) if named else part
