"""Whatever a service ever stored has a golden file and is read by today's code: every stored name, every version of it."""

from pathlib import Path

import pytest

from cli.embedded import WIRED

GOLDEN = {name: Path(__file__).parent / name / "golden" for name in WIRED}


@pytest.mark.parametrize("service", WIRED)
def test_every_stored_version_has_a_golden_file_and_no_file_is_left_over(service: str) -> None:
    stored = {
        f"{noun}@{version}"
        for noun, current in WIRED[service].codec.versions().items()
        for version in range(1, current + 1)
    }
    assert {path.stem for path in GOLDEN[service].glob("*.json")} == stored


@pytest.mark.parametrize(
    "path", [path for folder in GOLDEN.values() for path in sorted(folder.glob("*.json"))], ids=lambda p: p.stem
)
def test_a_golden_file_is_read_and_would_be_stored_the_same(path: Path) -> None:
    """A former version is read as the current one; the current one is written byte for byte as it stands."""
    codec, data = WIRED[path.parent.parent.name].codec, path.read_bytes().rstrip(b"\n")
    name, again = codec.encode(codec.decode(path.stem, data))
    assert name.partition("@")[0] == path.stem.partition("@")[0]
    if name == path.stem:
        assert again == data
