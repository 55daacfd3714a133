"""What was found, a row each; and a campaign's orders and refunds by hour, in which waves are looked for."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target
from services.metrics.domain.anomaly.anomaly import AnomalyFound, AnomalyKind, BurstDetected
from services.metrics.domain.order.events import OrderRecorded, OrderRefunded
from services.metrics.projections.rows import STAFF, Row
from services.metrics.tables import ANOMALIES, ORDER_HOURS

HOUR_S = 3_600


async def apply_anomalies(target: Target, events: Sequence[Delivered[Any]]) -> None:
    found = [_row(one) for one in events if isinstance(one.event, AnomalyFound | BurstDetected)]
    await target.upsert(ANOMALIES, found)
    await target.upsert(ORDER_HOURS, _hours(events), add=("orders", "refunds"))


def _row(incoming: Delivered[AnomalyFound | BurstDetected]) -> Row:
    event = incoming.event
    told = {name: getattr(event, name) for name in ("anomaly_id", "content_id", "metric", "formula", "expected_max")}
    told |= {"window_start_ms": event.window_start_ms, "window_s": event.window_s, "detected_at": incoming.at}
    if isinstance(event, BurstDetected):
        whose, kind, observed = ("", "", ""), AnomalyKind.BURST, event.count
    else:
        whose, kind, observed = (event.campaign_id, event.creator_id, event.brand_id), event.kind, event.observed
    parties = dict(zip(("campaign_id", "creator_id", "brand_id"), whose, strict=True))
    readers = sorted({*filter(None, whose[1:]), *STAFF})
    return {**told, **parties, "kind": kind.value, "observed": observed, "readers": readers}


def _hours(events: Sequence[Delivered[Any]]) -> list[Row]:
    orders, refunds = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for one in events:
        if isinstance(one.event, OrderRecorded | OrderRefunded) and one.event.attribution is not None:
            where = (one.event.attribution.placement.campaign_id, _hour(one.at))
            orders[where] += isinstance(one.event, OrderRecorded)
            refunds[where] += isinstance(one.event, OrderRefunded) and one.event.complete
    return [
        {"campaign_id": where[0], "hour": where[1], "orders": count, "refunds": refunds[where]}
        for where, count in orders.items()
    ]


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // HOUR_S


ANOMALY_LIST = Projection("anomalies", 1, (ANOMALIES, ORDER_HOURS), apply_anomalies)
