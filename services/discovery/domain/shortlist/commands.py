"""What may be asked of a shortlist; shortlist.py decides."""

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked

LISTS_LIMIT = 50
"""Shortlists of one owner."""
CREATORS_LIMIT = 500
"""Creators on one shortlist."""
AT_ONCE = 200
"""Creators of one command."""
Name = Annotated[str, Asked(Len(1, 60))]
Creators = Annotated[tuple[str, ...], Asked(Len(1, AT_ONCE), each=Len(36, 36))]
Note = Annotated[str, Asked(Len(0, 500))]


@dataclass(frozen=True, slots=True)
class NameShortlist:
    """Begins a shortlist of `owner`, or gives one another name."""

    owner: str
    name: Name


@dataclass(frozen=True, slots=True)
class AddToShortlist:
    """Creators that are on it already stay as they are."""

    creator_ids: Creators


@dataclass(frozen=True, slots=True)
class RemoveFromShortlist:
    """Creators that are not on it are passed over. A note goes with its creator."""

    creator_ids: Creators


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What the owner wants to remember of a creator on the list; "" takes the note away. It is written about a person, and is
    stored under that person's key."""

    creator_id: str
    note: Note = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeleteShortlist:
    owner: str


OfAList = AddToShortlist | RemoveFromShortlist | WriteNote | DeleteShortlist
Command = NameShortlist | OfAList
