"""One replica's clock an hour off: order, recorded times, deadlines and leases go by the database's time."""

import asyncio
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.adapters.leases import TTL_S
from kernel.core.events import Recorded
from tests.kit import counter, whole
from tests.kit.required import without
from tests.kit.toys import GRACE_S, ROLES, Load, Toys
from tests.kit.until import until
from tools.servers.places import free_port
from tools.speed import patience

HOUR_S = 3600
FAR = timedelta(minutes=5)
"""Nothing here takes so long; a clock that is an hour off is further away."""


def faketime() -> str:
    """The library that skews a process's clock (Debian's libfaketime)."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        without("faketime", "libfaketime is not installed (Debian: apt install faketime)")
    return str(found[0])


def start_skewed(toys: Toys, port: int, seconds: int, **variables: str) -> "subprocess.Popen[bytes]":
    """Wall clock only: timeouts go by the monotonic clock, which is true on every machine."""
    fake = {"LD_PRELOAD": faketime(), "FAKETIME": f"{seconds:+d}s", "DONT_FAKE_MONOTONIC": "1"}
    env = toys.env | fake | {"DANDELION_HTTP_PORT": str(port)} | variables
    return subprocess.Popen([sys.executable, "-m", "tests.kit.toy", *ROLES], env=env)


@pytest.mark.parametrize("seconds", [HOUR_S, -HOUR_S])
async def test_a_replica_an_hour_off_changes_no_order_no_time_and_no_deadline(toys: Toys, seconds: int) -> None:
    await run_skewed(toys, seconds)


async def run_skewed(toys: Toys, seconds: int, **variables: str) -> None:
    began, port = await toys.app.log.now(), free_port()
    right, skewed = toys.start(), start_skewed(toys, port, seconds, **variables)
    try:
        for one in (toys.port, port):
            await until(lambda one=one: toys.clients.is_answered(one))  # type: ignore[misc]
        toys.clients.send_to(toys.port, port)
        async with Load(toys.clients):
            await toys.acknowledge(200)
            await check_leases(toys)
        await whole.caught_up(toys.app)
        assert abs((await toys.clients.clock_of(port) - await toys.app.log.now()).total_seconds()) > HOUR_S / 2
    finally:
        skewed.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(skewed.wait, patience(GRACE_S))
    assert code == 0
    await toys.drain(right)
    toys.clients.send_to(toys.port)
    await toys.settle()
    check_times(toys, await toys.app.log.read(0, whole.EVENTS_LIMIT), began)


async def check_leases(toys: Toys) -> None:
    """Nobody holds one for longer than its time, and nobody's is over at once."""
    async with toys.app.database.reading() as connection:
        left = sa.text("SELECT extract(epoch FROM until - clock_timestamp()) FROM leases WHERE owner <> ''")
        seconds = [float(row[0]) for row in await connection.execute(left)]
    assert seconds
    assert max(seconds) <= TTL_S
    assert min(seconds) > -FAR.total_seconds()


def check_times(toys: Toys, events: list[Recorded], began: datetime) -> None:
    """Recorded in order, at the database's time; what was decided saw the same time; no reminder rang before it was due."""
    due = dict[str, datetime]()
    for recorded, before in zip(events, [None, *events], strict=False):
        assert before is None or before.recorded_at <= recorded.recorded_at
        assert began - FAR < recorded.recorded_at < began + FAR
        event = toys.app.service.codec.decode(recorded.name, recorded.data)
        match event:
            case counter.Added():
                assert began - FAR < event.at < began + FAR
            case counter.Reminded():
                due[recorded.stream] = event.due_at
            case counter.Rang():
                assert due[recorded.stream] <= recorded.recorded_at < due[recorded.stream] + FAR
    assert due
