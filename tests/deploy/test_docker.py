"""The image built and docker compose run on a real engine: the demo's story from outside, while every container restarts.

Needs an engine that answers, or DANDELION_REQUIRE=docker, which brings one (as root) and turns a skip into a failure. All
of it is one file, as one worker brings one engine with its images. The operator's commands are those of docs/operate.md.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from rich.console import Console
from rich.progress import Progress

from cli.commands.demo import address_of
from cli.layout import SERVICES
from cli.open_services import open_services
from cli.story.plan import SMALL
from cli.story.tell import Teller
from kernel.adapters.bus import Message
from kernel.adapters.kafka import KafkaBus
from sandbox.secret_files import containers as dealt
from tests.deploy.composed import IMAGE, Platform, brought, inside, required, say
from tests.deploy.composed_secrets import modes, wrong
from tests.deploy.page import block
from tests.deploy.test_alerts import panels, queries, rules
from tests.deploy.test_compose import LASTING, OURS, roles
from tests.kit.story import embedded_numbers
from tests.kit.until import until
from tests.kit.working import work_goes_on
from tools.images.engine import Engine, Failed, bring
from tools.images.make import images, ready
from tools.servers import containers, kafka, postgres

pytestmark = pytest.mark.docker
UP = [name for name in LASTING if name != "grafana"]
ERROR_SEEN = 'count_over_time(http_requests_total{status="404"}[5m]) > 1'
BACKUP = "docker compose exec -T postgres pg_basebackup"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with every image; says which of them are not the official ones."""
    if not required() and not containers.engine():
        pytest.skip("no Docker engine answers (DANDELION_REQUIRE=docker brings one)")
    with brought():
        made = bring(say)
        try:
            for image, origin in ready(made, say, IMAGE).items():
                say(f"{image}: {origin}")
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def platform(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Up and healthy, and attached to, as the page says; gone afterwards with all it kept."""
    made = Platform.new(engine, tmp_path_factory.mktemp("operator"))
    try:
        made.type(block("docker compose up --wait"))
        made.type(block("mkdir -p -m 700 .data"))
        yield made
    finally:
        made.compose("down", "-v", "--timeout", "30")


LISTED = "import importlib.metadata as m; print(sorted(f'{d.name.lower()}=={d.version}' for d in m.distributions()))"


def test_the_sbom_in_the_image_is_what_is_installed(engine: Engine) -> None:
    told = inside(engine, "-c", "print(open('/venv/sbom.cdx.json').read())")
    components = {f"{one['name']}=={one['version']}" for one in json.loads(told)["components"]}
    listed = inside(engine, "-c", LISTED).replace("_", "-").replace(".", "-")
    assert len(components) > 50
    assert {one.replace(".", "-") for one in components} == set(json.loads(listed.replace("'", '"')))


def test_the_image_has_no_installer_no_compiler_and_no_root(engine: Engine) -> None:
    script = "import os, shutil; print(os.getuid(), [t for t in ('pip', 'pip3', 'uv', 'gcc', 'cc', 'make') if shutil.which(t)])"
    assert inside(engine, "-c", script).strip() == "10001 []"
    with pytest.raises(Failed, match="No module named"):
        inside(engine, "-m", "pip", "--version")


def test_a_missing_setting_stops_the_container_with_a_sentence_that_names_it(engine: Engine) -> None:
    with pytest.raises(Failed, match="setting DANDELION_DATABASE_URL: Field required"):
        inside(engine, "-m", "services.ledger", "rest")


def test_the_image_says_what_it_is(engine: Engine) -> None:
    told = json.loads(engine.docker("image", "inspect", IMAGE))[0]["Config"]
    assert told["User"] == "10001:10001"
    assert told["Healthcheck"]["Test"] == ["CMD", "python", "-m", "kernel.runtime.probe"]
    labels = {name.removeprefix("org.opencontainers.image.") for name in told["Labels"]}
    assert {"title", "description", "licenses", "version", "revision"} <= labels


async def test_testcontainers_bring_kafka_and_postgresql(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every test has its servers where an engine answers: the same tags as in docker-compose.yml."""
    assert {containers.KAFKA_IMAGE, containers.POSTGRES_IMAGE} <= set(images().values())
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(containers, "engine", lambda: True)
    with await asyncio.to_thread(kafka.contained, say) as broker:
        bus = KafkaBus(broker.url)
        await bus.ensure_topics({"told": 1})
        producer = await bus.producer()
        await producer.send({("told", 0): [Message(b"key", b"value")]}, 20)
        await producer.close()
        reader = await bus.reader({("told", 0): 0}, "reader")
        (record,) = (await reader.read(10, 20))["told", 0]
        await reader.close()
        assert record.value == b"value"
    with await asyncio.to_thread(postgres.contained, say) as server:
        link = await asyncpg.connect(server.dsn(await server.create_database()))
        await link.execute("CREATE TABLE told (value text)")
        await link.execute("INSERT INTO told VALUES ('value')")
        assert await link.fetchval("SELECT value FROM told") == "value"
        await link.close()


def test_everything_is_healthy(platform: Platform) -> None:
    states = platform.states()
    assert {name: states[name] for name in UP} == dict.fromkeys(UP, "running healthy")
    assert {state for name, state in states.items() if name not in LASTING} == {"exited 0"}


def test_what_compose_makes_of_its_file_gives_each_container_its_own_secrets(platform: Platform) -> None:
    made = platform.compose("--profile", "*", "config", "--format", "json")  # Grafana too
    assert list(wrong(json.loads(made)["services"])) == []


@pytest.mark.parametrize("name", sorted(set(dealt()) & set(UP)))
def test_a_running_container_finds_the_files_of_its_roles_and_no_others(platform: Platform, name: str) -> None:
    """Each readable for who reads it only; the key that signs tokens is none of them."""
    listed = platform.compose("exec", "-T", name, "find", "/run/dandelion", "-type", "f", "-printf", "%P %m %U\\n")
    found = {line.split()[0]: (int(line.split()[1], 8), line.split()[2]) for line in listed.splitlines()}
    assert found == {file: (mode, "10001") for file, mode in modes(name).items()}


def test_how_long_a_container_takes_to_be_ready(platform: Platform) -> None:
    """Told, not judged: it says more of the machine than of the image."""
    for name in ("ledger", "discovery"):
        say(f"{name} was ready {platform.ready_s(name):.1f} s after its container's start")


async def test_the_story_survives_a_restart_of_every_container(platform: Platform, tmp_path: Path) -> None:
    """In the end the operator's commands find all whole; a backup is taken on the way, under load."""
    restarts = asyncio.create_task(_restart_all(platform))

    async def on_part(name: str) -> None:
        if name == "engagement":
            await asyncio.to_thread(platform.type, block(BACKUP))
        if name.startswith("links"):
            await restarts  # a visitor who meets a restart does not come again

    teller = Teller(address_of(platform.layout()), SMALL, Progress(console=Console(quiet=True)), on_part)
    told = await teller.tell()
    assert await restarts == 2 * len(SERVICES)
    assert told.finale is not None
    assert told.finale.numbers() == await embedded_numbers()
    say(await asyncio.to_thread(platform.type, block("dandelion lag")))


async def _restart_all(platform: Platform) -> int:
    """Every container of the services in turn; the stand-in, whose unsent webhooks would be lost, is left alone."""
    names = [name for name in sorted(OURS) if name in LASTING and roles(name)[0]]
    for name in names:
        await asyncio.to_thread(platform.compose, "restart", name)
    return len(names)


async def test_everything_is_scraped(platform: Platform) -> None:
    """An error is made too, and scraped twice: a panel of errors is empty without any."""
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{platform.layout().http('ledger')}/nothing-is-here")).status_code == 404

    async def seen() -> bool:
        return bool(await asyncio.to_thread(platform.asked, ERROR_SEEN))

    await until(seen, 120)
    up = {(one["metric"]["service"], one["metric"]["role"]): one["value"][1] for one in platform.asked("up")}
    wanted = {(name, role): "1" for name in SERVICES for role in ("edge", "work")}
    assert up == wanted | {("console", "pages"): "1"}


@pytest.mark.parametrize("query", queries())
def test_every_query_runs_on_the_live_prometheus_and_every_panel_shows_something(
    platform: Platform, query: str
) -> None:
    found = platform.asked(query.replace("$service", ".+").replace("$__rate_interval", "5m"))
    assert found or query not in panels()


def test_every_alert_is_loaded_and_evaluated(platform: Platform) -> None:
    loaded: list[dict[str, Any]] = [rule for group in platform.told("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["health"] for rule in loaded} == {rule["alert"]: "ok" for rule in rules()}


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_store_that_restarts_is_found_again(platform: Platform, name: str) -> None:
    platform.compose("restart", name)
    platform.type(block("docker compose up --wait"))
    states = platform.states()
    assert {state for one, state in states.items() if one in LASTING} == {"running healthy"}


def test_topics_are_republished_and_read_models_rebuilt_beside_a_running_platform(platform: Platform) -> None:
    for first in ("republish campaigns  ", "republish campaigns --rec", "rebuild ledger"):
        platform.type(block(f"dandelion {first}"))


async def test_the_restore_drill(platform: Platform) -> None:
    """The database's volume is lost; the backup of the story's middle is restored, and work goes on."""
    platform.compose("rm", "-sf", "postgres")
    platform.engine.docker("volume", "rm", f"{platform.project}_postgres")
    say(await asyncio.to_thread(platform.type, block("docker compose stop discovery")))
    async with open_services(platform.layout()) as apps:
        await work_goes_on(platform.layout(), apps, seed=1)
    say(await asyncio.to_thread(platform.type, block("dandelion lag")))
