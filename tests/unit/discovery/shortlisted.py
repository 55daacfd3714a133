"""Events of a shortlist as they are stored."""

from typing import Any

from services.discovery.domain.shortlist.events import (
    CreatorNoted,
    CreatorsShortlisted,
    CreatorsTakenOff,
    ShortlistBegun,
    ShortlistDeleted,
    ShortlistRenamed,
)
from tests.unit.discovery.given import ID, OTHER

SAMPLES: dict[str, Any] = {
    "shortlist.begun@1": ShortlistBegun(OTHER, "春季新品"),
    "shortlist.renamed@1": ShortlistRenamed("春季新品 2027"),
    "shortlist.creators_added@1": CreatorsShortlisted((ID, OTHER)),
    "shortlist.creators_removed@1": CreatorsTakenOff((OTHER,)),
    "shortlist.noted@1": CreatorNoted(ID, "answers fast"),
    "shortlist.deleted@1": ShortlistDeleted(OTHER),
}
