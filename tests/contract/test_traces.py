"""A trace goes on behind the log: relay, read models and processes make one span for each batch, linked to what led to it."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kernel.processors.processes import ProcessRunner
from kernel.runtime import telemetry
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add

pytestmark = [
    pytest.mark.parametrize("bus", ["local"], indirect=True),
    pytest.mark.parametrize("store_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is recorded, in memory."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", lambda name: provider.get_tracer(name))
    monkeypatch.setattr(telemetry, "_is_recording", True)
    yield exporter
    provider.shutdown()


async def send(running: Running, amounts: int) -> set[int]:
    """Commands of as many traces; the ids of these."""
    traces = set()
    for _ in range(amounts):
        with telemetry.span("request") as request:
            traces.add(request.get_span_context().trace_id)
            meta = counter.meta()._replace(traceparent=telemetry.current_traceparent())
            await running.writer.execute(counter.counter(), Add(1, "echo me"), meta)
    return traces


def linked(found: list[ReadableSpan]) -> set[int]:
    return {link.context.trace_id for one in found for link in one.links}


async def test_every_batch_behind_the_log_is_a_span_linked_to_the_requests_that_led_to_it(
    running: Running, spans: InMemorySpanExporter
) -> None:
    traces = await send(running, 5)
    await running.project(counter.OWN_SUMS)
    runner = ProcessRunner(counter.ECHO, running.store, running.writer)
    running.start(running.consumer("echo", runner.handle, True, []).run(running.stop))
    running.start(running.relay().run(running.stop))
    names = [f"relay {running.service}", "consume sums_own_g1", "consume echo"]

    def named(name: str) -> list[ReadableSpan]:
        return [span for span in spans.get_finished_spans() if span.name == name]

    async def all_linked() -> bool:
        return all(linked(named(name)) == traces for name in names)

    await running.until(all_linked)
    assert all(span.parent is None for name in names for span in named(name))


async def test_a_span_links_to_a_bounded_number_of_requests(running: Running, spans: InMemorySpanExporter) -> None:
    traces = await send(running, telemetry.LINKS_LIMIT + 8)
    await running.relay().round()
    (relayed,) = [span for span in spans.get_finished_spans() if span.name.startswith("relay")]
    assert len(relayed.links) == telemetry.LINKS_LIMIT
    assert linked([relayed]) < traces


async def test_what_no_trace_led_to_makes_no_span(running: Running, spans: InMemorySpanExporter) -> None:
    await running.writer.execute(counter.counter(), Add(1), counter.meta())
    await running.relay().round()
    assert not spans.get_finished_spans()
