"""A log line is JSON, carries ids, and never what a person typed."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.core.faults import Refused
from kernel.runtime import telemetry
from kernel.runtime.logs import JsonFormatter, OutageFilter, start_logging

MARKER = "ann@example.test"
log = logging.getLogger("kernel.eventlog.writer")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    start_logging("unit", stream=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)


def line(stream: io.StringIO) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(stream.getvalue())
    return loaded


def test_a_line_names_service_time_and_listed_fields_only(stream: io.StringIO) -> None:
    log.info("appended", extra={"event_id": "campaign-1@2", "email": MARKER})
    written = line(stream)
    assert (written["service"], written["level"], written["message"]) == ("unit", "info", "appended")
    assert written["event_id"] == "campaign-1@2"
    assert written["at"].endswith("+00:00")
    assert MARKER not in stream.getvalue()


def test_an_exceptions_message_stays_out_and_its_frames_come_in(stream: io.StringIO) -> None:
    def fails() -> None:
        raise ValueError(MARKER)

    try:
        try:
            fails()
        except ValueError as cause:
            raise Refused("campaign.not_a_draft", who=MARKER) from cause
    except Refused:
        log.exception("command failed")
    refused, value = line(stream)["error"]
    assert (refused["type"], refused["code"]) == ("kernel.core.faults.Refused", "campaign.not_a_draft")
    assert (value["type"], value["frames"][-1].split()[-1]) == ("builtins.ValueError", "fails")
    assert MARKER not in stream.getvalue()


def test_a_group_shows_its_first_member() -> None:
    group = ExceptionGroup("many", [Refused("a.b")])
    record = logging.LogRecord("unit", logging.ERROR, "", 1, "failed", (), (type(group), group, None))
    assert [error.get("code") for error in json.loads(JsonFormatter("unit").format(record))["error"]] == [None, "a.b"]


def test_a_line_carries_the_trace(stream: io.StringIO) -> None:
    with telemetry.span("unit", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        log.warning("slow")
    assert line(stream)["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_libraries_are_quiet_below_warning(stream: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET /creators?q=%s", MARKER)
    assert stream.getvalue() == ""


def test_an_outage_of_the_broker_is_a_line_and_then_one_after_ever_longer_pauses() -> None:
    now = 0.0
    outage, at = OutageFilter(lambda: now), list[float]()

    def told(name: str) -> logging.LogRecord:
        return logging.LogRecord(name, logging.ERROR, "", 1, "Unable connect to node %s", (1,), None)

    while now < 400:
        for name in ("aiokafka", "aiokafka.consumer.fetcher"):
            record = told(name)
            if outage.filter(record):
                at.append(now)
        now += 0.25
    assert at[:8] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert len(at) == 12
    now += 60
    record = told("aiokafka")
    assert outage.filter(record)
    assert "more such lines since the last one)" in record.getMessage()
    now += 121
    record = told("aiokafka")
    assert outage.filter(record)
    assert record.getMessage() == "Unable connect to node 1"
    assert all(outage.filter(told("kernel.streams.relay")) for _ in range(3))


def test_the_process_logs_through_it(stream: io.StringIO) -> None:
    for _ in range(5):
        logging.getLogger("aiokafka.consumer.fetcher").error("Failed fetch messages")
    assert stream.getvalue().count("Failed fetch messages") == 1
