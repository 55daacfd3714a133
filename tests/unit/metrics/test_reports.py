"""Batches registered and anomalies raised: once each."""

from dataclasses import replace

import pytest

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.metrics.domain.anomaly import ANOMALY, BurstDetected, ReportBurst, anomaly_id
from services.metrics.domain.batch import BATCH, BatchRegistered, RegisterBatch
from services.metrics.domain.engagement import Metric
from tests.unit.metrics.batches import CONTENTS, START_MS
from tests.unit.metrics.given import BLUE, BRAND, SYSTEM, check

BATCH_ID = derived_id("test", "batch")
REGISTER = RegisterBatch("ab" * 32, 500, 2)
REGISTERED = BatchRegistered(BATCH_ID, "ab" * 32, 500, 2)
REPORT = ReportBurst(CONTENTS[0], Metric.LIKES, START_MS, 60, 5_000, 1_200, "burst@1")
FOUND_ID = anomaly_id(REPORT)
FOUND = BurstDetected(FOUND_ID, CONTENTS[0], Metric.LIKES, START_MS, 60, 5_000, 1_200, "burst@1")


@pytest.mark.parametrize(
    ("given", "when", "actor", "tenant", "then"),
    [
        pytest.param([], REGISTER, BRAND, BRAND.tenant, [REGISTERED], id="registers"),
        pytest.param(
            [REGISTERED],
            replace(REGISTER, fingerprint="cd" * 32),
            BRAND,
            BRAND.tenant,
            "batch.differs",
            id="two_bodies",
        ),
        pytest.param([REGISTERED], REGISTER, BRAND, BLUE, "batch.not_a_party", id="another_tenant"),
        pytest.param(
            [], REGISTER, Actor("a", "a", frozenset({"auditor"})), "a", "actor.role_missing", id="an_auditor_only_reads"
        ),
    ],
)
def test_batch(given: list[object], when: RegisterBatch, actor: Actor, tenant: str, then: list[object] | str) -> None:
    check(BATCH, given, when, then, id=BATCH_ID, actor=actor, tenant=tenant)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], REPORT, SYSTEM, [FOUND], id="raises"),
        pytest.param([FOUND], replace(REPORT, count=9_000), SYSTEM, [], id="the_same_window_is_silent"),
        pytest.param([], REPORT, BRAND, "actor.role_missing", id="only_the_system"),
        pytest.param([], replace(REPORT, metric=11), SYSTEM, "anomaly.metric_unknown", id="unknown_metric"),
        pytest.param([], replace(REPORT, content_id="x"), SYSTEM, "id.malformed", id="bad_content"),
        pytest.param([], replace(REPORT, window_s=0), SYSTEM, "anomaly.window_out_of_range", id="no_window"),
        pytest.param([], replace(REPORT, count=1_200), SYSTEM, "anomaly.count_not_above_expected", id="no_burst"),
        pytest.param([], replace(REPORT, window_s=30), SYSTEM, "anomaly.id_not_derived", id="another_id"),
    ],
)
def test_anomaly(given: list[object], when: ReportBurst, actor: Actor, then: list[object] | str) -> None:
    check(ANOMALY, given, when, then, id=FOUND_ID, actor=actor)
