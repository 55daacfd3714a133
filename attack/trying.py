"""Hypothesis as a source of tries: a fixed number of them, none kept, none shrunk."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")


def trying(strategy: st.SearchStrategy[T], one: Callable[[T], None], times: int) -> None:
    """Calls `one` with values of the strategy, the same ones in every run."""
    quick = settings(
        max_examples=times, database=None, derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @quick
    @given(strategy)
    def run(value: T) -> None:
        one(value)

    run()
