"""What the README tells a newcomer to run is run here: the demo's output, the Python examples, the query, the targets."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from cli.commands.demo import address_of
from cli.layout import Layout
from cli.platform import Embedded
from cli.story.market import OPERATOR
from tests.kit.story import embedded_stores
from tools.speed import patience

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}", "COLUMNS": "150"}


@dataclass(frozen=True)
class Up:
    """A platform with a small story told on it."""

    layout: Layout
    token: str

    def here(self, text: str) -> str:
        """The README's addresses are those of `make up`; this platform has its own."""
        for service in self.layout.ports.rpc:
            port = {"discovery": 9101, "campaigns": 9102, "ledger": 9103, "compliance": 9104, "metrics": 9105}[service]
            text = text.replace(f"127.0.0.1:{port}", self.layout.rpc(service))
            text = text.replace(f"http://127.0.0.1:{port - 1000}", self.layout.http(service))
        return text


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    told = await embedded_stores(tmp_path_factory.mktemp("platform"))
    with Embedded.start(told.folder) as platform:
        await platform.wait()
        address = address_of(platform.layout)
        yield Up(platform.layout, address.issue(OPERATOR))


def test_every_make_target_exists() -> None:
    named = set(re.findall(r"[`$] ?make ([a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


SEALED = re.compile(r"^(hash_chain|seals|events_readable)( +ok) +(\d+)$")


def without_seals(line: str) -> str:
    """The line without the count of positions that seals are part of."""
    return SEALED.sub(r"\1\2", line)


def sealed(lines: list[str]) -> dict[str, int]:
    return {found[1]: int(found[3]) for line in lines if (found := SEALED.match(line.rstrip()))}


def test_the_demo_prints_what_the_readme_shows() -> None:
    """The whole story at full size; every shown line but the times comes, in order.

    The ledger seals its journal at every tenth minute of the hour: a demo that runs over one has two more events to verify.
    """
    shown = next(text for text in CONSOLE if text.startswith("$ make demo\n")).splitlines()[1:]
    counts = sealed(shown)
    shown = [without_seals(line) for line in shown[: shown.index("Time")] if line != "..."]
    command = [sys.executable, "-m", "cli", "demo"]
    told = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=patience(300), check=False
    )
    assert told.returncode == 0, told.stderr[-3000:]
    printed = iter([without_seals(line.rstrip()) for line in told.stdout.splitlines()])
    missing = [line for line in shown if not any(line == found for found in printed)]
    assert missing == []
    assert "http://127.0.0.1:8100" in "".join(told.stdout.splitlines()[-3:]), "it ends with what to open"
    found = sealed(told.stdout.splitlines())
    assert found["hash_chain"] - counts["hash_chain"] == found["events_readable"] - counts["events_readable"]
    assert found["hash_chain"] - counts["hash_chain"] - 2 * found["seals"] in {0, 1}  # 1: closed and not yet sealed


async def run_until_it_prints(up: Up, code: str, folder: Path) -> str:
    """The first line a script prints, which may then go on for ever; typed in another folder, with .venv/bin on the PATH."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}", "DANDELION_DATA": str(up.layout.folder)}
    script = folder / "example.py"
    script.write_text(code)
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", f'eval "$(dandelion env campaigns)"; exec python -u {script}', cwd=folder,
        env=env | {"TOKEN": up.token},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), patience(60))
        return line.decode() or (await process.stderr.read()).decode()[-2000:]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_subscribing_prints_posts(up: Up, tmp_path: Path) -> None:
    subscribing = next(code for code in PYTHON if "subscribe(" in code)
    assert "http" in await run_until_it_prints(up, up.here(subscribing), tmp_path)


async def test_querying_prints_campaigns(up: Up, tmp_path: Path) -> None:
    querying = next(code for code in PYTHON if "connect(" in code)
    assert re.search(r"\d+ (CNY|USD)$", (await run_until_it_prints(up, up.here(querying), tmp_path)).strip())


def test_the_grpcurl_line_answers(up: Up) -> None:
    """By grpcurl where there is one; else the same call by server reflection, which is what grpcurl needs."""
    line = next(text for text in CONSOLE if text.startswith("$ grpcurl"))[2:].strip()
    assert line.startswith("grpcurl -plaintext -H ")
    line = up.here(line)
    if shutil.which("grpcurl"):
        told = subprocess.run(
            ["bash", "-c", line],
            env=ENVIRONMENT | {"TOKEN": up.token},
            capture_output=True,
            timeout=patience(60),
            check=True,
        )
        assert json.loads(told.stdout)
        return
    data, target, method = re.search(r"-d '(.*?)' (\S+) (\S+)$", line).groups()  # type: ignore[union-attr]
    service, _, name = method.partition("/")
    assert len(_call(target, service, name, json.loads(data), up.token)) > 20


def curled(up: Up, line: str, **more: str) -> str:
    """What a line with curl prints."""
    told = subprocess.run(
        ["bash", "-c", up.here(line)], env=ENVIRONMENT | {"TOKEN": up.token, **more}, capture_output=True, text=True,
        timeout=patience(60), check=True,
    )  # fmt: skip
    return told.stdout


def test_the_curl_line_answers(up: Up) -> None:
    (line,) = [line[2:] for text in CONSOLE for line in text.splitlines() if line.startswith("$ curl")]
    answer = json.loads(curled(up, line))
    assert len(answer["rows"]) == 3
    assert answer["page"]["next_page_token"]


def test_the_lines_of_the_page_on_http_answer(up: Up) -> None:
    page = (ROOT / "docs" / "http.md").read_text()
    listed, found, watched, happened, stood = [line[2:] for line in page.splitlines() if line.startswith("$ curl")]
    campaigns = json.loads(curled(up, listed))
    assert campaigns["campaigns"]
    assert all(list(one) == ["campaign_id"] for one in campaigns["campaigns"])
    assert set(json.loads(curled(up, found))) == {"hits", "page", "total", "answered_by"}
    campaign = campaigns["campaigns"][0]["campaign_id"]
    assert json.loads(curled(up, happened, CAMPAIGN=campaign))["events"]
    assert "dandelion.campaigns.v1.Campaign" in curled(up, stood, CAMPAIGN=campaign)
    events = curled(up, watched, CAMPAIGN=campaign)
    assert '\ndata: {"total":{' in events
    assert '"code":"deadline.exceeded"' in events.splitlines()[-2]


def _call(target: str, service: str, name: str, data: dict[str, Any], token: str) -> bytes:
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.json_format import ParseDict
    from google.protobuf.message_factory import GetMessageClass

    with grpc.insecure_channel(target) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName(service).FindMethodByName(name)
        request = ParseDict(data, GetMessageClass(method.input_type)())
        unary = channel.unary_unary(f"/{service}/{name}", lambda message: message.SerializeToString(), lambda raw: raw)
        answer: bytes = unary(request, metadata=(("authorization", f"Bearer {token}"),), timeout=patience(30))
    return answer


def test_every_file_named_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert len(links) > 15
    assert [link for link in links if not (ROOT / link).exists()] == []
