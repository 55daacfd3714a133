"""What operators see of the console: probes, and metrics whose labels have few values."""

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from console.operations import METRICS, Timed, operations

NAME = "console_page_seconds_count"


def app() -> FastAPI:
    made = FastAPI()
    made.add_middleware(Timed)

    @made.get("/things/{id_}")
    async def thing(id_: str, status: int = 200) -> Response:
        return PlainTextResponse("", status)

    @made.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("broken")

    @made.get("/live")
    async def live() -> Response:
        return StreamingResponse(iter(["data: 1\n\n"]), media_type="text/event-stream")

    return made


def counted(route: str, outcome: str) -> float:
    return METRICS.get_sample_value(NAME, {"route": route, "outcome": outcome}) or 0.0


@pytest.mark.parametrize(("address", "route", "outcome"), [
    ("/things/a", "/things/{id_}", "ok"), ("/things/b?status=303", "/things/{id_}", "ok"),
    ("/things/c?status=409", "/things/{id_}", "refused"), ("/things/d?status=503", "/things/{id_}", "away"),
    ("/things/e?status=500", "/things/{id_}", "failed"), ("/broken", "/broken", "failed"), ("/nowhere/1", "none", "refused"),
    ("/live", "/live", "ok"),
])  # fmt: skip
async def test_a_request_counts_by_its_route_and_how_it_ended(address: str, route: str, outcome: str) -> None:
    before = counted(route, outcome)
    transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
        await client.get(address)
        await client.get("/assets/console.js")
    assert counted(route, outcome) == before + 1
    assert counted("/assets", "refused") == 0


async def test_probes_and_metrics_are_answered() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(operations()), base_url="http://console.test") as client:
        for path in ("/healthz/live", "/healthz/ready"):
            assert (await client.get(path)).json() == {"ok": True}
        told = await client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    for name in (
        "console_page_seconds",
        "console_sign_ins_total",
        "console_refreshes_total",
        "process_resident_memory_bytes",
    ):
        assert f"\n# TYPE {name.removesuffix('_total')}" in f"\n{told.text}"
