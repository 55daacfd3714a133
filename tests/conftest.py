"""What every test can ask for. Servers start when the first test needs them; see tests/kit/servers.py."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.kit.cpu import CpuByFile
from tests.kit.forked import forked_services
from tests.kit.kafka import fresh_kafka, kafka_server
from tests.kit.postgres import database_url, fresh_postgres, postgres_server
from tests.kit.run import RUN
from tests.kit.servers import Ports
from tools import speed
from tools.servers.places import SHARE, Folder

__all__ = [
    "database_url",
    "forked_services",
    "fresh_kafka",
    "fresh_postgres",
    "kafka_server",
    "ports",
    "postgres_server",
]

PORTS = pytest.StashKey[Ports]()
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""How long an example takes says more of the machine than of the code; speed is the bench's."""


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault(speed.VARIABLE, str(speed.measured()))  # a worker has it from the run that started it
    share_folder(config)
    share_ports(getattr(config, "workerinput", None))
    config.stash[PORTS] = Ports(config)
    config.pluginmanager.register(config.stash[PORTS], "dandelion-servers")
    config.pluginmanager.register(CpuByFile(config), "dandelion-cpu")


def share_folder(config: pytest.Config) -> None:
    """What all workers of this run have in common: the first to need it makes it."""
    if RUN not in os.environ:
        folder = Folder("run")
        os.environ[RUN] = str(folder.path)
        config.add_cleanup(folder.close)


def share_ports(worker: dict[str, Any] | None) -> None:
    """A worker of pytest-xdist, and what its tests start, find ports that no other worker finds."""
    if worker:
        os.environ[SHARE] = f"{worker['workerid'].removeprefix('gw')}/{worker['workercount']}"


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Programs that a test runs in this process set its umask: the next test has the one that the run began with."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def ports(pytestconfig: pytest.Config) -> Ports:
    """The servers of this run, for fixtures that choose one by parameter: `ports.postgres.shared()`."""
    return pytestconfig.stash[PORTS]


def pytest_report_header() -> str:
    return f"deadlines: {speed.slowness():g} times as long as on the usual machine, by this machine's measured speed"
