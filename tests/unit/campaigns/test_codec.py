"""What is stored stays readable: a golden file per stored version ever written, decoded and encoded to the same bytes."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.campaigns import codec
from services.campaigns.codec import CODEC
from tests.unit.campaigns.samples import EVERYTHING

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("sample", EVERYTHING, ids=lambda sample: type(sample).__name__)
def test_golden_files_hold_what_is_stored_today(sample: Any) -> None:
    name, data = CODEC.encode(sample)
    assert (GOLDEN / f"{name}.json").read_bytes() == data + b"\n"
    assert CODEC.decode(name, data) == sample


@pytest.mark.parametrize("file", sorted((GOLDEN / "0.1.0").glob("*.json")), ids=lambda file: file.stem)
def test_a_document_keeps_the_hash_that_it_was_stored_with(file: Path) -> None:
    """0.1.0 hashed the keys sorted, over a brief without `timezone`."""
    raw = json.loads(file.read_bytes())
    event = CODEC.decode(file.stem, file.read_bytes().strip())
    _, again = CODEC.encode(event)
    for name in {"brief", "terms", "contract"} & raw.keys():
        text = json.dumps(raw[name], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert getattr(event, name).sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert f'"{name}":{text}' in again.decode()
    if "contract" in raw:
        assert event.contract.sha256 == raw["contract_sha256"]
        assert event.contract.value.brief.value.timezone == "Asia/Shanghai"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_version_ever_stored_is_read(file: Path) -> None:
    assert CODEC.decode(file.stem, file.read_bytes().strip()) is not None


def test_no_stored_name_is_without_a_golden_file() -> None:
    names = {*codec.CAMPAIGN, *codec.APPLICATION, *codec.COLLABORATION, *codec.PROCESS, *codec.COMMANDS}
    assert names <= {file.stem for file in FILES}
