"""What happened to a saved search. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchSaved:
    """`revision` counts the criteria, from 1: where it is another than before, what was told for the old ones is void."""

    owner: str
    name: str
    criteria: str
    view: str
    watched: bool
    revision: int


@dataclass(frozen=True, slots=True)
class SavedSearchLooked:
    """The first look after the criteria were set: who matched already, of `total`. None of them is news.

    `creator_ids` are empty where `total` is more than is watched.
    """

    revision: int
    creator_ids: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class SavedSearchMatched:
    """These creators came to match; they are numbered on from `first` (the first of all is 1)."""

    owner: str
    name: str
    first: int
    creator_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchesSeen:
    """The owner has seen the matches 1 to `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class SavedSearchDeleted:
    owner: str


Event = SearchSaved | SavedSearchLooked | SavedSearchMatched | MatchesSeen | SavedSearchDeleted
