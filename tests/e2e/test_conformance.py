"""Whatever the OpenAPI documents allow (and some that they do not) never gives a 5xx, on the whole running platform."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from cli.commands.demo import address_of
from cli.layout import SERVICES
from cli.platform import Embedded
from cli.story.market import Address, Who, named
from tools.speed import patience

CALLERS = {
    "campaigns": Who("bella", named("conformance", "brand"), "brand"),
    "ledger": Who("fay", "platform", "finance"),
    "compliance": Who("rita", "platform", "reviewer"),
    "discovery": Who("olga", "platform", "operator"),
    "metrics": Who("olga", "platform", "operator"),
}
EXAMPLES = 5


@pytest.fixture(scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Address]:
    with Embedded.start(tmp_path_factory.mktemp("platform")) as platform:
        await platform.wait()
        yield address_of(platform.layout)


def hammer(url: str, document: dict[str, Any], token: str, mode: GenerationMode) -> list[str]:
    """What was answered with a 5xx, or was not the documented JSON, over all operations."""
    schema, wrong = schemathesis.openapi.from_dict(document), []
    headers = {"Authorization": f"Bearer {token}", "Grpc-Timeout": "2S"}  # a stream ends then
    quick = settings(
        max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @quick
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            answer = case.call(base_url=url, headers=headers)
            if answer.status_code >= 500:
                wrong.append(f"{case.method} {case.path}: {answer.status_code} {answer.text[:200]}")

        try:
            one()
        except Unsatisfiable:  # a route without parameters or body has nothing that could be invalid
            assert mode is GenerationMode.NEGATIVE
    return wrong


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize("service", SERVICES)
async def test_no_server_error(address: Address, service: str, mode: GenerationMode) -> None:
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        document = (await client.get(f"{address.http[service]}/openapi.json")).json()
    token = address.issue(CALLERS[service])
    assert await asyncio.to_thread(hammer, address.http[service], document, token, mode) == []
