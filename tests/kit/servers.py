"""Which servers a run of pytest has: brought when the first test needs one, counted, and named in its closing lines."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import pytest

from tests.kit.required import without
from tools.servers import NoServer, kafka, postgres
from tools.servers.run import Elsewhere
from tools.servers.server import Server

S = TypeVar("S", bound=Server)
KAFKA_FIXTURES = frozenset({"kafka_server", "fresh_kafka"})
POSTGRES_FIXTURES = frozenset({"postgres_server", "fresh_postgres", "database_url"})

LONGEST_FIRST = ("test_soak.py", "test_up.py", "e2e", "console", "deploy", "integration", "contract")


@dataclass
class Port(Generic[S]):
    """One kind of server in this run: `needed` holds the ids of the tests that ask for it, `ran` of those that ran."""

    name: str
    bring: Callable[..., S]
    plan: Callable[[], str]
    fixtures: frozenset[str] = frozenset()
    say: Callable[[str], None] = lambda text: None
    server: S | None = None
    hurt: S | None = None
    used: str = ""
    missing: str = ""
    needed: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)

    def shared(self) -> S:
        """The run's one server, for all tests that do it no harm."""
        if self.server is None:
            self.server = self._bring(ours=False)
            self.used = str(self.server)
        return self.server

    def hurtable(self) -> S:
        """The run's one server that tests hurt one after another, and leave running: the shared one, unless others run that."""
        if self.hurt is None:
            shared = self.shared()
            self.hurt = self.own() if isinstance(shared.runner, Elsewhere) else shared
        return self.hurt

    def own(self) -> S:
        """A new server that the caller may hurt and must close."""
        server = self._bring(ours=True)
        self.used = self.used or str(server)
        return server

    def _bring(self, ours: bool) -> S:
        """Skips the test, or fails it where DANDELION_REQUIRE names this port, when there is no server to be had."""
        server: S | None = None
        if not self.missing:
            try:
                server = self.bring(self.say, ours=ours)
            except NoServer as reason:
                self.missing = str(reason)
        if server is None:
            without(self.name, self.missing)
        return server

    def summary(self) -> str:
        if self.missing:
            return f"{self.name}: none; {len(self.needed)} tests could not use it: {self.missing}"
        if self.used:
            return f"{self.name}: {self.used}, used by {len(self.ran)} tests"
        return f"{self.name}: not started, no test of this run needed it"

    def close(self) -> None:
        for server in (self.server, self.hurt):
            if server:
                server.close()
        self.server = self.hurt = None


class Ports:
    """A pytest plugin: Kafka and PostgreSQL of this run. Tests that need one carry its name as a marker."""

    def __init__(self, config: pytest.Config) -> None:
        say = partial(_say, config)
        self._of_workers: list[str] = []
        self.kafka = Port("kafka", kafka.bring, kafka.plan, KAFKA_FIXTURES, say)
        self.postgres = Port("postgres", postgres.bring, postgres.plan, POSTGRES_FIXTURES, say)

    def all(self) -> tuple[Port[kafka.KafkaServer], Port[postgres.PostgresServer]]:
        return self.kafka, self.postgres

    def pytest_report_header(self) -> list[str]:
        return [f"{port.name}: {port.plan()}" for port in self.all()]

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for port in self.all():
            if port.fixtures.intersection(getattr(item, "fixturenames", ())) or port.name in _parameters(item):
                port.needed.add(item.nodeid)
                item.add_marker(port.name)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The longest first, so that two workers end at about the same time."""
        items.sort(key=lambda item: _when(item.path.parts))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        for port in self.all():
            port.needed.difference_update(item.nodeid for item in items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for port in self.all():
            if report.when == "call" and not report.skipped and report.nodeid in port.needed:
                port.ran.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker of pytest-xdist has servers of its own, and tells the run that started it which."""
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            worker: str = session.config.workerinput["workerid"]  # type: ignore[attr-defined]
            told["servers"] = [f"{worker} {port.summary()}" for port in self.all()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._of_workers += getattr(node, "workeroutput", {}).get("servers", [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("servers")
        for line in sorted(self._of_workers) or [port.summary() for port in self.all()]:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        for port in self.all():
            port.close()


def _when(parts: Sequence[str]) -> int:
    return next((number for number, name in enumerate(LONGEST_FIRST) if name in parts), len(LONGEST_FIRST))


def _parameters(item: pytest.Item) -> list[str]:
    """The ids of the parameters of one test, e.g. ["postgres", "kafka"]."""
    call = getattr(item, "callspec", None)
    return call.id.split("-") if call else []


def _say(config: pytest.Config, text: str) -> None:
    """One line to people past pytest's capture."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n[servers] {text}\n")
