"""Health: readiness runs checks of what a request needs, liveness asks the watchdog whether every loop makes progress."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kernel.runtime import telemetry

log = logging.getLogger(__name__)

ReadinessCheck = Callable[[], Awaitable[None]]
"""Returns when the dependency answers, raises when it does not."""
Monotonic = Callable[[], float]
SHOWN_S = 45.0
"""Time for which readiness shows a stopped loop: longer than the longest pause between two tries of a loop (the relay's 30 s)."""


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a probe. `checks` maps each name to "ok" or a word or two on the problem, no secrets: the probe is open."""

    ok: bool
    checks: Mapping[str, str]


@dataclass(slots=True)
class _Mark:
    position: int
    end: int
    moved_at: float
    seen_at: float


@dataclass(slots=True)
class Watchdog:
    """Watchdog: finds a loop that lags without moving, or has stopped reporting, for `limit_s` (aiokafka is known to hang).

    Every loop reports each of its turns, also an empty one: `progress("projector campaigns/3", position=17, end=20)`.
    """

    limit_s: float = 60
    now: Monotonic = time.monotonic
    marks: dict[str, _Mark] = field(default_factory=dict)
    _stopped: dict[str, tuple[str, float]] = field(default_factory=dict)

    def progress(self, name: str, position: int, end: int) -> None:
        """Reports a turn of loop `name`: its position, and the present end of its source. At position >= end it has caught up."""
        now = self.now()
        mark = self.marks.setdefault(name, _Mark(position, end, now, now))
        if position != mark.position or position >= end or mark.position >= mark.end:
            mark.moved_at = now
        mark.position, mark.end, mark.seen_at = position, end, now

    def forget(self, name: str) -> None:
        """Removes a loop that has ended, or a partition that it no longer reads."""
        self.marks.pop(name, None)

    def forget_all(self, prefix: str) -> None:
        """Removes the loops whose names begin so."""
        for name in [name for name in self.marks if name.startswith(prefix)]:
            self.forget(name)

    def alive(self, prefix: str) -> None:
        """Reports that the loops whose names begin so still try, without progress: one that had caught up is not silent."""
        for name, mark in self.marks.items():
            if name.startswith(prefix):
                mark.seen_at = self.now()

    def stop(self, name: str, code: str) -> None:
        """Reports a loop that waits for an operator (kernel.streams.halted), since no restart helps. Repeated at every try."""
        self._stopped[name] = (code, self.now())

    def stopped(self) -> dict[str, str]:
        """Loops that reported a stop within the last SHOWN_S, each as "stopped: parked.budget_spent"."""
        reported = sorted(self._stopped.items())
        return {name: f"stopped: {code}" for name, (code, at) in reported if self.now() - at < SHOWN_S}

    def stuck(self) -> dict[str, str]:
        """Loops that are stuck: "no progress at 17 of 20" or "silent"; also sets `stuck_seconds` of every loop."""
        now, found = self.now(), {}
        for name, mark in sorted(self.marks.items()):
            waiting = now - (mark.moved_at if mark.position < mark.end else mark.seen_at)
            telemetry.gauge("stuck_seconds", waiting if waiting >= self.limit_s else 0, name=name)
            if now - mark.seen_at >= self.limit_s:
                found[name] = "silent"
            elif waiting >= self.limit_s:
                found[name] = f"no progress at {mark.position} of {mark.end}"
        return found


class Health:
    """Health of a process, as `/healthz/*` and gRPC health report it. A draining process is not ready and stays live."""

    def __init__(self, watchdog: Watchdog | None = None, deadline_s: float = 2) -> None:
        self.watchdog = watchdog or Watchdog()
        self.draining = False
        self._checks: dict[str, ReadinessCheck] = {}
        self._deadline_s = deadline_s
        self._under_way: asyncio.Task[dict[str, BaseException | None]] | None = None

    def add(self, name: str, check: ReadinessCheck) -> None:
        """Adds a readiness check, which fails when it takes longer than `deadline_s`."""
        self._checks[name] = check

    async def readiness(self) -> Report:
        """Runs all readiness checks at once; one that raises has failed. A stopped reader or relay has failed, too.

        Probes at once share one run: a probe needs no token, and each check takes a connection of the database.
        """
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._run_all())
        results = await asyncio.shield(self._under_way)
        checks = {name: self._word(name, result) for name, result in results.items()}
        if self.draining:
            checks["process"] = "draining"
        checks |= self.watchdog.stopped()
        return Report(all(word == "ok" for word in checks.values()), checks)

    def liveness(self) -> Report:
        """Live while no loop is stuck: a stuck one makes the orchestrator restart the process."""
        stuck = self.watchdog.stuck()
        return Report(not stuck, stuck)

    async def _run_all(self) -> dict[str, BaseException | None]:
        names = list(self._checks)
        results = await asyncio.gather(*[self._run(name) for name in names], return_exceptions=True)
        return dict(zip(names, results, strict=True))

    async def _run(self, name: str) -> None:
        async with asyncio.timeout(self._deadline_s):
            await self._checks[name]()

    def _word(self, name: str, result: BaseException | None) -> str:
        """Word for a check's result. The reason of a failure is logged only, because the probe is open to all."""
        if result is None:
            return "ok"
        if isinstance(result, TimeoutError):
            return f"no answer in {self._deadline_s:g} s"
        log.warning("readiness check failed", exc_info=result, extra={"checks": name})
        return "failed"


async def watch_loop(stop: asyncio.Event, interval_s: float = 0.5) -> None:
    """Measures how late the event loop wakes up, until `stop`: a call that blocks the loop shows in the gauge."""
    while not stop.is_set():
        due = time.monotonic() + interval_s
        try:
            async with asyncio.timeout(interval_s):
                await stop.wait()
        except TimeoutError:
            telemetry.gauge("event_loop_lag_seconds", max(0.0, time.monotonic() - due))
