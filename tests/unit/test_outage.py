"""While a broker is away the subscriber's log has one line, then one after ever longer pauses, with how many were left out."""

import logging
from itertools import pairwise

import pytest
from dandelion_contracts import outage
from dandelion_contracts.kafka import KafkaSource
from dandelion_contracts.outage import LOGGERS, Sparing


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def line(text: str = "Unable connect to node %s", level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(LOGGERS[0], level, __file__, 1, text, (1,), None)


def test_an_hour_of_outage_is_a_few_lines_with_how_many_were_left_out() -> None:
    clock = Clock()
    sparing, said = Sparing(clock), list[str]()
    for _ in range(36_000):
        record = line()
        if sparing.filter(record):
            said.append(record.getMessage())
        clock.now += 0.1
    assert said[0] == "Unable connect to node 1"
    assert said[1] == "Unable connect to node 1 (9 more such lines since the last one)"
    assert len(said) < 70


def test_pauses_double_up_to_a_minute() -> None:
    clock = Clock()
    sparing, at = Sparing(clock), list[float]()
    while clock.now < 1_400.0:
        if sparing.filter(line()):
            at.append(clock.now)
        clock.now += 0.25
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


def test_the_next_outage_begins_with_a_line_at_once() -> None:
    clock = Clock()
    sparing = Sparing(clock)
    assert [sparing.filter(line()) for _ in range(3)] == [True, False, False]
    clock.now += 121.0
    record = line()
    assert sparing.filter(record)
    assert record.getMessage() == "Unable connect to node 1"


def test_what_is_no_warning_is_left_alone() -> None:
    sparing = Sparing(Clock())
    assert all(sparing.filter(line(level=logging.INFO)) for _ in range(10))


def test_the_source_of_kafka_puts_it_on_every_logger_that_reports_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Sparing(Clock())
    monkeypatch.setattr(outage, "SPARING", mine)
    KafkaSource("127.0.0.1:1")
    KafkaSource("127.0.0.1:1")
    assert [logging.getLogger(name).filters.count(mine) for name in LOGGERS] == [1] * len(LOGGERS)
    for name in LOGGERS:
        logging.getLogger(name).removeFilter(mine)
