"""Runs a process's roles until a signal, then drains the roles in order. Exit 0 when all ended well, 1 when one crashed."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NoReturn

from kernel.runtime.health import Health
from kernel.runtime.loops import loop_factory

log = logging.getLogger(__name__)

DRAIN_LIMIT_S = 18
"""Limit of the whole drain; Kubernetes kills a process 30 s after SIGTERM."""
SAY_AFTER_S = 1.0
"""A role that takes longer to stop is named in the log while it is waited for."""
CANCEL_LIMIT_S = 1
CLOSE_LIMIT_S = 1

EDGE, WRITER, READERS, RELAY, POOLS = 10, 20, 30, 40, 90
"""Drain order: stop accepting, finish commands, finish the batch and commit, stop the relay, dispose."""


@dataclass(frozen=True, slots=True)
class Role:
    """One long-running part: `serve(stop)` returns soon after `stop` is set, at the latest after `deadline_s`.

    Lower `order` drains first. Ending before `stop` counts as a crash.
    """

    name: str
    serve: Callable[[asyncio.Event], Awaitable[None]]
    order: int = READERS
    deadline_s: float = 5


@dataclass(slots=True)
class _Running:
    role: Role
    stop: asyncio.Event
    task: asyncio.Task[None]
    failed: bool = False


async def run(roles: Sequence[Role], health: Health | None = None, drain_limit_s: float = DRAIN_LIMIT_S) -> int:
    """Serves all roles until SIGTERM, SIGINT or the end of one; returns the exit code. A second signal exits at once."""
    stopping = asyncio.Event()
    calm_collector()
    running = [_start(role, stopping) for role in roles]
    try:
        with _signals(stopping):
            await stopping.wait()
            if health:
                health.draining = True
            await _drain(running, asyncio.get_running_loop().time() + drain_limit_s)
    finally:
        for one in running:
            one.task.cancel()
    return 1 if any(one.failed for one in running) else 0


def calm_collector() -> None:
    """Tunes the garbage collector. Freezing exempts all loaded modules: full collections took a third of a consumer's time.

    The youngest generation is collected every 50,000 objects: a batch makes thousands, which reference counting frees.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _start(role: Role, stopping: asyncio.Event) -> _Running:
    stop = asyncio.Event()
    one = _Running(role, stop, asyncio.create_task(_serve(role, stop), name=role.name))

    def ended(_: asyncio.Task[None]) -> None:
        one.failed = _crashed(one)
        stopping.set()

    one.task.add_done_callback(ended)
    return one


async def _serve(role: Role, stop: asyncio.Event) -> None:
    await role.serve(stop)


@contextlib.contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def received(number: int) -> None:
        if stopping.is_set():
            log.warning("process exits at once: second signal", extra={"signal": number})
            logging.shutdown()
            os._exit(128 + number)
        log.info("process drains: signal received", extra={"signal": number})
        stopping.set()

    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, received, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _drain(running: Sequence[_Running], until: float) -> None:
    by_order = sorted(running, key=lambda one: one.role.order)
    for _, group in groupby(by_order, key=lambda one: one.role.order):
        await asyncio.gather(*[_stop(one, until) for one in list(group)])


async def _stop(one: _Running, until: float) -> None:
    left_s = max(0.0, until - asyncio.get_running_loop().time())
    waited_s = min(one.role.deadline_s, left_s)
    one.stop.set()
    done, _ = await asyncio.wait([one.task], timeout=min(waited_s, SAY_AFTER_S))
    if not done and waited_s > SAY_AFTER_S:
        log.warning("process drains: it waits for a role", extra={"role": one.role.name, "deadline_s": waited_s})
        done, _ = await asyncio.wait([one.task], timeout=waited_s - SAY_AFTER_S)
    if not done:
        log.warning("role cancelled: it did not stop in time", extra={"role": one.role.name, "waited_s": waited_s})
        one.task.cancel()
        await asyncio.wait([one.task], timeout=CANCEL_LIMIT_S)


def _crashed(one: _Running) -> bool:
    """True for a crash, which is logged at once. A role cancelled past its deadline has not crashed (a relay without broker)."""
    if one.task.cancelled():
        if one.task.cancelling():
            return False
        log.error("role crashed: cancelled by nobody", extra={"role": one.role.name})
        return True
    error = one.task.exception()
    if error:
        log.error("role crashed: unhandled error", exc_info=error, extra={"role": one.role.name})
    elif not one.stop.is_set():
        log.error("role crashed: it ended before its stop", extra={"role": one.role.name})
    return error is not None or not one.stop.is_set()


def main(process: Coroutine[Any, Any, int]) -> NoReturn:
    """Runs a process (on uvloop where there is one) and leaves with its exit code, even if some task refuses to end."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        code = runner.run(process)
        logging.shutdown()
        last_resort = threading.Timer(CLOSE_LIMIT_S, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
    sys.exit(code)
