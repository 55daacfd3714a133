"""Charts: what is drawn and what the table says are the same numbers; bars begin at zero; what is not measured is a gap."""

import json

from hypothesis import given
from hypothesis import strategies as st

from console.look.charts import Chart, Series, bars, funnel, lines

NUMBERS = st.lists(st.one_of(st.none(), st.floats(0, 1e12)), min_size=1, max_size=30)


def drawn(chart: Chart, at: int = 0) -> list[float | None]:
    values: list[float | None] = chart.option["series"][at]["data"]
    return values


@given(NUMBERS)
def test_the_table_says_what_is_drawn(values: list[float | None]) -> None:
    places = [f"p{at}" for at in range(len(values))]
    for make in (lines, bars):
        chart = make("t", "axis", places, [Series("a", values)], "reads", repr)
        told = [None if row[1] == "–" else float(row[1]) for row in chart.table.rows]
        assert told == drawn(chart) == values
        assert json.loads(chart.json()) == json.loads(json.dumps(chart.option))


def test_number_axes_begin_at_zero_and_name_their_unit() -> None:
    for axis in (
        lines("t", "x", ["a"], [Series("s", [5])], "reads").option["yAxis"],
        bars("t", "x", ["a"], [Series("s", [5])], "reads").option["xAxis"],
    ):
        assert (axis["min"], axis["name"]) == (0, "reads")


def test_a_funnel_says_which_part_each_step_keeps() -> None:
    made = funnel("t", "step", "people", [("seen", 200), ("clicked", 50), ("bought", 5)])
    assert made.table.rows == [["seen", "200", "–"], ["clicked", "50", "25.0%"], ["bought", "5", "10.0%"]]


def test_a_funnel_from_nothing_has_no_part() -> None:
    assert funnel("t", "step", "people", [("seen", 0), ("clicked", 0)]).table.rows[1][2] == "–"
