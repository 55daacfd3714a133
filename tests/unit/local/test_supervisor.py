"""A process that ends by itself is started again after pauses that grow, and it is said."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from cli.local import supervisor
from cli.local.processes import known
from cli.local.supervisor import LONGEST_PAUSE_S, STEADY_S, Supervisor, Watched
from tests.kit.until import until
from tools.servers import NoServer
from tools.servers.run import Process

WAITS = "import time; print('up', flush=True); time.sleep(600)"


def process(folder: Path, code: str = WAITS) -> Process:
    return Process([sys.executable, "-c", code], folder / "process.log")


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    made = process(tmp_path)
    return Watched("campaigns relay", made, made.start, str(made.log), 15_001)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WATCH_EVERY_S", 0.01)


async def test_a_killed_process_runs_again_under_another_pid_and_that_is_said(tmp_path: Path, watched: Watched) -> None:
    said, stopping = list[str](), asyncio.Event()
    watched.pause_s = 0.01
    watched.start()
    watching = asyncio.create_task(Supervisor(tmp_path, [watched], said.append).run(stopping))
    before = watched.pid()
    try:
        watched.runner.signal(signal.SIGKILL)

        async def again() -> bool:
            return [row["restarts"] for row in known(tmp_path)] == [1]

        await until(again)
        assert watched.pid() != before
        assert watched.runner.alive()
        assert said == [
            f"campaigns relay was ended by SIGKILL; it starts again in 0.01 s (log: {watched.log})",
            f"campaigns relay runs again (pid {watched.pid()}, restart 1)",
        ]
    finally:
        stopping.set()
        await watching
        watched.runner.close()


async def test_a_start_that_fails_is_said_and_tried_again(tmp_path: Path) -> None:
    said, stopping, tries = list[str](), asyncio.Event(), list[int]()
    made = process(tmp_path, "raise SystemExit(3)")

    def start() -> None:
        tries.append(1)
        if len(tries) == 2:
            stopping.set()
        raise NoServer("no room")

    made.start()
    made.wait()
    one = Watched("Apache Kafka", made, start, pause_s=0.01)
    await Supervisor(tmp_path, [one], said.append).run(stopping)
    assert said[:3] == [
        "Apache Kafka ended with exit code 3; it starts again in 0.01 s",
        "Apache Kafka could not be started again: no room",
        "Apache Kafka ended with exit code 3; it starts again in 0.02 s",
    ]


async def test_nothing_is_started_once_it_is_to_stop(tmp_path: Path, watched: Watched) -> None:
    stopping = asyncio.Event()
    watched.pause_s = 600.0
    waiting = asyncio.create_task(Supervisor(tmp_path, [watched], lambda line: stopping.set()).run(stopping))
    await waiting
    assert watched.pid() == 0


def test_pauses_double_up_to_the_longest_and_begin_anew_after_a_steady_life(watched: Watched) -> None:
    pauses = [watched.next_pause_s() for _ in range(8)]
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    watched.started_at -= STEADY_S
    assert watched.next_pause_s() == 1
