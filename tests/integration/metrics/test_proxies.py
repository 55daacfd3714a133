"""Through a reverse proxy every visitor has a bucket of its own, and no invented header gives anybody another one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kernel.core.ids import new_id
from tests.integration.metrics.client import Metrics, running
from tests.integration.metrics.test_returns import CHROME, link
from tests.kit.forwarding import forwarding
from tools.servers.places import free_port

BURST = 3


@pytest.fixture
async def served(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Metrics, str]]:
    """Metrics on a port of its own, and the address of that port."""
    port = free_port()
    changes = {"http_port": port, "clicks_per_s": 0.001, "clicks_burst": BURST, "trusted_proxies": request.param}
    async with running(tmp_path, ("rest", "relay", "project", "rpc"), **changes) as metrics:
        yield metrics, f"http://127.0.0.1:{port}"


async def statuses(url: str, code: str, visitor: str, times: int, **headers: str) -> list[int]:
    """How one visitor's requests of a link are answered; it calls from an address of its own."""
    sent = {"User-Agent": CHROME} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address=visitor)) as client:
        return [(await client.get(f"{url}/l/{code}", headers=sent)).status_code for _ in range(times)]


def invented(n: int) -> str:
    return f"198.51.100.{n}"


@pytest.mark.parametrize("served", ["127.0.0.1"], indirect=True)
async def test_each_visitor_behind_a_trusted_proxy_has_a_bucket(served: tuple[Metrics, str]) -> None:
    metrics, address = served
    code = await link(metrics, await metrics.contracted())
    async with forwarding(address) as proxy:
        assert await statuses(proxy, code, "127.0.0.2", BURST + 1) == [302] * BURST + [429]
        assert await statuses(proxy, code, "127.0.0.3", BURST + 1) == [302] * BURST + [429]
        for n in range(3):
            assert await statuses(proxy, code, "127.0.0.2", 1, X_Forwarded_For=invented(n)) == [429]
        assert await statuses(address, code, "127.0.0.2", 1, X_Forwarded_For=invented(9)) == [429]


@pytest.mark.parametrize("served", [""], indirect=True)
async def test_without_a_trusted_proxy_nobodys_header_is_believed(served: tuple[Metrics, str]) -> None:
    metrics, address = served
    code = await link(metrics, await metrics.contracted())
    found = [(await statuses(address, code, "127.0.0.1", 1, X_Forwarded_For=invented(n)))[0] for n in range(BURST + 2)]
    assert found == [302] * BURST + [429, 429]
    assert await statuses(address, code, "127.0.0.4", 1, X_Forwarded_For=new_id()) == [302]
