"""What the story says of people, searched for in everything that five services left: logs, read models, inline tables, topics."""

import csv
from pathlib import Path

import pytest

from cli.story.people import CREATORS
from cli.story.plan import DEALS
from tests.kit.stored import places_of
from tests.kit.story import embedded_stores

SAID = ("SF Express", "SF0000", "请写上三档亮度", "说的是个人感受", "order 40")
"""Of parcels, in notes of a revision, by reviewers, and as evidence (cli/story/work.py)."""
ARCHIVE = {"compliance.db/reviews", "compliance.db/findings"}
"""Kept for the time of Internet Advertising Measures, Art. 14."""
OUTSIDE = "sandbox.db/"
"""The social platform, where the posts are public."""
ON_ITS_WAY = "bus.db/records"
"""Commands, which stay for a week."""


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return (await embedded_stores(tmp_path_factory.mktemp("platform"))).folder


def texts() -> list[str]:
    """The beginnings of what creators wrote."""
    return sorted({text[:12] for deal in DEALS for text in deal.texts})


def test_what_was_written_and_sent_stands_in_the_archive_only(folder: Path) -> None:
    found = {
        place: words for place, words in places_of(folder, [*SAID, *texts()]).items() if not place.startswith(OUTSIDE)
    }
    assert {"compliance.db/reviews", ON_ITS_WAY} <= set(found) <= ARCHIVE | {ON_ITS_WAY}
    assert not found[ON_ITS_WAY] & {"SF Express", "SF0000", "请写上三档亮度", "说的是个人感受"}


def test_no_name_of_a_creator_stands_outside_of_discoverys_read_models(folder: Path) -> None:
    with CREATORS.open() as file:
        rows = list(csv.DictReader(file))
    names = [row[name] for row in rows for name in ("handle", "contact") if row[name]]
    assert len(names) > 100
    found = places_of(folder, names)
    assert {place for place in found if not place.startswith("discovery.db/")} == set()
    assert "log_events" not in {place.partition("/")[2] for place in found}
