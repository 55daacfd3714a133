"""Probes and metrics on a port of their own, and the command that a container asks them with."""

import asyncio
import sys

import pytest

from kernel.runtime.admin import operations
from kernel.runtime.health import Health
from kernel.runtime.probe import main
from tests.kit.until import until
from tools.servers.places import free_port


async def asked(port: int, path: str = "/healthz/ready") -> int:
    return await asyncio.to_thread(main, [f"http://127.0.0.1:{port}{path}"])


async def ready(port: int) -> bool:
    return await asked(port) == 0


async def test_the_probe_tells_ready_from_not_ready_and_from_gone() -> None:
    health, port, stop = Health(), free_port(), asyncio.Event()
    serving = asyncio.create_task(_serve(health, port, stop))
    try:
        await until(lambda: ready(port))
        health.draining = True
        assert await asked(port) == 1
        assert await asked(port, "/healthz/live") == 0
        assert await asked(port, "/metrics") == 0
    finally:
        stop.set()
        await serving
    assert await asked(port) == 1


async def _serve(health: Health, port: int, stop: asyncio.Event) -> None:
    await operations(health, "127.0.0.1", port).serve(stop)


def test_without_a_url_the_probe_asks_the_operations_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DANDELION_OPS_PORT", str(free_port()))
    assert main([]) == 1
    assert "/healthz/ready" in capsys.readouterr().err


async def test_the_probe_is_a_command_with_an_exit_code() -> None:
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kernel.runtime.probe",
        f"http://127.0.0.1:{free_port()}/",
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await run.wait() == 1
