"""What may be asked of a saved search; saved_search.py decides."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked

Name = Annotated[str, Asked(Len(1, 60))]
Criteria = Annotated[str, Asked(Len(2, 20_000))]
View = Annotated[str, Asked(Len(0, 2_000))]


@dataclass(frozen=True, slots=True)
class SaveSearch:
    """Saves a search under a name, or changes a saved one. `criteria` are a SearchCreatorsRequest as canonical JSON.

    `view` is the client's own note of how it shows the search, such as the query of a page's address. A `watched` search
    tells of creators that come to match.
    """

    name: Name
    criteria: Criteria
    view: View = ""
    watched: bool = True


@dataclass(frozen=True, slots=True)
class DeleteSavedSearch:
    """Nothing more is told of it, and what was told is gone from lists."""


@dataclass(frozen=True, slots=True)
class ReportMatches:
    """Creators that match now and were not told yet, by whoever evaluates saved searches, and how many match in all.

    `revision` counts the criteria, from 1: what was found for earlier ones is not taken.
    """

    revision: int
    creator_ids: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class MarkMatchesSeen:
    """The owner has seen the new matches up to this one; they are numbered from 1."""

    number: int


Command = SaveSearch | DeleteSavedSearch | ReportMatches | MarkMatchesSeen
