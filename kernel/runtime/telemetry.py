"""Metrics (Prometheus) and traces (OpenTelemetry). A metric's name is a Literal, so that mypy refuses an unknown one."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge, PlatformCollector, ProcessCollector
from prometheus_client import generate_latest as _generate

from kernel.runtime.histogram import Histogram, Series

CounterName = Literal[
    "http_requests_total",
    "rpc_requests_total",
    "commands_total",
    "events_appended_total",
    "messages_relayed_total",
    "relay_restarts_total",
    "records_projected_total",
    "records_repeated_total",
    "writer_behind_total",
    "effects_total",
    "webhooks_total",
    "tokens_refused_total",
    "connections_ended_total",
    "tls_reloads_refused_total",
    "engagement_of_unknown_contents_total",
    "grid_passes_total",
    "refund_looks_total",
    "requests_not_kept_total",
]
GaugeName = Literal[
    "streams_open",
    "sqlite_wal_bytes",
    "projection_delay_seconds",
    "projection_lag_events",
    "relay_lag_events",
    "relay_lag_seconds",
    "relay_stopped",
    "reader_stopped",
    "parked_keys",
    "guard_holes",
    "effects_pending",
    "deadlines_due",
    "writer_queue",
    "event_loop_lag_seconds",
    "stuck_seconds",
    "invariant_violations",
    "platform_silent",
    "clearing_overdrawn_minor",
    "discrepancies_open",
]
HistogramName = Literal[
    "http_request_seconds",
    "rpc_request_seconds",
    "command_seconds",
    "append_seconds",
    "writer_batch_size",
    "project_seconds",
    "effect_seconds",
]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

COUNTERS: Mapping[CounterName, tuple[str, tuple[str, ...]]] = {
    "http_requests_total": ("HTTP requests answered", ("route", "method", "status")),
    "rpc_requests_total": ("gRPC requests answered", ("method", "status")),
    "commands_total": ("Commands by outcome: appended, repeated, nothing, or the fault's kind", ("command", "outcome")),
    "events_appended_total": ("Events appended to the log", ("event",)),
    "messages_relayed_total": ("Messages the broker has acknowledged", ("topic",)),
    "relay_restarts_total": ("Restarts of the relay at its checkpoint, with a new producer", ()),
    "records_projected_total": ("Records applied by a consumer", ("projection", "source")),
    "records_repeated_total": ("Records that the position guard skipped as repeats", ("projection", "source")),
    "writer_behind_total": ("Batches decided again because another replica appended first", ()),
    "effects_total": ("Calls of effects to systems outside, by outcome", ("effect", "outcome")),
    "tokens_refused_total": ("Requests and calls whose token was refused, by the refusal's code", ("code",)),
    "connections_ended_total": ("HTTP connections that the server ended, by the limit they passed", ("limit",)),
    "tls_reloads_refused_total": ("Changed certificate files of the edges that could not be read or did not fit", ()),
    "engagement_of_unknown_contents_total": ("Contents in batches of engagement that no contract names", ()),
    "grid_passes_total": ("Passes that measured creators' performance grids", ("outcome",)),
    "refund_looks_total": ("Looks for waves of refunds", ("outcome",)),
    "requests_not_kept_total": ("Requests that were answered and, past a limit of the day, not stored", ()),
    "webhooks_total": (
        "Signed webhooks by outcome: taken, ignored (type not known) or kept for a person",
        ("outcome",),
    ),
}
GAUGES: Mapping[GaugeName, tuple[str, tuple[str, ...]]] = {
    "streams_open": ("gRPC streams that are open", ()),
    "sqlite_wal_bytes": ("Size of the SQLite database's write-ahead log", ()),
    "projection_delay_seconds": ("Age of the newest event applied, at the time when it was applied", ("projection",)),
    "projection_lag_events": (
        "Events between a consumer and the end of its source",
        ("projection", "source", "partition"),
    ),
    "relay_lag_events": ("Log positions not yet relayed", ()),
    "relay_lag_seconds": ("Age of the oldest event not yet relayed", ()),
    "relay_stopped": ("1 while the relay is stopped by a message that can never be sent", ()),
    "reader_stopped": ("1 while a consumer is stopped and waits for an operator", ("projection",)),
    "parked_keys": ("Keys with parked records", ("projection",)),
    "guard_holes": ("Partitions with a hole: an event is missing before a record", ("projection",)),
    "effects_pending": ("Intents of effects whose call has no answer yet", ("effect",)),
    "deadlines_due": ("Deadlines past due and not executed", ("process",)),
    "writer_queue": ("Commands queued for the writer", ()),
    "event_loop_lag_seconds": ("Lateness of the event loop's last wake-up", ()),
    "stuck_seconds": ("Seconds for which a loop with work to do has made no progress", ("name",)),
    "clearing_overdrawn_minor": ("Minor units by which the provider's account lies below its bound", ("currency",)),
    "discrepancies_open": ("Entries of the ledger's work list that nobody has resolved", ("origin",)),
    "invariant_violations": ("Violations that the last check of an invariant found", ("invariant",)),
    "platform_silent": ("Agreements that wait for the platform's own answer past its time", ("awaits",)),
}
HISTOGRAMS: Mapping[HistogramName, tuple[str, tuple[str, ...], Sequence[float]]] = {
    "http_request_seconds": ("Duration of HTTP requests", ("route", "method"), _SECONDS),
    "rpc_request_seconds": ("Duration of gRPC requests", ("method",), _SECONDS),
    "command_seconds": ("Duration of a command from queue to receipt", ("command",), _SECONDS),
    "append_seconds": ("Duration of appends to the log", (), _SECONDS),
    "writer_batch_size": ("Commands in a batch of the writer", (), _SIZES),
    "project_seconds": ("Duration of applying a batch of records", ("projection",), _SECONDS),
    "effect_seconds": ("Duration of an effect's call to a system outside", ("effect",), _SECONDS),
}

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
_counters = {name: Counter(name, text, labels, registry=REGISTRY) for name, (text, labels) in COUNTERS.items()}
_gauges = {name: Gauge(name, text, labels, registry=REGISTRY) for name, (text, labels) in GAUGES.items()}
_histograms = {
    name: Histogram(name, text, labels, buckets, REGISTRY) for name, (text, labels, buckets) in HISTOGRAMS.items()
}

_children: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {}
_series: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = {}
"""Caches of metrics by name and labels, because a look-up in the library costs more than counting. Labels are few: never ids."""


def _child(metrics: Mapping[Any, Any], name: str, labels: Mapping[str, str]) -> Any:
    if not labels:
        return metrics[name]
    key = (name, tuple(labels.items()))
    found = _children.get(key)
    if found is None:
        found = _children[key] = metrics[name].labels(**labels)
    return found


def _series_of(name: HistogramName, labels: Mapping[str, str]) -> Series:
    key = (name, tuple(labels.items()))
    found = _series.get(key)
    if found is None:
        found = _series[key] = _histograms[name].labels(**labels)
    return found


def count(name: CounterName, amount: float = 1, /, **labels: str) -> None:
    """Adds to a counter. Its labels are the ones in COUNTERS, and never ids, because each value makes a series."""
    _child(_counters, name, labels).inc(amount)


def gauge(name: GaugeName, value: float, /, **labels: str) -> None:
    """Sets a gauge, in the unit its name ends with."""
    _child(_gauges, name, labels).set(value)


def forget(name: GaugeName, /, **labels: str) -> None:
    """Removes a gauge with these labels, if it was set: the thing it measured no longer exists."""
    if _children.pop((name, tuple(labels.items())), None) is not None:
        _gauges[name].remove(*[labels[label] for label in GAUGES[name][1]])


def observe(name: HistogramName, value: float, /, **labels: str) -> None:
    """Adds one observation to a histogram: seconds, or a size."""
    _series_of(name, labels).observe((value,))


def observe_each(name: HistogramName, values: Sequence[float], /, **labels: str) -> None:
    """Adds many observations at the cost of one: the writer observes every command of a batch."""
    _series_of(name, labels).observe(values)


@contextmanager
def timed(name: HistogramName, /, **labels: str) -> Iterator[None]:
    """Observes the seconds that the block takes, also when it raises."""
    started = time.perf_counter()
    try:
        yield
    finally:
        observe(name, time.perf_counter() - started, **labels)


def exposition() -> bytes:
    """All metrics in the Prometheus text format."""
    return _generate(REGISTRY)


LINKS_LIMIT = 32
"""Links of a batch's span to the traces that led to it: tracing backends keep only some dozens."""
_propagator = TraceContextTextMapPropagator()
_is_recording = False


@contextmanager
def span(
    name: str,
    traceparent: str = "",
    *,
    links: Sequence[str] = (),
    kind: SpanKind = SpanKind.INTERNAL,
    **attributes: str | int,
) -> Iterator[Span]:
    """Span under `traceparent` (W3C Trace Context; "" for the current span), with `links` to other spans for batches.

    Without `start_tracing` no span is recorded, and the caller's traceparent is still passed on to what the block sends.
    """
    parent = _propagator.extract({"traceparent": traceparent}) if traceparent else None
    started = trace.get_tracer("dandelion").start_as_current_span(
        name,
        parent,
        kind,
        attributes,
        [Link(context) for context in map(_context_of, links) if context.is_valid],
        record_exception=False,  # an exception's message may quote personal data
        set_status_on_exception=False,
    )
    with started as current:
        try:
            yield current
        except Exception as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


@contextmanager
def batch_span(name: str, traceparents: Iterable[str]) -> Iterator[None]:
    """Span of a batch, with links to the first LINKS_LIMIT different traces that led to it; no span without any trace.

    While tracing is off, `traceparents` is not even iterated.
    """
    links = list(islice(_different(traceparents), LINKS_LIMIT)) if _is_recording else []
    if not links:
        yield
        return
    with span(name, links=links):
        yield


def _different(traceparents: Iterable[str]) -> Iterator[str]:
    seen = {""}
    for one in traceparents:
        if one not in seen:
            seen.add(one)
            yield one


def _context_of(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_propagator.extract({"traceparent": traceparent})).get_span_context()


def current_traceparent() -> str:
    """Traceparent to send along with a message; "" outside of any trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent", "")


def start_tracing(service: str, endpoint: str) -> None:
    """Starts tracing: records spans and exports them to the OTLP/HTTP `endpoint` (.../v1/traces). With "" tracing stays off."""
    global _is_recording
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=5)))
    trace.set_tracer_provider(provider)
    _is_recording = True
