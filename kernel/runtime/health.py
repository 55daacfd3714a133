"""Probes that look: readiness asks the things a request needs, liveness asks whether work that waits moves on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kernel.runtime import telemetry

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
"""Returns when all is well, raises when not."""
Monotonic = Callable[[], float]
SHOWN_S = 45.0
"""Readiness shows what a loop said of itself for so long: longer than the longest pause between two tries (30 s, the relay's)."""


@dataclass(frozen=True, slots=True)
class Report:
    """`checks` maps each name to "ok" or to what is wrong (a word or two, no secrets: the probe is open)."""

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
    """Turns red when something lags without moving, or stops reporting, for `limit_s` (aiokafka is known to hang).

    Every loop reports each turn, also an empty one: `progress("projector campaigns/3", position=17, end=20)`.
    """

    limit_s: float = 60
    now: Monotonic = time.monotonic
    marks: dict[str, _Mark] = field(default_factory=dict)
    _stopped: dict[str, tuple[str, float]] = field(default_factory=dict)

    def progress(self, name: str, position: int, end: int) -> None:
        """Where `name` stands and where its source ends now; caught up when position >= end."""
        now = self.now()
        mark = self.marks.setdefault(name, _Mark(position, end, now, now))
        if position != mark.position or position >= end or mark.position >= mark.end:
            mark.moved_at = now
        mark.position, mark.end, mark.seen_at = position, end, now

    def forget(self, name: str) -> None:
        """The loop has ended or gave this up (a revoked partition)."""
        self.marks.pop(name, None)

    def stop(self, name: str, code: str) -> None:
        """`name` stands before what a person has to mend (kernel.streams.halted): no restart helps. Told again at every try."""
        self._stopped[name] = (code, self.now())

    def stopped(self) -> dict[str, str]:
        """What stood within the last SHOWN_S: "stopped: parked.budget_spent"."""
        told = sorted(self._stopped.items())
        return {name: f"stopped: {code}" for name, (code, at) in told if self.now() - at < SHOWN_S}

    def stuck(self) -> dict[str, str]:
        """What is stuck and how: "no progress at 17 of 20" or "silent"; sets `stuck_seconds` for each."""
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
    """What `/healthz/*` and gRPC health answer. A draining process is not ready and stays live."""

    def __init__(self, watchdog: Watchdog | None = None, deadline_s: float = 2) -> None:
        self.watchdog = watchdog or Watchdog()
        self.draining = False
        self._checks: dict[str, Check] = {}
        self._deadline_s = deadline_s

    def add(self, name: str, check: Check) -> None:
        """A readiness check; it may take `deadline_s`."""
        self._checks[name] = check

    async def readiness(self) -> Report:
        """Runs all checks at once; whatever one raises is an answer too. Readers that stopped are named, and change nothing."""
        names = list(self._checks)
        answers = await asyncio.gather(*[self._ask(name) for name in names], return_exceptions=True)
        checks = {name: self._word(name, answer) for name, answer in zip(names, answers, strict=True)}
        if self.draining:
            checks["process"] = "draining"
        ok = all(answer == "ok" for answer in checks.values())
        return Report(ok, {**checks, **self.watchdog.stopped()})

    def liveness(self) -> Report:
        stuck = self.watchdog.stuck()
        return Report(not stuck, stuck)

    async def _ask(self, name: str) -> None:
        async with asyncio.timeout(self._deadline_s):
            await self._checks[name]()

    def _word(self, name: str, answer: BaseException | None) -> str:
        """The reason itself is for the log: the probe is open to all."""
        if answer is None:
            return "ok"
        if isinstance(answer, TimeoutError):
            return f"no answer in {self._deadline_s:g} s"
        log.warning("a readiness check failed", exc_info=answer, extra={"checks": name})
        return "failed"


async def watch_loop(stop: asyncio.Event, interval_s: float = 0.5) -> None:
    """Measures how late the event loop wakes up, until `stop`; something that blocks it shows in the gauge."""
    while not stop.is_set():
        due = time.monotonic() + interval_s
        try:
            async with asyncio.timeout(interval_s):
                await stop.wait()
        except TimeoutError:
            telemetry.gauge("event_loop_lag_seconds", max(0.0, time.monotonic() - due))
