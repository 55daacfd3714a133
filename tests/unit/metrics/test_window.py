"""Live windows and bursts."""

import pytest
from hypothesis import given

from kernel.core.ids import derived_id
from services.metrics.domain import window
from services.metrics.domain.engagement import Kind, Metric
from services.metrics.domain.window import Burst, Key, Rule, Windows, bursts, counted, live
from tests.unit.metrics.batches import CONTENTS, START_MS, Row, batch, row, rows, snapshot

RULE = Rule(size_s=60, kept=5, least=10, factor=3)
A = CONTENTS[0]


def key(minute: int) -> Key:
    return A, Metric.LIKES, START_MS + minute * 60_000


def test_increments_make_windows_and_snapshots_do_not() -> None:
    windows = Windows(RULE)
    changed = windows.add(("e1", batch(row(3), row(4, 59.999), row(5, 60), snapshot(900))))
    assert changed == [key(0), key(1)]
    assert windows.counts == {key(0): 7, key(1): 5}
    assert live(windows.counts, A) == {Metric.LIKES: 12}
    assert live(windows.counts, CONTENTS[1]) == {}


def test_an_envelope_that_comes_twice_counts_once() -> None:
    windows = Windows(RULE)
    windows.add(("e1", batch(row(3))))
    assert windows.add(("e1", batch(row(3)))) == []
    assert windows.counts == {key(0): 3}


def test_old_windows_leave_and_late_rows_do_not_bring_them_back() -> None:
    windows = Windows(RULE)
    windows.add(("e1", batch(row(3), row(4, 60))))
    windows.add(("e2", batch(row(1, 5 * 60))))
    assert windows.counts == {key(1): 4, key(5): 1}
    assert windows.add(("e3", batch(row(9), row(2, 60)))) == [key(1)]
    assert windows.counts == {key(1): 6, key(5): 1}


def test_only_the_newest_envelopes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "MAX_SEEN", 2)
    windows = Windows(RULE)
    for name in ("e1", "e2", "e3"):
        windows.add((name, batch(row(1))))
    assert list(windows.seen) == ["e2", "e3"]


def test_no_rows_change_nothing() -> None:
    windows = Windows(RULE)
    assert windows.add(("e1", batch())) == []
    assert windows.add(("e2", batch(snapshot(3)))) == []
    assert windows.counts == {}


@given(rows)
def test_windows_are_the_sums_of_increments(found: list[Row]) -> None:
    expected: dict[Key, int] = {}
    for content, metric, kind, _, _, at, value in found:
        if kind == Kind.INCREMENT:
            where = (CONTENTS[content], metric, at // 60_000 * 60_000)
            expected[where] = expected.get(where, 0) + value
    assert counted(batch(*found), 60_000) == expected


@given(rows)
def test_inside_the_windows_kept_order_does_not_matter(found: list[Row]) -> None:
    wide = Rule(size_s=60, kept=7, least=10, factor=3)
    forward, backward = Windows(wide), Windows(wide)
    for n, each in enumerate(found):
        forward.add((derived_id("e", str(n)), batch(each)))
    for n, each in reversed(list(enumerate(found))):
        backward.add((derived_id("e", str(n)), batch(each)))
    assert forward.counts == backward.counts


@pytest.mark.parametrize(
    ("counts", "burst"),
    [
        pytest.param({0: 4, 1: 4, 2: 4, 3: 4, 4: 13}, Burst(A, Metric.LIKES, key(4)[2], 60, 13, 12), id="above"),
        pytest.param({0: 4, 1: 4, 2: 4, 3: 4, 4: 12}, None, id="at_the_limit"),
        pytest.param({0: 1, 4: 9}, None, id="too_few_to_tell"),
        pytest.param({4: 5000}, None, id="no_past"),
    ],
)
def test_a_burst_is_far_above_its_past(counts: dict[int, int], burst: Burst | None) -> None:
    found = bursts({key(minute): n for minute, n in counts.items()}, [key(4), key(4)], RULE)
    assert found == ([] if burst is None else [burst])
