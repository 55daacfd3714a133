"""Metric names are a closed list; traces pass through whether or not anyone records them."""

from collections.abc import Iterator
from typing import Literal, get_args

import prometheus_client
import pytest
from opentelemetry.sdk.trace import TracerProvider

from kernel.runtime import telemetry
from kernel.runtime.histogram import Histogram

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("names", "defined"),
    [
        (telemetry.CounterName, telemetry.COUNTERS),
        (telemetry.GaugeName, telemetry.GAUGES),
        (telemetry.HistogramName, telemetry.HISTOGRAMS),
    ],
)
def test_every_literal_name_is_defined_and_no_other(names: object, defined: dict[str, object]) -> None:
    assert set(get_args(names)) == set(defined)


def value(line: str) -> float:
    found = [row for row in telemetry.exposition().decode().splitlines() if row.startswith(line + " ")]
    return float(found[0].split()[-1]) if found else 0


def test_counts_gauges_and_durations_are_exposed() -> None:
    counted = 'records_projected_total{projection="unit",source="own"}'
    before = value(counted)
    telemetry.count("records_projected_total", 3, projection="unit", source="own")
    telemetry.gauge("parked_keys", 2, projection="unit")
    telemetry.observe("writer_batch_size", 7)
    assert value(counted) == before + 3
    assert value('parked_keys{projection="unit"}') == 2
    assert value("writer_batch_size_count") >= 1


def test_many_observed_at_once_stand_where_each_alone_would() -> None:
    seconds = [0.0, 0.001, 0.0049, 0.005, 0.7, 3600.0]
    for one in seconds:
        telemetry.observe("effect_seconds", one, effect="alone")
    telemetry.observe_each("effect_seconds", seconds, effect="together")
    rows = [row for row in telemetry.exposition().decode().splitlines() if row.startswith("effect_seconds_")]
    shown = {
        kind: [row.replace(kind, "") for row in rows if kind in row and "_created" not in row]
        for kind in ("alone", "together")
    }
    assert shown["alone"] == shown["together"]
    assert len(shown["alone"]) > len(seconds)


def test_a_histogram_is_exposed_as_the_library_exposes_its_own() -> None:
    ours, theirs = prometheus_client.CollectorRegistry(), prometheus_client.CollectorRegistry()
    own = Histogram("unit_seconds", "Seconds", ("kind",), (0.005, 1, 30), ours)
    library = prometheus_client.Histogram("unit_seconds", "Seconds", ("kind",), buckets=(0.005, 1, 30), registry=theirs)
    for value in (0.001, 0.005, 0.7, 30.0, 3600.0):
        own.labels(kind="a").observe([value])
        library.labels(kind="a").observe(value)
    exposed, expected = (prometheus_client.generate_latest(one).decode().splitlines() for one in (ours, theirs))
    assert exposed == [line for line in expected if "_created" not in line]


def test_a_histogram_refuses_labels_that_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="effect"):
        telemetry.observe("effect_seconds", 1, stream="campaign-1")


def test_a_block_that_raises_is_timed_too() -> None:
    line = 'effect_seconds_count{effect="unit"}'
    before = value(line)
    with pytest.raises(KeyError), telemetry.timed("effect_seconds", effect="unit"):
        raise KeyError
    assert value(line) == before + 1


def test_labels_that_are_not_defined_are_refused() -> None:
    wrong: dict[Literal["stream"], str] = {"stream": "campaign-1"}
    with pytest.raises(ValueError):
        telemetry.count("events_appended_total", **wrong)


def test_the_callers_trace_goes_on_when_nothing_is_recorded() -> None:
    with telemetry.span("unit", PARENT):
        assert telemetry.current_traceparent() == PARENT
    assert telemetry.current_traceparent() == ""


def test_a_broken_traceparent_starts_no_trace() -> None:
    with telemetry.span("unit", "00-zz"):
        assert telemetry.current_traceparent() == ""


def test_a_recorded_span_is_a_child_and_links_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider()
    monkeypatch.setattr("opentelemetry.trace.get_tracer", lambda name: provider.get_tracer(name))
    with telemetry.span("unit", PARENT, links=[PARENT, "noise"], position=7) as current:
        sent = telemetry.current_traceparent()
        assert sent.split("-")[1] == PARENT.split("-")[1]
        assert sent != PARENT
    assert len(current.links) == 1  # type: ignore[attr-defined]
    assert current.attributes == {"position": 7}  # type: ignore[attr-defined]
    provider.shutdown()


def test_a_failed_span_names_the_error_and_not_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider()
    monkeypatch.setattr("opentelemetry.trace.get_tracer", lambda name: provider.get_tracer(name))
    with pytest.raises(ValueError, match="ann"), telemetry.span("unit") as current:
        raise ValueError("ann@example.test")
    assert current.status.description == "ValueError"  # type: ignore[attr-defined]
    assert len(current.events) == 0  # type: ignore[attr-defined]
    provider.shutdown()


def test_a_batch_of_many_traces_is_not_looked_at_while_nothing_is_recorded() -> None:
    def looked_at() -> Iterator[str]:
        raise AssertionError
        yield

    with telemetry.batch_span("unit", looked_at()):
        assert telemetry.current_traceparent() == ""


def test_no_endpoint_no_exporter() -> None:
    telemetry.start_tracing("unit", "")
    with telemetry.span("unit") as current:
        assert not current.is_recording()
