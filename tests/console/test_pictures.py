"""The pictures of the README and of docs/console.md: each is made by `make screenshots`, small, and shown."""

import re

import pytest

from tests.arch.tree import ROOT
from tests.kit.screenshots import FOLDER, LIMIT_BYTES, PICTURES, Picture

TOUR = (ROOT / "docs" / "console.md").read_text()
README = (ROOT / "README.md").read_text()
SHOWN = re.compile(r"!\[[^\]]+\]\((?:docs/)?images/([\w-]+)\.png\)")


def test_every_picture_is_made_by_the_command() -> None:
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(one.name for one in PICTURES)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_shown(picture: Picture) -> None:
    assert picture.file.stat().st_size <= LIMIT_BYTES
    assert picture.name in SHOWN.findall(TOUR)


def test_the_readme_shows_three_pictures() -> None:
    assert SHOWN.findall(README) == ["performance", "creators", "collaboration"]
