"""A subscriber's positions on disk: they come back whole, or say that they cannot."""

import os
from pathlib import Path

import pytest
from dandelion_contracts.errors import BadPositions
from dandelion_contracts.positions import FilePositions, Position


async def test_file_positions_come_back(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    await FilePositions(path).save({("a", 0): Position(3, 7), ("b", 11): Position(5, None)})
    kept = FilePositions(path)
    assert await kept.load() == {("a", 0): Position(3, 7), ("b", 11): Position(5, None)}
    await kept.save({("a", 0): Position(4, 9)})
    assert await FilePositions(path).load() == {("a", 0): Position(4, 9), ("b", 11): Position(5, None)}
    assert os.listdir(tmp_path) == ["positions.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": {"0": [1]}}', '{"a": {"x": [1, 2]}}', '{"a": {"0": [-1, 2]}}', '{"a": {"0": [true, 2]}}'],
)
async def test_a_damaged_file_is_an_error_not_a_new_beginning(tmp_path: Path, text: str) -> None:
    path = tmp_path / "positions.json"
    path.write_text(text)
    with pytest.raises(BadPositions):
        await FilePositions(path).load()


async def test_no_file_is_a_new_subscriber(tmp_path: Path) -> None:
    assert await FilePositions(tmp_path / "none.json").load() == {}
