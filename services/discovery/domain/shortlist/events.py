"""What happened to a shortlist. Stored for ever; private: no topic has them."""

from dataclasses import dataclass
from typing import Annotated

from kernel.core.personal import DataSubject, PersonalData


@dataclass(frozen=True, slots=True)
class ShortlistBegun:
    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class ShortlistRenamed:
    name: str


@dataclass(frozen=True, slots=True)
class CreatorsShortlisted:
    """They were not on it; in the order in which they were given."""

    creator_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreatorsTakenOff:
    """They were on it; their notes went with them."""

    creator_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreatorNoted:
    """The note about a creator, in place of the one before; "" for none, and where the creator was erased."""

    creator_id: Annotated[str, DataSubject()]
    note: Annotated[str, PersonalData()]


@dataclass(frozen=True, slots=True)
class ShortlistDeleted:
    owner: str


Event = ShortlistBegun | ShortlistRenamed | CreatorsShortlisted | CreatorsTakenOff | CreatorNoted | ShortlistDeleted
"""Of a `shortlist-` stream."""
