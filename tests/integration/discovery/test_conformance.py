"""The API keeps what its OpenAPI document says, in a real process: no 5xx, every refusal a documented problem."""

import asyncio
import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import run_migrations
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE, open_app
from tests.integration.discovery.client import OPERATOR
from tests.kit import forked
from tests.kit.running import settings_in
from tests.kit.until import until
from tools.servers.places import free_port
from tools.speed import patience

ROOT = Path(__file__).parents[3]
FOLDER = Path(tempfile.mkdtemp(prefix="dandelion-discovery-"))
atexit.register(shutil.rmtree, FOLDER)
ISSUER = Issuer.at(FOLDER / "issuer", "https://issuer.test", "dandelion")
SETTINGS = settings_in(FOLDER, DiscoverySettings, http_port=free_port())
SCHEMA = schemathesis.openapi.from_dict(open_app(SETTINGS).api().openapi()).exclude(tag="CreatorQueryService")
"""Commands; queries over HTTP are judged with those of the other services (tests/e2e/test_conformance.py)."""
LIMIT_S = 60


@pytest.fixture(scope="module")
async def address() -> AsyncIterator[str]:
    """Where a process of discovery's own answers."""
    await run_migrations(SERVICE, SETTINGS)
    variables = {f"DANDELION_{name.upper()}": str(value) for name, value in SETTINGS if value is not None}
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}"}
    command = [sys.executable, "-m", "services.discovery", "rest", "relay", "project", "process"]
    log = FOLDER / "discovery.log"
    process = forked.start(command, os.environ | variables | path, ROOT, log, log, signal.SIGKILL)
    base = f"http://127.0.0.1:{SETTINGS.http_port}"

    async def answers() -> bool:
        assert process.poll() is None, "discovery ended"
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{base}/healthz/ready")).status_code == 200
        except httpx.TransportError:
            return False

    await until(answers, LIMIT_S)
    yield base
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, patience(LIMIT_S)) == 0, "a drained process ends with 0"


@SCHEMA.parametrize()
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_conformance(address: str, case: schemathesis.Case[Any]) -> None:
    """The domain knows more rules than a schema can say: what fits the schema may still be refused, by name."""
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {ISSUER.issue(*OPERATOR)}"},
        excluded_checks=[positive_data_acceptance],
    )
