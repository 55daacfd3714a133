"""Which case a word on a chargeback means, and which try of a charge a failure is of."""

from datetime import UTC, datetime

import pytest

from services.ledger.domain.reversals import UNNAMED, RestoreDeposit, is_of_another_try, opened_case, reversal_of

DEPOSIT = "018f3a10-0000-7000-8000-00000000d001"
FIRST, SECOND, THIRD = (f"{UNNAMED}@2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3))
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def meant(case: str, *opened: str, won: tuple[str, ...] = ()) -> str:
    cases = {reversal_of(DEPOSIT, one): 200 for one in opened}
    booked = {f"{reversal_of(DEPOSIT, one)}:won" for one in won}
    return opened_case(RestoreDeposit(DEPOSIT, case, "CNY", 200), cases, booked)


@pytest.mark.parametrize(
    ("case", "opened", "won", "means"),
    [
        pytest.param("cb_1", ("cb_1", "cb_2"), (), "cb_1", id="it_names_the_case"),
        pytest.param("cb_3", ("cb_1", "cb_2"), (), "", id="it_names_another"),
        pytest.param("cb_3", (FIRST,), (), "", id="a_name_is_no_case_without_one"),
        pytest.param(SECOND, (FIRST,), (), FIRST, id="the_one_that_was_opened_before"),
        pytest.param(SECOND, (THIRD,), (), "", id="none_that_was_opened_afterwards"),
        pytest.param(SECOND, (FIRST, THIRD), (), FIRST, id="the_one_before_of_two"),
        pytest.param(THIRD, (FIRST, SECOND), (), "", id="which_of_two_nobody_knows"),
        pytest.param(THIRD, (FIRST, SECOND), (FIRST,), SECOND, id="the_one_that_is_still_open"),
        pytest.param(THIRD, (FIRST,), (FIRST,), "", id="none_is_open"),
        pytest.param(UNNAMED, (THIRD,), (), THIRD, id="a_word_without_a_time_means_the_one_there_is"),
        pytest.param(THIRD, (FIRST, "cb_1"), (), FIRST, id="those_with_a_name_are_told_by_it"),
    ],
)
def test_the_case_that_is_won(case: str, opened: tuple[str, ...], won: tuple[str, ...], means: str) -> None:
    assert meant(case, *opened, won=won) == means


@pytest.mark.parametrize(
    ("failed", "arrived", "another"),
    [
        pytest.param(("ch_1", EARLY), ("ch_2", LATE), True, id="told_before_the_arrival"),
        pytest.param(("ch_1", LATE), ("ch_2", EARLY), False, id="told_after_it"),
        pytest.param(("ch_1", LATE), ("ch_2", LATE), False, id="told_at_the_same_moment_it_came_back"),
        pytest.param(("ch_1", None), ("ch_2", LATE), True, id="without_a_time_under_another_name"),
        pytest.param(("ch_1", None), ("ch_1", LATE), False, id="without_a_time_under_the_same_name"),
        pytest.param(("", None), ("ch_1", LATE), False, id="with_neither"),
    ],
)
def test_the_try_that_a_failure_is_of(
    failed: tuple[str, datetime | None], arrived: tuple[str, datetime | None], another: bool
) -> None:
    assert is_of_another_try(failed, arrived) is another
