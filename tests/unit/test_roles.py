"""A process drains its roles in order on a signal, and says by its exit code whether all ended well."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.runtime.health import Health
from kernel.runtime.http_server import http, listen
from kernel.runtime.roles import EDGE, POOLS, READERS, RELAY, WRITER, Role, run
from tools.speed import patience

ROOT = Path(__file__).parents[2]
Serve = Callable[[asyncio.Event], Awaitable[None]]


def noted(name: str, notes: list[str]) -> Serve:
    async def serve(stop: asyncio.Event) -> None:
        await stop.wait()
        notes.append(name)

    return serve


async def crashing(stop: asyncio.Event) -> None:
    raise ConnectionError("the broker is gone")


async def returning(stop: asyncio.Event) -> None: ...


async def cancelled_by_nobody(stop: asyncio.Event) -> None:
    """As a library's own cancelled future ends who awaits it."""
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


async def deaf(stop: asyncio.Event) -> None:
    await asyncio.Event().wait()


async def terminating(stop: asyncio.Event) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    await stop.wait()


async def test_a_signal_drains_in_order_and_exits_zero() -> None:
    notes: list[str] = []
    orders = {"pools": POOLS, "relay": RELAY, "http": EDGE, "projector": READERS, "writer": WRITER}
    health = Health()
    roles = [Role(name, noted(name, notes), order) for name, order in orders.items()]
    assert await run([*roles, Role("signal", terminating, EDGE)], health) == 0
    assert notes == ["http", "writer", "projector", "relay", "pools"]
    assert not (await health.readiness()).ok


@pytest.mark.parametrize("serve", [crashing, returning, cancelled_by_nobody])
async def test_a_role_that_ends_by_itself_drains_the_others_and_fails_the_process(serve: Serve) -> None:
    notes: list[str] = []
    assert await run([Role("bad", serve), Role("good", noted("good", notes))]) == 1
    assert notes == ["good"]


async def test_a_role_that_is_waited_for_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("kernel.runtime.roles.SAY_AFTER_S", 0.01)
    said = asyncio.Event()

    async def slow(stop: asyncio.Event) -> None:
        await stop.wait()
        await said.wait()

    class Hears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "waits for a role" in record.getMessage():
                said.set()

    handler = Hears()
    logging.getLogger("kernel.runtime.roles").addHandler(handler)
    try:
        assert await run([Role("signal", terminating, EDGE), Role("relay", slow, RELAY)]) == 0
    finally:
        logging.getLogger("kernel.runtime.roles").removeHandler(handler)
    (line,) = [record for record in caplog.records if "waits for a role" in record.getMessage()]
    assert vars(line)["role"] == "relay"


async def test_a_role_that_does_not_stop_is_cancelled_at_its_deadline_and_the_next_ones_follow() -> None:
    notes: list[str] = []
    roles = [
        Role("signal", terminating, EDGE),
        Role("deaf", deaf, RELAY, deadline_s=0.01),
        Role("pools", noted("pools", notes), POOLS),
    ]
    assert await run(roles) == 0
    assert notes == ["pools"]


async def test_the_whole_drain_has_its_limit_however_many_roles_are_deaf() -> None:
    slow = [Role(f"deaf {order}", deaf, order, deadline_s=30) for order in (EDGE, WRITER, RELAY)]
    assert await run([Role("signal", terminating, EDGE), *slow], drain_limit_s=0.05) == 0


async def test_a_role_that_fails_while_draining_fails_the_process() -> None:
    async def fails(stop: asyncio.Event) -> None:
        await stop.wait()
        raise RuntimeError

    assert await run([Role("signal", terminating, EDGE), Role("bad", fails)]) == 1


async def test_a_cancelled_run_leaves_no_role_behind() -> None:
    started = asyncio.Event()

    async def serve(stop: asyncio.Event) -> None:
        started.set()
        await stop.wait()

    running = asyncio.create_task(run([Role("left", serve)]))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "left" and not task.cancelling()]


async def test_http_finishes_the_request_it_has_when_told_to_stop() -> None:
    entered, stop = asyncio.Event(), asyncio.Event()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        entered.set()
        await stop.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    bound = listen("127.0.0.1", 0)
    role = http(app, bound)
    port = bound.getsockname()[1]
    serving = asyncio.ensure_future(role.serve(stop))
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        await entered.wait()
        stop.set()
        assert (await asked).text == "done"
    await serving


def test_a_taken_port_is_an_error() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(OSError):
            listen("127.0.0.1", taken.getsockname()[1])


PROGRAM = """
import asyncio
from kernel.runtime.roles import EDGE, Role, main, run

async def serve(stop: asyncio.Event) -> None:
    print("up", flush=True)
    await stop.wait()
    {end}

main(run([Role("only", serve, EDGE, deadline_s=30)], drain_limit_s=30))
"""


def process(end: str) -> subprocess.Popen[str]:
    """A process with one role, which does `end` when told to stop."""
    program = PROGRAM.format(end=end)
    started = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "up\n"
    return started


@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("raise RuntimeError", 1)])
def test_a_process_leaves_with_its_exit_code(end: str, code: int) -> None:
    with process(end) as started:
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=patience(30)) == code


def test_a_second_signal_leaves_at_once() -> None:
    with process('print("draining", flush=True); await asyncio.Event().wait()') as started:
        assert started.stdout is not None
        started.send_signal(signal.SIGTERM)
        assert started.stdout.readline() == "draining\n"
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=patience(20)) == 128 + signal.SIGTERM
