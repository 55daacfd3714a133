"""Live windows and bursts."""

from random import Random

import pytest
from hypothesis import given

from kernel.core.ids import derived_id
from services.metrics.domain.anomaly import window
from services.metrics.domain.anomaly.anomaly import AnomalyKind
from services.metrics.domain.anomaly.refunds import Hour, wave
from services.metrics.domain.anomaly.window import Finding, Key, Rule, Windows, counted, findings, live
from services.metrics.domain.engagement import Kind, Metric
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


def found(counts: dict[int, int], metric: Metric = Metric.LIKES, rule: Rule = RULE) -> list[Finding]:
    """What the last of these minutes shows."""
    windows = Windows(rule)
    windows.counts = {(A, metric, START_MS + minute * 60_000): n for minute, n in counts.items()}
    last = (A, int(metric), START_MS + max(counts) * 60_000)
    return findings(windows, [last, last])


@pytest.mark.parametrize(
    ("counts", "observed"),
    [
        pytest.param({0: 4, 1: 4, 2: 4, 3: 4, 4: 13}, (13, 12), id="above"),
        pytest.param({0: 4, 1: 4, 2: 4, 3: 4, 4: 12}, None, id="at_the_limit"),
        pytest.param({0: 1, 4: 9}, None, id="too_few_to_tell"),
        pytest.param({4: 5000}, None, id="no_past"),
    ],
)
def test_a_burst_is_far_above_its_past(counts: dict[int, int], observed: tuple[int, int] | None) -> None:
    expected = [Finding(AnomalyKind.BURST, A, Metric.LIKES, key(4)[2], 60, *observed)] if observed else []
    assert found(counts) == expected


def test_followers_jump_at_fewer() -> None:
    counts = dict.fromkeys(range(29), 1) | {29: 250}
    (jump,) = found(counts, Metric.FOLLOWS, Rule())
    assert (jump.kind, jump.formula, jump.observed, jump.expected_max) == (
        AnomalyKind.FOLLOWER_JUMP, "follower_jump@1", 250, 10,
    )  # fmt: skip
    assert found(counts, Metric.LIKES, Rule()) == []


def delivered(draw: Random) -> int:
    """What a machine delivers that was told a hundred a minute."""
    return 100 + draw.randint(-2, 2)


def come(draw: Random) -> int:
    """What comes by chance, a hundred a minute in the mean."""
    return sum(draw.random() < 0.01 for _ in range(10_000))


def test_what_is_delivered_steadily_is_a_plateau_and_what_comes_by_chance_is_none() -> None:
    draw = Random(11)
    (plateau,) = found({minute: delivered(draw) for minute in range(30)}, rule=Rule())
    assert (plateau.kind, plateau.window_s, plateau.window_start_ms % 3_600_000) == (AnomalyKind.PLATEAU, 3_600, 0)
    assert plateau.observed > plateau.expected_max > 5_000
    assert [found({minute: come(draw) for minute in range(30)}, rule=Rule()) for _ in range(20)] == [[]] * 20
    assert found({minute: delivered(draw) for minute in range(30)}, Metric.EXPOSURES, Rule()) == []
    assert found(dict.fromkeys(range(30), 9), rule=Rule()) == []


def test_actions_of_one_second_are_coordinated_and_those_of_a_minute_are_not() -> None:
    def seen(*seconds: float) -> list[AnomalyKind]:
        windows = Windows()
        changed = windows.add(("e", batch(*(row(1, second) for second in seconds))))
        return [one.kind for one in findings(windows, changed)]

    spread = [at * 60 / 300 for at in range(300)]
    assert seen(*spread) == []
    assert seen(*spread, *[30.0 + at / 1_000 for at in range(200)]) == [AnomalyKind.COORDINATED]
    assert seen(*[30.0] * 150) == []
    assert seen(*[0.0] * 900) == [], "a time of whole minutes says no second"


def test_an_hour_that_was_reported_as_one_number_has_no_second() -> None:
    windows = Windows()
    changed = windows.add(("e", batch(row(5_000, 30.0))))
    assert findings(windows, changed) == []


@pytest.mark.parametrize(
    ("past", "refunds", "expected"),
    [
        pytest.param({}, 20, None, id="within_the_share_of_its_orders"),
        pytest.param({}, 40, 33, id="more_than_a_third_of_its_orders"),
        pytest.param(dict.fromkeys(range(1, 31), 10), 49, None, id="as_usual"),
        pytest.param(dict.fromkeys(range(1, 31), 10), 120, 51, id="far_above_its_past"),
    ],
)
def test_a_wave_of_refunds(past: dict[int, int], refunds: int, expected: int | None) -> None:
    """Of 110 orders."""
    now = 500_000
    hours = [Hour(now - 24 * day - 1, count, 0) for day, count in sorted(past.items(), reverse=True)]
    hours += [Hour(now - 2, 0, 110), Hour(now - 1, refunds, 0)]
    seen = wave(hours, now)
    assert (seen.expected_max if seen else None) == expected
