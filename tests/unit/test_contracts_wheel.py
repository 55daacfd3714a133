"""The wheel `dandelion-contracts`: complete by itself, typed, and its README's code does what it says."""

import os
import re
import select
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dandelion.campaigns.v1.events_pb2 import ContentPublished

from kernel.adapters.bus import Message
from kernel.adapters.sqlite_bus import SqliteBus
from tools.speed import patience

CONTRACTS = Path(__file__).parents[2] / "contracts"
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, as a path to import from."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(CONTRACTS, folder / "contracts", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=source, check=True, capture_output=True)
    [wheel] = folder.glob("dandelion_contracts-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def python(installed: Path, *arguments: str) -> subprocess.Popen[str]:
    """A Python that sees the wheel and this environment's libraries, and nothing of the project's tree."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=installed.parent, env=environment, stdout=subprocess.PIPE, text=True)


def test_the_wheel_has_all_that_it_imports_and_no_more(installed: Path) -> None:
    program = (
        "import sys, dandelion_contracts.subscriber as s, dandelion_contracts.channel, dandelion_contracts.kafka; "
        "print(s.__file__, sorted(name for name in sys.modules if name.split('.')[0] in ('kernel', 'services')))"
    )
    out, _ = python(installed, "-c", program).communicate(timeout=patience(60))
    assert out.strip() == f"{installed}/dandelion_contracts/subscriber.py []"


def test_the_wheel_is_typed(installed: Path) -> None:
    assert (installed / "dandelion" / "py.typed").exists()
    assert (installed / "dandelion_contracts" / "py.typed").exists()
    assert {path.name for path in installed.glob("dandelion/ledger/v1/*.pyi")} == {
        "commands_pb2.pyi",
        "events_pb2.pyi",
        "queries_pb2.pyi",
        "queries_pb2_grpc.pyi",
    }


async def test_the_readme_subscribes_as_it_says(installed: Path, tmp_path: Path) -> None:
    url = "https://example.org/explore/1"
    await publish(tmp_path / "bus.db", ContentPublished(url=url))
    code = readme_code(0).replace('"localhost:9092"', f'"local://{tmp_path}/bus.db"')
    process = python(installed, "-c", code.replace('"positions.json"', f'"{tmp_path}/positions.json"'))
    try:
        assert process.stdout
        assert select.select([process.stdout], [], [], patience(60))[0], "nothing came"
        assert process.stdout.readline() == f"2026-11-22 08:00:00+00:00 {url}\n"
    finally:
        process.kill()
        process.communicate()


def test_the_readme_queries_with_names_that_exist(installed: Path) -> None:
    process = python(installed, "-c", readme_code(1) + "\nprint(campaigns.__annotations__)")
    assert process.communicate(timeout=patience(60))[0] == "{'token': <class 'str'>, 'return': None}\n"


def readme_code(number: int) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", (CONTRACTS / "README.md").read_text(), re.S)
    return blocks[number]


async def publish(path: Path, message: ContentPublished) -> None:
    bus = SqliteBus(str(path))
    await bus.ensure_topics({"campaigns.events.v1": 1})
    headers = {
        "ce_id": "collaboration-1@1", "ce_type": message.DESCRIPTOR.full_name, "ce_position": "1", "ce_previous": "0",
        "ce_time": datetime(2026, 11, 22, 8, tzinfo=UTC).isoformat(),
    }  # fmt: skip
    sent = Message(b"key", message.SerializeToString(), [(name, text.encode()) for name, text in headers.items()])
    await (await bus.producer()).send({("campaigns.events.v1", 0): [sent]}, 15)
    await bus.close()
