"""Anomalies, raised once: `anomaly-<uuid>`, the uuid derived from what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id, derived_id, split_stream
from services.metrics.domain.engagement import EARLIEST_MS, LATEST_MS, REPORTED


class AnomalyKind(StrEnum):
    """What was found; window.py and refunds.py have the formulas."""

    BURST = "burst"
    """A window of a content's metric far above its past."""
    FOLLOWER_JUMP = "follower_jump"
    """The same of followers gained."""
    PLATEAU = "plateau"
    """Windows steadier than chance: delivered, not come."""
    COORDINATED = "coordinated"
    """A great part of a window's actions in one second."""
    REFUND_WAVE = "refund_wave"
    """Refunds of a campaign's orders far above its past."""


@dataclass(frozen=True, slots=True)
class ReportAnomaly:
    """What was found; `metric` is 0 for refunds, which have no content either. `window_start_ms` since 1970, UTC.

    `observed` is what the window showed when it was noticed, `expected_max` the most that `formula` allows. Campaign, creator
    and brand are those of the content as far as they were known then, else "".
    """

    kind: AnomalyKind
    content_id: str
    campaign_id: str
    creator_id: str
    brand_id: str
    metric: int
    window_start_ms: int
    window_s: int
    observed: int
    expected_max: int
    formula: str


@dataclass(frozen=True, slots=True)
class ReportBurst:
    """A burst as processes of before reported it; `count` is what was observed."""

    content_id: str
    metric: int
    window_start_ms: int
    window_s: int
    count: int
    expected_max: int
    formula: str


@dataclass(frozen=True, slots=True)
class AnomalyFound:
    anomaly_id: str
    kind: AnomalyKind
    content_id: str
    campaign_id: str
    creator_id: str
    brand_id: str
    metric: int
    window_start_ms: int
    window_s: int
    observed: int
    expected_max: int
    formula: str


@dataclass(frozen=True, slots=True)
class BurstDetected:
    """A burst as it was stored before campaign and creator were kept with it."""

    anomaly_id: str
    content_id: str
    metric: int
    window_start_ms: int
    window_s: int
    count: int
    expected_max: int
    formula: str


Command = ReportAnomaly | ReportBurst
Event = AnomalyFound | BurstDetected
State = Event | None


def anomaly_id(command: Command) -> str:
    """One anomaly per content or campaign, metric, window and formula, however often and by whomever it is noticed."""
    window = (str(command.metric), str(command.window_start_ms), str(command.window_s), command.formula)
    if isinstance(command, ReportBurst) or command.kind is AnomalyKind.BURST:
        return derived_id("burst", command.content_id, *window)
    return derived_id(command.kind, command.content_id or command.campaign_id, *window)


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for anyone but the system, Invalid on values that nothing computes."""
    context.actor.require("system")
    if state is not None:
        return []
    _check(command, command.count if isinstance(command, ReportBurst) else command.observed)
    found = anomaly_id(command)
    if split_stream(context.stream)[1] != found:
        raise Refused("anomaly.id_not_derived", expected=found)
    match command:
        case ReportBurst():
            return [_detected(found, command)]
        case ReportAnomaly():
            return [_found(found, command)]
        case _:
            assert_never(command)


def _detected(found: str, command: ReportBurst) -> BurstDetected:
    window = (command.metric, command.window_start_ms, command.window_s)
    return BurstDetected(found, command.content_id, *window, command.count, command.expected_max, command.formula)


def _found(found: str, command: ReportAnomaly) -> AnomalyFound:
    whose = (command.content_id, command.campaign_id, command.creator_id, command.brand_id)
    window = (command.metric, command.window_start_ms, command.window_s)
    return AnomalyFound(found, command.kind, *whose, *window, command.observed, command.expected_max, command.formula)


def _check(command: Command, observed: int) -> None:
    of_refunds = isinstance(command, ReportAnomaly) and command.kind is AnomalyKind.REFUND_WAVE
    checked_id(command.campaign_id if isinstance(command, ReportAnomaly) and of_refunds else command.content_id)
    if command.metric not in ((0,) if of_refunds else REPORTED):
        raise Invalid("anomaly.metric_unknown", metric=command.metric)
    if not EARLIEST_MS <= command.window_start_ms <= LATEST_MS or command.window_s <= 0:
        raise Invalid("anomaly.window_out_of_range", window_start_ms=command.window_start_ms)
    if not 0 <= command.expected_max < observed:
        raise Invalid("anomaly.count_not_above_expected", count=observed, expected_max=command.expected_max)


def evolve(state: State, event: Event) -> State:
    return event


ANOMALY: Decider[Command, State, Event] = Decider("anomaly", None, decide, evolve)
