"""Events of saved searches and of shortlists as they are stored."""

from typing import Any

from services.discovery.domain.saved_search.events import (
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)
from tests.unit.discovery import shortlisted
from tests.unit.discovery.given import ID, OTHER

SAMPLES: dict[str, Any] = {
    "search.saved@1": SearchSaved(OTHER, "护肤 KOC", '{"categories":["美妆"]}', "categories=美妆", True, 1),
    "search.looked@1": SavedSearchLooked(1, (ID,), 1),
    "search.matched@1": SavedSearchMatched(OTHER, "护肤 KOC", 1, (ID,)),
    "search.matches_seen@1": MatchesSeen(1),
    "search.deleted@1": SavedSearchDeleted(OTHER),
    **shortlisted.SAMPLES,
}
