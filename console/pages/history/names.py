"""What events and fields are called for people; what has no name here is shown as the contract calls it."""

from collections.abc import Callable

from console.pages.history.events import EVENTS
from console.pages.history.fields import FIELDS

Words = Callable[[str], str]


def event_name(words: Words, name: str) -> str:
    """The name of a message of a contract, in the reader's language."""
    return words(EVENTS[name]) if name in EVENTS else name


def field_name(words: Words, path: str) -> str:
    """A path such as `brief.deliverables.2.fee_minor`, part by part; the number of an item stays."""
    return " › ".join(words(FIELDS[part]) if part in FIELDS else part for part in path.split("."))
