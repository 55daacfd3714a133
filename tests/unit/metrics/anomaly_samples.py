"""Samples of what metrics stores of anomalies, and the commands that they come of."""

from typing import Any

from services.metrics.domain.anomaly.anomaly import (
    AnomalyFound,
    AnomalyKind,
    BurstDetected,
    ReportAnomaly,
    ReportBurst,
    anomaly_id,
)
from services.metrics.domain.engagement import Metric
from services.metrics.publish.anomalies import Whose
from tests.unit.metrics.batches import CONTENTS, START_MS
from tests.unit.metrics.given import PLACE, RED

REPORT = ReportBurst(CONTENTS[0], Metric.LIKES, START_MS, 60, 5_000, 1_200, "burst@1")
WHOSE = Whose(PLACE.campaign_id, PLACE.creator_id, RED)
PLATEAU = ReportAnomaly(
    AnomalyKind.PLATEAU, CONTENTS[0], *WHOSE, Metric.LIKES, START_MS, 3_600, 9_000, 5_196, "plateau@1"
)
ANOMALY_SAMPLES: dict[str, Any] = {
    "anomaly.burst_detected@1": BurstDetected(
        anomaly_id(REPORT), CONTENTS[0], Metric.LIKES, START_MS, 60, 5_000, 1_200, "burst@1"
    ),
    "anomaly.found@1": AnomalyFound(
        anomaly_id(PLATEAU), **{name: getattr(PLATEAU, name) for name in PLATEAU.__slots__}
    ),
}
