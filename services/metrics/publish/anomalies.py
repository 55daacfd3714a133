"""Anomalies: the public form of what was raised, and what is found as commands to metrics itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dandelion.metrics.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, stamp
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.adapters.bus import Message
from kernel.adapters.requests import request
from kernel.core.ids import derived_id
from services.metrics.domain.anomaly.anomaly import AnomalyFound, AnomalyKind, BurstDetected
from services.metrics.domain.anomaly.refunds import DAY_H, FORMULA, Wave
from services.metrics.domain.anomaly.window import Finding

HOUR_S = 3_600


class Whose(NamedTuple):
    campaign_id: str
    creator_id: str
    brand_id: str


NOBODYS = Whose("", "", "")
"""Of a content that is not known yet."""


def window_of(start_ms: int, size_s: int) -> tuple[Timestamp, Timestamp]:
    """From and until."""
    start = datetime.fromtimestamp(start_ms / 1000, UTC)
    return stamp(start), stamp(start + timedelta(seconds=size_s))


SAME = ("anomaly_id", "content_id", "campaign_id", "creator_id", "brand_id", "observed", "expected_max", "formula")


def _found(event: AnomalyFound, at: datetime) -> pb.AnomalyDetected:
    since, until = window_of(event.window_start_ms, event.window_s)
    return pb.AnomalyDetected(
        **{name: getattr(event, name) for name in SAME},
        kind=event.kind.value,
        metric=pb.Metric.ValueType(event.metric),
        window_from=since,
        window_until=until,
        detected_at=stamp(at),
    )


def _burst(event: BurstDetected, at: datetime) -> pb.AnomalyDetected:
    since, until = window_of(event.window_start_ms, event.window_s)
    return pb.AnomalyDetected(
        anomaly_id=event.anomaly_id,
        kind=AnomalyKind.BURST.value,
        content_id=event.content_id,
        metric=pb.Metric.ValueType(event.metric),
        window_from=since,
        window_until=until,
        observed=event.count,
        expected_max=event.expected_max,
        formula=event.formula,
        detected_at=stamp(at),
    )


ANOMALY_FORMS: dict[type, Callable[[Any, datetime], pb.AnomalyDetected]] = {
    AnomalyFound: _found,
    BurstDetected: _burst,
}


def finding_request(found: Finding, whose: Whose, at: datetime) -> Message:
    """What windows show as a command; its id is derived from what was found, so however often it is found, it is raised once."""
    asked = own.ReportAnomaly(
        kind=found.kind.value,
        content_id=found.content_id,
        **whose._asdict(),
        metric=pb.Metric.ValueType(found.metric),
        window_start_ms=found.window_start_ms,
        window_s=found.window_s,
        observed=found.observed,
        expected_max=found.expected_max,
        formula=found.formula,
    )
    return _asked(asked, found.content_id, at)


def wave_request(found: Wave, whose: Whose, at: datetime) -> Message:
    """A wave of refunds, once for each day (UTC) of its last hour."""
    day = found.until_hour // DAY_H
    asked = own.ReportAnomaly(
        kind=AnomalyKind.REFUND_WAVE.value,
        **whose._asdict(),
        window_start_ms=day * DAY_H * HOUR_S * 1000,
        window_s=DAY_H * HOUR_S,
        observed=found.refunds,
        expected_max=found.expected_max,
        formula=FORMULA,
    )
    return _asked(asked, whose.campaign_id, at)


def _asked(asked: own.ReportAnomaly, subject: str, at: datetime) -> Message:
    window = (str(int(asked.metric)), str(asked.window_start_ms))
    request_id = derived_id("anomaly request", asked.kind, subject, *window)
    return request("metrics", form(asked), request_id, request_id, at)
