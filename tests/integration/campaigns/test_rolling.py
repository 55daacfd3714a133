"""Two replicas of every role of campaigns, restarted in turn while brands draft and publish: no command is lost or doubled."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.adapters.bus import PARTITIONS
from kernel.core.ids import new_id
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App, open_app, run_migrations
from kernel.verify.invariants import broken, check_service
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import brief_body
from tests.kit import forked
from tests.kit.quiet import until_quiet
from tests.kit.rolling import LIMIT_S, Ask, Balanced, Replica
from tests.kit.running import ISSUER, settings_in
from tools.servers import KafkaServer, PostgresServer
from tools.servers.places import free_port

ROLES = ("rest", "rpc", "relay", "project", "process")
REPLICAS, BRANDS = 2, 6
ROOT = Path(__file__).resolve().parents[3]


class Campaigns:
    """`python -m services.campaigns` with every role, as a container runs it."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "services.campaigns", *ROLES]
        log = Path(env["LOG"])
        self._process = forked.start(command, env, ROOT, log, log, signal.SIGKILL)

    def poll(self) -> int | None:
        return self._process.poll()

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float) -> int | None:
        return self._process.wait(timeout)


@pytest.fixture
async def app(fresh_postgres: PostgresServer, fresh_kafka: KafkaServer, tmp_path: Path) -> AsyncIterator[App]:
    """The service seen from outside; nothing of it runs."""
    url = fresh_postgres.url(await fresh_postgres.create_database())
    settings = settings_in(tmp_path, CampaignsSettings, database_url=url, bus_url=fresh_kafka.url)
    await run_migrations(SERVICE, settings)
    made = open_app(SERVICE, settings)
    await made.bus.ensure_topics(SERVICE.topics() | dict.fromkeys(OTHERS, PARTITIONS))
    yield made
    await made.close()
    await made.bus.close()


@pytest.fixture
async def issuer(app: App, tmp_path: Path) -> Issuer:
    return Issuer.at(tmp_path / "issuer", ISSUER, "dandelion")


@pytest.fixture
async def replicas(app: App, issuer: Issuer, tmp_path: Path) -> AsyncIterator[list[Replica]]:
    given = {name: str(value) for name, value in app.settings.model_dump().items() if value not in (None, "")}
    ports = ("http_port", "rpc_port", "ops_port")
    each = [given | {port: str(free_port()) for port in ports} for _ in range(REPLICAS)]
    envs = [{f"DANDELION_{name.upper()}": value for name, value in one.items()} for one in each]
    path = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'contracts'}", "LOG": str(tmp_path / "campaigns.log")}
    made = [Replica(os.environ | path | env, Campaigns) for env in envs]
    yield made
    for one in made:
        one.kill()


def brand(issuer: Issuer) -> Callable[[], Ask]:
    """A client: it drafts a campaign, publishes it, drafts the next."""
    token, drafted = issuer.issue("bella", new_id(), "brand"), list[str]()
    body = {"brief": brief_body(), "terms": {}}

    def asks() -> Ask:
        if drafted:
            return sender("POST", f"/campaigns/{drafted.pop()}/publish", None)
        drafted.append(new_id())
        return sender("PUT", f"/campaigns/{drafted[0]}", body)

    def sender(method: str, path: str, content: Any) -> Ask:
        async def ask(http: httpx.AsyncClient, url: str, key: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            return await http.request(method, f"{url}{path}", json=content, headers=headers)

        return ask

    return asks


async def test_a_rolling_restart_of_campaigns_loses_and_doubles_no_command(
    replicas: list[Replica], app: App, issuer: Issuer
) -> None:
    load = Balanced(replicas)
    await load.roll([brand(issuer) for _ in range(BRANDS)], between=60)
    await until_quiet(app, LIMIT_S)
    assert await asyncio.gather(*[one.end() for one in replicas]) == [0, 0]
    sys.stderr.write(f"\n{load.told()}\n")
    told = sorted((body["position"], body["stream"], body["version"]) for body in load.answered.values())
    events = [one for one in await app.log.read(0, 100_000) if one.command and one.stream.startswith("campaign-")]
    assert [(one.position, one.stream, one.version) for one in events] == told
    assert broken(await check_service(app)) == []
