"""What operators are told to type: SQL runs on a migrated database, commands name what exists and are run by a test."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from kernel.adapters.opening import database_at
from kernel.core.ids import new_id
from kernel.host.migrate import migrate
from services.campaigns.wiring import SERVICE
from tests.deploy.conftest import ROOT
from tests.deploy.objects import Object, labels, name_of, of
from tests.deploy.page import OPERATE, PAGES, blocks
from tools.deploy.kubectl import K8S
from tools.servers import PostgresServer

DOCKER = "tests/deploy/test_docker.py"
UP = f"{DOCKER}::test_everything_is_healthy"
FILLED = f"{DOCKER}::test_topics_are_republished_and_read_models_rebuilt_beside_a_running_platform"
BACKUP = f"{DOCKER}::test_the_story_survives_a_restart_of_every_container"
DRILL = f"{DOCKER}::test_the_restore_drill"
RUN_BY = {
    "docker compose up --wait": UP,
    "mkdir -p -m 700 .data": UP,
    "docker compose cp keys:": UP,
    "dandelion attach": UP,
    "dandelion rebuild": FILLED,
    "dandelion republish": FILLED,
    "docker compose exec -T postgres pg_basebackup": BACKUP,
    "docker compose stop": DRILL,
    "docker compose run --rm --no-deps -T --entrypoint bash postgres": DRILL,
    "dandelion after-restore": DRILL,
    "dandelion verify": DRILL,
    "dandelion lag": DRILL,
    "dandelion dlq list": DRILL,
    "dandelion revoke": "tests/security/test_revocation.py::test_the_operators_command_reaches_every_service",
}
"""Which test types the commands of operate.md that begin so; it takes them from the page."""
IN_A_CLUSTER = (
    "kubectl ",
    "docker build -t dandelion:dev .",
    "dandelion keys ",
    "dandelion rebuild-job ",
    "make cluster ",
    "export KUBECONFIG=",
)
"""Those need a cluster: tests/cluster, and the checks of names below."""


def statements() -> list[str]:
    fenced = [one for found in blocks("sql") for one in found.text.split(";")]
    inline = [one.rstrip(";") for page in PAGES for one in re.findall(r"`((?:SELECT|UPDATE) [^`]*)`", page.read_text())]
    return sorted({" ".join(one.split()) for one in [*fenced, *inline] if one.strip()})


@pytest.fixture(scope="module")
async def database(postgres_server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """Connected to a migrated database, as its owner."""
    name = await postgres_server.create_database()
    owner = database_at(postgres_server.url(name), SERVICE.metadata())
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
    return sorted({command for found in blocks("sh") for command in found.commands()})


@pytest.mark.parametrize("command", sorted({one for found in blocks("sh", OPERATE) for one in found.commands()}))
def test_every_command_of_the_operators_page_is_run_by_a_test(command: str) -> None:
    if command.startswith(IN_A_CLUSTER):
        return
    (test,) = {test for start, test in RUN_BY.items() if command.startswith(start)}
    file, _, name = test.partition("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_no_test_is_named_for_a_command_that_is_gone() -> None:
    typed = {one for found in blocks("sh", OPERATE) for one in found.commands()}
    assert [start for start in RUN_BY if not any(one.startswith(start) for one in typed)] == []


@pytest.mark.parametrize("command", commands())
def test_every_command_names_what_exists(command: str, prod: list[Object]) -> None:
    assert "python -m" not in command, "`dandelion` runs from any folder"
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
