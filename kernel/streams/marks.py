"""Marks of one consumer in the watchdog: how far each partition is, and what is told when the consumer fails.

A consumer that fails keeps its marks, so one that lags and does not get on turns liveness red. One that waits for a person
(kernel.streams.halted) turns readiness red instead, with the reason and the tenant, because no restart helps.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from kernel.adapters.bus import TopicPartition
from kernel.adapters.database import Database
from kernel.core.faults import Fault
from kernel.core.guard import Guard
from kernel.runtime import telemetry
from kernel.runtime.health import Watchdog
from kernel.streams import halted
from kernel.streams.records import OWN_LOG


class Marks:
    """Reports of one consumer: `name` is the consumer's."""

    def __init__(self, name: str, watchdog: Watchdog, database: Database) -> None:
        self._name, self._watchdog, self._database = name, watchdog, database

    def log(self, position: int, end: int) -> None:
        """Reports the place in the own log."""
        self._watchdog.progress(self._mark((OWN_LOG, 0)), position, end)

    def forget_log(self) -> None:
        self._watchdog.forget(self._mark((OWN_LOG, 0)))

    def topics(self, guards: Mapping[TopicPartition, Guard], ends: Mapping[TopicPartition, int]) -> None:
        """Reports progress and lag of each partition: the watchdog notices one that stands still while its topic has more."""
        for where, guard in guards.items():
            end = ends.get(where, 0)
            self._watchdog.progress(self._mark(where), guard.next_offset, end)
            labels = {"source": where[0], "partition": str(where[1])}
            telemetry.gauge("projection_lag_events", max(0, end - guard.next_offset), projection=self._name, **labels)

    def keep_only(self, held: Collection[str], names: Sequence[str]) -> None:
        """Forgets the partitions (`<topic>/<partition>`) of `names` that another replica reads now: they are its to report."""
        for name in names:
            if name not in held:
                self._watchdog.forget(f"{self._name} {name}")

    async def failing(self, fault: Fault) -> None:
        """Reports a failed try; the marks stay as they are."""
        self._watchdog.alive(f"{self._name} ")
        if fault.code in halted.BY_HAND:
            tenant = fault.facts.get("tenant")
            why = f"{fault.code} (tenant {tenant})" if tenant else fault.code
            self._watchdog.forget_all(f"{self._name} ")
            self._watchdog.stop(f"reader {self._name}", why)
            with suppress(Fault):
                await halted.report(self._database, self._name, why)

    def _mark(self, where: TopicPartition) -> str:
        return f"{self._name} {where[0]}/{where[1]}"
