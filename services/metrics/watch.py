"""Counts the engagement topic in windows, and reports what the windows show, with the campaign and creator of the content."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from kernel.adapters.bus import Bus, Message, Producer
from kernel.adapters.database import Database
from kernel.adapters.requests import send
from kernel.core.faults import Fault
from kernel.runtime.wakeup import Wakeup
from services.metrics.domain.anomaly.window import Finding, Windows, findings, live
from services.metrics.domain.engagement import Envelope
from services.metrics.publish.anomalies import NOBODYS, Whose, finding_request
from services.metrics.tables import CONTENTS

REPORTED_KEPT = 10_000
Told = tuple[str, str, int, int]


@dataclass(slots=True)
class Watch:
    """Windows of one consumer, and what it has reported (bounded: a second report changes nothing)."""

    bus: Bus
    database: Database
    windows: Windows = field(default_factory=Windows)
    counted: Wakeup = field(default_factory=Wakeup)
    reported: dict[Told, None] = field(default_factory=dict)
    producer: Producer | None = None

    async def add(self, envelopes: Sequence[Envelope], at: datetime) -> None:
        """Counts envelopes and reports what they show; raises Unavailable when it cannot be reported."""
        touched = self.windows.add(*((envelope.id, envelope.rows) for envelope in envelopes))
        found = [one for one in findings(self.windows, touched) if _told(one) not in self.reported]
        whose = await self._whose({one.content_id for one in found})
        for one in found:
            await self._send(finding_request(one, whose.get(one.content_id, NOBODYS), at))
            self._remember(_told(one))
        self.counted.notify()

    def live(self, content_id: str) -> dict[str, int]:
        """What a content got in the windows kept, by metric name."""
        return {metric.name.lower(): n for metric, n in live(self.windows.counts, content_id).items()}

    async def _whose(self, contents: Iterable[str]) -> dict[str, Whose]:
        """Campaign, creator and brand of those contents that are known."""
        wanted, columns = sorted(contents), CONTENTS.c
        if not wanted:
            return {}
        query = sa.select(columns.content_id, columns.campaign_id, columns.creator_id, columns.brand_id)
        async with self.database.reading() as connection:
            rows = await connection.execute(query.where(columns.content_id.in_(wanted)))
            return {row.content_id: Whose(row.campaign_id, row.creator_id, row.brand_id) for row in rows}

    def _remember(self, told: Told) -> None:
        self.reported[told] = None
        if len(self.reported) > REPORTED_KEPT:
            del self.reported[next(iter(self.reported))]

    async def _send(self, message: Message) -> None:
        self.producer = self.producer or await self.bus.producer()
        try:
            await send(self.producer, "metrics", [message])
        except (Fault, TimeoutError):
            await self.close()
            raise

    async def close(self) -> None:
        producer, self.producer = self.producer, None
        if producer is not None:
            await producer.close()


def _told(one: Finding) -> Told:
    return one.kind, one.content_id, int(one.metric), one.window_start_ms
