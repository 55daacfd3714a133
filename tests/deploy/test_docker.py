"""The image built and docker compose run on a real engine: the demo's story from outside, while every container restarts.

Needs an engine that answers, or DANDELION_REQUIRE=docker, which brings one (as root) and turns a skip into a failure.
"""

import asyncio
import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console
from rich.progress import Progress

from cli.demo import address_of
from cli.layout import SERVICES, Layout, Ports, Stores
from cli.story.plan import SMALL
from cli.story.tell import Teller
from tests.deploy.conftest import ROOT
from tests.deploy.test_alerts import metrics_in, queries
from tests.deploy.test_compose import LASTING, OURS, example, roles
from tests.kit.story import embedded_numbers
from tools.images.engine import Engine, Failed, bring
from tools.images.make import build, ready
from tools.servers import NoServer
from tools.servers.containers import engine as an_engine_answers
from tools.servers.places import free_port

pytestmark = pytest.mark.docker
TAG = "test"
IMAGE = f"dandelion:{TAG}"
OPERATIONS = ("verify", "lag")


def required() -> bool:
    return "docker" in os.environ.get("DANDELION_REQUIRE", "").replace(" ", "").split(",")


@contextmanager
def brought() -> Iterator[None]:
    try:
        yield
    except NoServer as reason:
        if required():
            pytest.fail(f"DANDELION_REQUIRE names docker, but: {reason}", pytrace=False)
        pytest.skip(f"no docker: {reason}")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with every image; says which of them are not the official ones."""
    if not required() and not an_engine_answers():
        pytest.skip("no Docker engine answers (DANDELION_REQUIRE=docker brings one)")
    with brought():
        made = bring(_say)
        try:
            for image, origin in ready(made, _say).items():
                _say(f"{image}: {origin}")
            build(made, IMAGE)
            yield made
        finally:
            made.close()


def _say(text: str) -> None:
    sys.stderr.write(f"[docker] {text}\n")


@dataclass
class Platform:
    """One compose project of this test's own: own name, ports and volumes."""

    engine: Engine
    project: str
    env: dict[str, str]

    def compose(self, *words: str, timeout_s: float = 400) -> str:
        return self.engine.up("-p", self.project, *words, cwd=ROOT, timeout_s=timeout_s, env=self.env)

    def states(self) -> dict[str, str]:
        """`{service: "running healthy" | "exited 0" ...}` of every container."""
        found = [json.loads(line) for line in self.compose("ps", "-a", "--format", "json").splitlines()]
        return {one["Service"]: f"{one['State']} {one['Health'] or one['ExitCode']}" for one in found}

    def layout(self, folder: Path) -> Layout:
        """The platform as `cli` sees it from outside, with the keys out of the volume."""
        self.compose("cp", "keys:/run/dandelion/.", str(folder))
        password = (folder / "postgres.password").read_text()
        port = {name: int(value) for name, value in self.env.items() if name.endswith("_PORT")}
        databases = {
            name: f"postgresql+asyncpg://postgres:{password}@127.0.0.1:{port['POSTGRES_PORT']}/{name}"
            for name in SERVICES
        }
        ports = Ports(
            {name: port[f"{name.upper()}_HTTP_PORT"] for name in SERVICES},
            {name: port[f"{name.upper()}_RPC_PORT"] for name in SERVICES},
            port["SANDBOX_PORT"],
        )
        return Layout.at(folder, ports, Stores(databases, f"kafka://127.0.0.1:{port['KAFKA_PORT']}"))

    def asked(self, query: str) -> list[dict[str, Any]]:
        """What the platform's own Prometheus answers."""
        address = f"http://127.0.0.1:{self.env['PROMETHEUS_PORT']}/api/v1/query?"
        with urllib.request.urlopen(address + urllib.parse.urlencode({"query": query}), timeout=20) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result


@pytest.fixture(scope="module")
def platform(engine: Engine) -> Iterator[Platform]:
    """Up and healthy; gone afterwards with all it kept."""
    names = [name for name in example() if name.endswith("_PORT")]
    taken: set[int] = set()
    while len(taken) < len(names):
        taken.add(free_port())
    ports = {name: str(port) for name, port in zip(names, taken, strict=True)}
    limits = {"CLICKS_PER_S": "200", "CLICKS_BURST": "2000"}  # the story's visitors come from one address
    made = Platform(engine, f"dandelion-{uuid4().hex[:8]}", {**ports, **limits, "DANDELION_TAG": TAG})
    try:
        made.compose("up", "--wait", "--no-build", "-d")
        yield made
    except Failed as failed:
        pytest.fail(f"{failed}\n{made.states()}\n{made.compose('logs', '--tail', '15')[-6000:]}", pytrace=False)
    finally:
        made.compose("down", "-v", "--timeout", "30")


def inside(engine: Engine, *words: str) -> str:
    """What the image says to a command, kept as a cluster keeps it."""
    kept = ["--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", "--security-opt", "no-new-privileges"]
    return engine.docker("run", *kept, IMAGE, *words)


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
    assert told["Healthcheck"]["Test"] == ["CMD", "python", "-m", "kernel.probe"]
    labels = {name.removeprefix("org.opencontainers.image.") for name in told["Labels"]}
    assert {"title", "description", "licenses", "version", "revision"} <= labels


def test_everything_is_healthy(platform: Platform) -> None:
    states = platform.states()
    assert {name: states[name] for name in LASTING if name != "grafana"} == {
        name: "running healthy" for name in LASTING if name != "grafana"
    }
    assert {state for name, state in states.items() if name not in LASTING} == {"exited 0"}


async def test_the_story_survives_a_restart_of_every_container(platform: Platform, tmp_path: Path) -> None:
    layout = platform.layout(tmp_path / "outside")
    restarts = asyncio.create_task(_restart_all(platform))

    async def on_part(name: str) -> None:
        """A visitor who meets a restart does not come again, so visits wait until all is done."""
        if name.startswith("links"):
            await restarts

    teller = Teller(address_of(layout), SMALL, Progress(console=Console(quiet=True)), on_part)
    told = await teller.tell()
    assert await restarts == 2 * len(SERVICES)
    assert told.finale is not None
    assert told.finale.numbers() == await embedded_numbers(tmp_path / "embedded")
    layout.save(os.getpid(), "compose")
    for word in OPERATIONS:
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", word, "--data", str(layout.folder), cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}"}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await run.communicate()
        assert run.returncode == 0, out.decode()


async def _restart_all(platform: Platform) -> int:
    """Every container of the services in turn; the stand-in keeps its books in memory and is left alone."""
    names = [name for name in sorted(OURS) if name in LASTING and roles(name)[0]]
    for name in names:
        await asyncio.to_thread(platform.compose, "restart", name)
    return len(names)


def test_every_metric_of_alerts_and_dashboards_is_in_a_live_scrape(platform: Platform) -> None:
    up = {(one["metric"]["service"], one["metric"]["role"]): one["value"][1] for one in platform.asked("up")}
    assert up == {(name, role): "1" for name in SERVICES for role in ("edge", "work")}
    names = sorted(set().union(*[metrics_in(query) for query in queries()]))
    assert [name for name in names if not platform.asked(f"last_over_time({name}[1h])")] == []


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_store_that_restarts_is_found_again(platform: Platform, name: str) -> None:
    platform.compose("restart", name)
    platform.compose("up", "--wait", "--no-build", "-d")
    states = platform.states()
    assert {state for one, state in states.items() if one in LASTING} == {"running healthy"}
