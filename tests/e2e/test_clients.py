"""docs/clients.md: the files of a release, and clients in other languages that call a running platform."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from cli.commands.demo import address_of
from cli.embedded import WIRED
from cli.platform import Embedded
from cli.story.market import OPERATOR
from tests.deploy.page import blocks
from tools import dist
from tools.speed import patience

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "clients.md"
NEEDS = {"Go": "go", "TypeScript": "npm"}
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def commands(heading: str) -> list[str]:
    return [command for found in blocks("sh", PAGE) if found.heading == heading for command in found.commands()]


def test_a_release_has_its_files(tmp_path: Path) -> None:
    assert commands("Files of a release") == ["make dist"]
    assert "\n\t@$(PYTHON) -m tools.dist\n" in (ROOT / "Makefile").read_text()
    made = dist.make(tmp_path / "dist")
    (wheel,) = (tmp_path / "dist").glob("dandelion_contracts-*.whl")
    assert set(made) == {wheel.name, "dandelion.binpb", *(f"openapi/{name}.json" for name in WIRED)}
    assert {"dandelion_contracts/subscriber.py", "dandelion/ledger/v1/queries_pb2.py"} <= set(
        zipfile.ZipFile(wheel).namelist()
    )
    described = FileDescriptorSet.FromString((tmp_path / "dist" / "dandelion.binpb").read_bytes())
    assert {f"{file.package}.{one.name}" for file in described.file for one in file.service} >= {
        "dandelion.ledger.v1.BalanceQueryService",
        "dandelion.metrics.v1.OrderQueryService",
    }
    paths = json.loads((tmp_path / "dist" / "openapi" / "ledger.json").read_text())["paths"]
    assert {"/payouts/{payout_id}", "/currencies"} <= paths.keys()
    sums = dict(line.split("  ")[::-1] for line in (tmp_path / "dist" / "SHA256SUMS").read_text().splitlines())
    assert sums == {one: hashlib.sha256((tmp_path / "dist" / one).read_bytes()).hexdigest() for one in made}


def test_the_contracts_say_the_wheels_name() -> None:
    (command,) = commands("Python")
    assert re.fullmatch(r"pip install dist/dandelion_contracts-\*\.whl", command)


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    with Embedded.start(tmp_path_factory.mktemp("platform")) as running:
        await running.wait()
        yield running


def run(command: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": PATH, **more}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=patience(600), check=False
    )


def built(language: str, folder: Path) -> Path:
    """The client of the page's commands, made in a copy of what the repository holds; skips where the toolchain is not there."""
    if shutil.which(NEEDS[language], path=PATH) is None:
        pytest.skip(f"{NEEDS[language]} is not there")
    first, *others = commands(language)
    inside = first.removeprefix("cd ")
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", inside], ROOT).stdout
    for name in listed.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "dist").mkdir()
    dist.descriptors(folder / "dist")
    for command in others:
        done = run(command.split(), folder / inside)
        if done.returncode and re.search(r"dial tcp|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|no such host", done.stderr):
            pytest.skip(f"no registry answers: {done.stderr[-200:]}")
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    return folder / inside


@pytest.mark.parametrize("language", sorted(NEEDS))
async def test_a_client_in_another_language_queries_the_platform(
    platform: Embedded, tmp_path: Path, language: str
) -> None:
    folder, address = built(language, tmp_path), address_of(platform.layout)
    target = address.rpc["campaigns"]
    command = ["build/client", target] if language == "Go" else ["node", "build/main.js", f"http://{target}"]
    said = run(command, folder, TOKEN=address.issue(OPERATOR))
    assert (said.returncode, said.stdout) == (0, "0 campaigns\n"), said.stderr
    refused = run(command, folder, TOKEN="nonsense")
    assert refused.returncode != 0
    assert "token.malformed" in refused.stderr
