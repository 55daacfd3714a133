"""docs/tutorial.md is run from its text alone, embedded and on Kafka with PostgreSQL, with three kill -9 on the way.

The shell blocks are one bash session, the Python blocks the files that they are saved as; what a text block shows comes out.
Only the places differ: this platform's folder, ports and bus stand where the page has those of `make up`.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.distributed import Servers
from cli.layout import HTTP_PORTS, RPC_PORTS, SANDBOX_PORT, Layout
from cli.platform import EMBEDDED, Embedded, LocalPlatform, Name
from tests.kit.together import ALL_ROLES, together
from tests.kit.until import until
from tools.servers import KafkaServer, PostgresServer
from tools.speed import patience

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r"(?:Save this as `(?P<name>[\w.]+)`:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
KILLED_BEFORE = ("## Money and a brief", "## From draft to payment", "## What it brought")
LIMIT_S = 240.0
SETUP = f"""set -euo pipefail
export PATH={Path(sys.executable).parent}:$PATH
trap '[ -z "${{SUBSCRIBER:-}}" ] || kill $SUBSCRIBER 2> /dev/null || true' EXIT
"""


def _here(text: str, layout: Layout) -> str:
    """The page's places are those of `make up` in the checkout."""
    text = (
        text.replace("local:///$DATA/bus.db", layout.stores.bus)
        .replace("$PWD/../.data", str(layout.folder))
        .replace("$PWD/../.venv/bin:", "")
    )
    for service in layout.ports.http:
        text = text.replace(f"http://127.0.0.1:{HTTP_PORTS[service]}", layout.http(service))
        text = text.replace(f"127.0.0.1:{RPC_PORTS[service]}", layout.rpc(service))
    return text.replace(f"http://127.0.0.1:{SANDBOX_PORT}", layout.http("sandbox"))


def _stop(number: int) -> str:
    """Where the session waits until something was killed."""
    return f"touch reached.{number}; until [ -e killed.{number} ]; do sleep 0.1; done\n"


def _saved(name: str, text: str) -> str:
    return f"cat > {name} <<'END_OF_FILE'\n{text}END_OF_FILE\n"


def _script(layout: Layout) -> str:
    """The page as one bash session."""
    page = PAGE
    for number, heading in enumerate(KILLED_BEFORE):
        assert page.count(f"\n{heading}\n") == 1
        page = page.replace(f"\n{heading}\n", f"\n```stop\n{number}\n```\n{heading}\n")
    said = [SETUP]
    for block in BLOCK.finditer(page):
        match block["kind"]:
            case "sh":
                said.append(block["text"])
            case "python":
                said.append(_saved(block["name"], block["text"]))
            case "stop":
                said.append(_stop(int(block["text"])))
    return _here("\n".join(said), layout)


def _shown() -> list[str]:
    """Lines that the page shows as what comes out, in order."""
    return [line for block in BLOCK.finditer(PAGE) if block["kind"] == "text" for line in block["text"].splitlines()]


async def _follow(platform: LocalPlatform, victims: Sequence[Name], folder: Path) -> str:
    """What the page prints when it is run in the folder; one process is killed at each stop and comes back meanwhile."""
    script = folder / "tutorial.sh"
    script.write_text(_script(platform.layout))
    session = await asyncio.create_subprocess_exec(
        "bash", str(script), cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    reading = asyncio.create_task(session.communicate())
    for number, victim in enumerate(victims):
        stop = folder / "mine" / f"reached.{number}"

        async def arrived(stop: Path = stop) -> bool:
            return await asyncio.to_thread(stop.exists) or reading.done()

        await until(arrived, LIMIT_S)
        assert not reading.done(), (await reading)[0].decode()[-3000:]
        await asyncio.to_thread(platform.kill, victim)
        stop.with_name(f"killed.{number}").touch()
        await asyncio.to_thread(platform.restart, victim)
    printed, _ = await asyncio.wait_for(reading, patience(LIMIT_S))
    assert session.returncode == 0, printed.decode()[-3000:]
    return printed.decode()


def _check(printed: str) -> None:
    lines = iter(printed.splitlines())
    assert [line for line in _shown() if not any(line == found for found in lines)] == [], printed[-2000:]


async def test_the_tutorial_does_what_it_says_on_the_embedded_platform(tmp_path: Path) -> None:
    with await asyncio.to_thread(Embedded.start, tmp_path / "data") as platform:
        await platform.wait()
        _check(await _follow(platform, [EMBEDDED] * len(KILLED_BEFORE), tmp_path))


async def test_the_tutorial_does_what_it_says_on_kafka_and_postgresql(
    fresh_kafka: KafkaServer, fresh_postgres: PostgresServer, tmp_path: Path
) -> None:
    victims: list[Name] = [("campaigns", "all"), ("ledger", "all"), ("metrics", "all")]
    with await together(Servers(fresh_kafka, fresh_postgres), tmp_path / "data", ALL_ROLES) as platform:
        await platform.wait()
        _check(await _follow(platform, victims, tmp_path))


def test_the_page_shows_figures_and_names_its_files() -> None:
    assert len(_shown()) == 3
    assert {block["name"] for block in BLOCK.finditer(PAGE) if block["kind"] == "python"} == {"events.py", "figures.py"}


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", PAGE))
def test_every_page_that_it_names_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
