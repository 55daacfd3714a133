"""One factor for every deadline: measured, never below 1, and what CI has no time for is left out."""

import pytest

from tools import speed


def test_a_deadline_is_as_many_times_longer_as_the_machine_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(speed.VARIABLE, "3.5")
    assert speed.patience(20) == 70


def test_where_nobody_measured_a_deadline_is_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(speed.VARIABLE)
    assert speed.patience(20) == 20


@pytest.mark.parametrize(
    ("rounds", "factor"), [((0.1, 0.1, 0.1), 1.0), ((0.75, 9.0, 0.5), 3.0), ((90.0, 90.0, 90.0), speed.MOST)]
)
def test_the_factor_is_the_median_round_within_its_bounds(
    rounds: tuple[float, ...], factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = list(rounds)
    monkeypatch.setattr(speed, "_round_s", left.pop)
    assert speed.measured() == factor


@pytest.mark.parametrize(("left_s", "code"), [(1_200.0, 1), (1_300.0, 0)])
def test_what_does_not_fit_on_this_machine_is_answered_no(
    left_s: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(speed.VARIABLE, "3")
    monkeypatch.setattr(speed, "measured", lambda: 4.0)
    assert speed.main(["fits", str(left_s), "420"]) == code
    assert "21 minutes needed at 3 times the usual" in capsys.readouterr().out
