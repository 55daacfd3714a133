"""A compose project of a test's own on a Docker engine: own name, ports and volumes, and the operator's shell beside it."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.commands.attach import compose_ports
from cli.layout import Layout
from tests.deploy.conftest import ROOT
from tests.deploy.page import Block
from tools.images.engine import Engine
from tools.servers import NoServer
from tools.servers.places import free_port
from tools.speed import patience

TAG = "test"
IMAGE = f"dandelion:{TAG}"
SHELL_S = 900


def required() -> bool:
    return "docker" in os.environ.get("DANDELION_REQUIRE", "").replace(" ", "").split(",")


@contextmanager
def brought() -> Iterator[None]:
    """Skips the test when there is no engine, or fails it where DANDELION_REQUIRE names `docker`."""
    try:
        yield
    except NoServer as reason:
        if required():
            pytest.fail(f"DANDELION_REQUIRE names docker, but: {reason}", pytrace=False)
        pytest.skip(f"no docker: {reason}")


def say(text: str) -> None:
    sys.stderr.write(f"[docker] {text}\n")


@dataclass
class Platform:
    """A project in a folder of its own, where the operator's commands are typed as the page has them."""

    engine: Engine
    project: str
    folder: Path
    env: dict[str, str]

    @classmethod
    def new(cls, engine: Engine, folder: Path) -> "Platform":
        """On free ports; nothing is started."""
        taken: dict[int, None] = {}
        names = list(compose_ports(ROOT))
        while len(taken) < len(names):
            taken[free_port()] = None
        ports = {name: str(port) for name, port in zip(names, taken, strict=True)}
        limits = {"CLICKS_PER_S": "200", "CLICKS_BURST": "2000"}  # the story's visitors come from one address
        return cls(engine, f"dandelion-{uuid4().hex[:8]}", folder, {**ports, **limits, "DANDELION_TAG": TAG})

    def compose(self, *words: str, timeout_s: float = 400) -> str:
        return self.engine.up("-p", self.project, *words, cwd=ROOT, timeout_s=timeout_s, env=self.env)

    def type(self, block: Block) -> str:
        """A block of the page in bash, in the project's folder; fails the test with what it said."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.text], cwd=self.folder, env=self._shell(), timeout=patience(SHELL_S),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = (done.stdout + done.stderr)[-2000:]
            pytest.fail(f"{block.text}\n{said}\n{self.complaints()}", pytrace=False)
        return done.stdout

    def complaints(self) -> str:
        """The last words of every container that is not as it should be."""
        bad = [name for name, state in self.states().items() if state not in {"running healthy", "exited 0"}]
        return f"{bad}\n{self.compose('logs', '--tail', '20', *bad)[-8000:]}" if bad else "all are well"

    def _shell(self) -> dict[str, str]:
        """`docker compose`, whose file is found from anywhere, and the command `dandelion`."""
        plugins = self.folder / "docker" / "cli-plugins"
        if len(self.engine.compose) == 1 and not plugins.exists():
            plugins.mkdir(parents=True)
            (plugins / "docker-compose").symlink_to(self.engine.compose[0])
        ours = {
            "COMPOSE_FILE": str(ROOT / "docker-compose.yml"), "COMPOSE_PROJECT_NAME": self.project,
            "DANDELION_DATA": str(self.folder / ".data"), "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        }  # fmt: skip
        config = {"DOCKER_CONFIG": str(plugins.parent)} if plugins.exists() else {}
        return {**os.environ, **self.engine.env, **self.env, **ours, **config}

    def states(self) -> dict[str, str]:
        """`{service: "running healthy" | "exited 0" ...}` of every container."""
        found = [json.loads(line) for line in self.compose("ps", "-a", "--format", "json").splitlines()]
        return {one["Service"]: f"{one['State']} {one['Health'] or one['ExitCode']}" for one in found}

    def layout(self) -> Layout:
        """The platform as `cli` sees it from outside, once the operator has attached."""
        return Layout.load(self.folder / ".data")

    def asked(self, query: str) -> list[dict[str, Any]]:
        """What the platform's own Prometheus answers; HTTPError for a query that it cannot carry out."""
        found: list[dict[str, Any]] = self.told(f"query?{urllib.parse.urlencode({'query': query})}")["result"]
        return found

    def told(self, path: str) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.env['PROMETHEUS_PORT']}/api/v1/{path}"
        with urllib.request.urlopen(address, timeout=patience(20)) as answer:
            told: dict[str, Any] = json.load(answer)["data"]
        return told

    def ready_s(self, service: str, limit_s: float = 60) -> float:
        """Seconds from a container's start until its HTTP edge says that it is ready."""
        self.compose("stop", service)
        self.compose("start", service)
        started = time.monotonic()
        address = f"http://127.0.0.1:{self.env[f'{service.upper()}_HTTP_PORT']}/healthz/ready"
        while time.monotonic() < started + limit_s:
            try:
                with urllib.request.urlopen(address, timeout=patience(5)):
                    return time.monotonic() - started
            except OSError:
                time.sleep(0.02)
        raise TimeoutError(f"{service} is not ready {limit_s:.0f} s after its start")


def inside(engine: Engine, *words: str) -> str:
    """What the image says to a command, kept as a cluster keeps it."""
    kept = ["--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", "--security-opt", "no-new-privileges"]
    return engine.docker("run", *kept, IMAGE, *words)
