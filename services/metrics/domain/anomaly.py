"""Anomalies found in the stream, raised once: `anomaly-<uuid>`, the uuid derived from what was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id, derived_id, split_stream
from services.metrics.domain.engagement import EARLIEST_MS, LATEST_MS, REPORTED


@dataclass(frozen=True, slots=True)
class ReportBurst:
    """A window of a content's metric far above its past (window.Burst); `window_start_ms` since 1970, UTC.

    `count` is what the window held when it was noticed, `expected_max` the most its past allows by `formula`.
    """

    content_id: str
    metric: int
    window_start_ms: int
    window_s: int
    count: int
    expected_max: int
    formula: str


@dataclass(frozen=True, slots=True)
class BurstDetected:
    anomaly_id: str
    content_id: str
    metric: int
    window_start_ms: int
    window_s: int
    count: int
    expected_max: int
    formula: str


@dataclass(frozen=True, slots=True)
class AnomalyState:
    detected: BurstDetected | None = None


def anomaly_id(command: ReportBurst) -> str:
    """One anomaly per content, metric, window and formula, however often and by whomever it is noticed."""
    window = (str(command.window_start_ms), str(command.window_s))
    return derived_id("burst", command.content_id, str(command.metric), *window, command.formula)


def decide(command: ReportBurst, state: AnomalyState, context: Context) -> Sequence[BurstDetected]:
    """Raises Forbidden for anyone but the system, Invalid on values no stream computes."""
    context.actor.require("system")
    if state.detected is not None:
        return []
    _check(command)
    found = anomaly_id(command)
    if split_stream(context.stream)[1] != found:
        raise Refused("anomaly.id_not_derived", expected=found)
    window = (command.window_start_ms, command.window_s)
    counts = (command.count, command.expected_max)
    return [BurstDetected(found, command.content_id, command.metric, *window, *counts, command.formula)]


def _check(command: ReportBurst) -> None:
    checked_id(command.content_id)
    if command.metric not in REPORTED:
        raise Invalid("anomaly.metric_unknown", metric=command.metric)
    if not EARLIEST_MS <= command.window_start_ms <= LATEST_MS or command.window_s <= 0:
        raise Invalid("anomaly.window_out_of_range", window_start_ms=command.window_start_ms)
    if not 0 <= command.expected_max < command.count:
        raise Invalid("anomaly.count_not_above_expected", count=command.count, expected_max=command.expected_max)


def evolve(state: AnomalyState, event: BurstDetected) -> AnomalyState:
    return AnomalyState(event)


ANOMALY: Decider[ReportBurst, AnomalyState, BurstDetected] = Decider("anomaly", AnomalyState(), decide, evolve)
