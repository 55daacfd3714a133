"""Batches registered and anomalies raised: once each."""

from dataclasses import replace
from datetime import timedelta

import pytest
from dandelion.metrics.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as pb
from google.protobuf.message import Message

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.metrics.domain.anomaly.anomaly import (
    ANOMALY,
    AnomalyFound,
    AnomalyKind,
    BurstDetected,
    Command,
    ReportAnomaly,
    ReportBurst,
    anomaly_id,
)
from services.metrics.domain.anomaly.window import Finding
from services.metrics.domain.batch import BATCH, BatchRegistered, RegisterBatch
from services.metrics.domain.engagement import Metric
from services.metrics.publish.anomalies import finding_request
from services.metrics.subscribe import decode_command
from tests.unit.metrics.anomaly_samples import ANOMALY_SAMPLES, PLATEAU, REPORT, WHOSE
from tests.unit.metrics.batches import CONTENTS, START_MS
from tests.unit.metrics.given import BLUE, BRAND, NOON, SYSTEM, check

BATCH_ID = derived_id("test", "batch")
REGISTER = RegisterBatch("ab" * 32, 500, 2)
REGISTERED = BatchRegistered(BATCH_ID, "ab" * 32, 500, 2)
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
def test_a_burst_as_before(given: list[object], when: ReportBurst, actor: Actor, then: list[object] | str) -> None:
    check(ANOMALY, given, when, then, id=FOUND_ID, actor=actor)


OTHER = derived_id("test", "campaign")
JUMP = ReportAnomaly(
    AnomalyKind.FOLLOWER_JUMP, CONTENTS[0], OTHER, BRAND.id, BLUE, Metric.FOLLOWS, START_MS, 60, 900, 120, "follower_jump@1"
)  # fmt: skip
WAVE = replace(
    JUMP, kind=AnomalyKind.REFUND_WAVE, content_id="", creator_id="", metric=0, window_s=86_400, formula="refund_wave@1"
)  # fmt: skip


def found(command: ReportAnomaly) -> AnomalyFound:
    return AnomalyFound(anomaly_id(command), **{name: getattr(command, name) for name in command.__slots__})


@pytest.mark.parametrize("command", [JUMP, WAVE], ids=["of a content", "of a campaign"])
def test_what_was_found_is_raised_once(command: ReportAnomaly) -> None:
    raised, where = found(command), anomaly_id(command)
    check(ANOMALY, [], command, [raised], id=where, actor=SYSTEM)
    check(ANOMALY, [raised], replace(command, observed=command.observed + 1), [], id=where, actor=SYSTEM)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(JUMP, content_id=""), "id.malformed"),
        (replace(JUMP, metric=0), "anomaly.metric_unknown"),
        (replace(JUMP, observed=120), "anomaly.count_not_above_expected"),
        (replace(WAVE, campaign_id=""), "id.malformed"),
        (replace(WAVE, metric=4), "anomaly.metric_unknown"),
    ],
)
def test_what_nothing_finds_is_refused(command: Command, code: str) -> None:
    check(ANOMALY, [], command, code, id=anomaly_id(command), actor=SYSTEM)


def test_a_burst_has_one_id_whoever_reports_it() -> None:
    named = (REPORT.content_id, "", "", "", REPORT.metric, REPORT.window_start_ms, REPORT.window_s)
    again = ReportAnomaly(AnomalyKind.BURST, *named, REPORT.count, REPORT.expected_max, REPORT.formula)
    assert anomaly_id(again) == FOUND_ID
    check(ANOMALY, [FOUND], again, [], id=FOUND_ID, actor=SYSTEM)


def asked(message: Message) -> tuple[str, object]:
    read = decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert read is not None
    return read


def test_a_finding_is_reported_under_one_id() -> None:
    finding = Finding(AnomalyKind.PLATEAU, CONTENTS[0], Metric.LIKES, START_MS, 3_600, 9_000, 5_196)
    message, again = (finding_request(finding, WHOSE, at) for at in (NOON, NOON + timedelta(minutes=1)))
    assert dict(message.headers)["ce_id"] == dict(again.headers)["ce_id"]
    assert asked(own.ReportAnomaly.FromString(message.value)) == (f"anomaly-{anomaly_id(PLATEAU)}", PLATEAU)
    check(ANOMALY, [], PLATEAU, [ANOMALY_SAMPLES["anomaly.found@1"]], id=anomaly_id(PLATEAU), actor=SYSTEM)


def test_a_burst_of_before_is_read() -> None:
    message = own.ReportBurst(
        content_id=CONTENTS[0], metric=pb.METRIC_LIKES, window_start_ms=START_MS, window_s=60, observed=5_000,
        expected_max=1_200, formula="burst@1",
    )  # fmt: skip
    assert asked(message) == (f"anomaly-{FOUND_ID}", REPORT)
