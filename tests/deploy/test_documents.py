"""What operators are told to type: SQL runs on a migrated database, commands name what exists, alerts and pages link."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from kernel.database import Database
from kernel.ids import new_id
from kernel.migrate import migrate
from services.campaigns.wiring import SERVICE
from tests.deploy.conftest import ROOT
from tests.deploy.objects import Object, labels, name_of, of
from tools.deploy.kubectl import K8S
from tools.servers import PostgresServer

PAGES = [ROOT / "docs" / "operate.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        yield from ((page, text) for found, text in FENCE.findall(page.read_text()) if found == language)


def statements() -> list[str]:
    fenced = [one for _, text in blocks("sql") for one in text.split(";")]
    inline = [one.rstrip(";") for page in PAGES for one in re.findall(r"`((?:SELECT|UPDATE) [^`]*)`", page.read_text())]
    return sorted({" ".join(one.split()) for one in [*fenced, *inline] if one.strip()})


@pytest.fixture(scope="module")
async def database(postgres_server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """Connected to a migrated database, as its owner."""
    name = await postgres_server.create_database()
    owner = Database(postgres_server.url(name), SERVICE.metadata())
    await migrate(f"docs{new_id()[-8:]}", owner, SERVICE.migrations, SERVICE.projections)
    await owner.close()
    connection = await asyncpg.connect(postgres_server.dsn(name))
    yield connection
    await connection.close()
    await postgres_server.drop_database(name)


@pytest.mark.parametrize("statement", statements())
async def test_every_statement_runs(statement: str, database: asyncpg.Connection) -> None:
    await database.execute(statement)


def commands() -> list[str]:
    lines = [line.partition(" #")[0].strip() for _, text in blocks("sh") for line in text.splitlines()]
    return sorted({line for line in lines if line})


@pytest.mark.parametrize("command", commands())
def test_every_command_names_what_exists(command: str, prod: list[Object]) -> None:
    for module in re.findall(r"python -m ([\w.]+)", command):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
    for folder in re.findall(r"-k (\S+)", command):
        assert (ROOT / folder / "kustomization.yaml").is_file()
    for key, value in re.findall(r"([\w./]+/(?:name|component|part-of))=([\w-]+)", command):
        assert value in {labels(one).get(key) for one in of(prod, "Deployment", "Job")}
    for kind, name in re.findall(r"(?<!\S)(deployment|job)/([\w-]+)", command):
        assert name in {name_of(one) for one in of(prod, {"job": "Job"}.get(kind, "Deployment"))}
    if "kubectl" in command and " get " not in command and "apply" not in command and "create" not in command:
        assert "-n dandelion" in command


def test_every_overlay_and_component_is_known_to_the_page() -> None:
    text = PAGES[0].read_text()
    assert [
        one.name for one in (K8S / "overlays").iterdir() if one.name not in text.lower() and one.name != "staging"
    ] == []
    for word in ("Strimzi", "CloudNativePG", "KEDA", "External Secrets", "Gateway API", "Prometheus"):
        assert word in text
