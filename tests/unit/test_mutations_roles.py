"""Each limit of a drain switched off turns its check red."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kernel.runtime import roles
from tests.kit.until import within
from tests.unit import test_roles

RED_S = 1.0
Switch = Callable[[pytest.MonkeyPatch], None]


def deadlines_off(patch: pytest.MonkeyPatch) -> None:
    """Each role is waited for as long as the whole drain may take."""
    start = roles._start
    patch.setattr(roles, "_start", lambda role, stopping: start(replace(role, deadline_s=3_600), stopping))


def limit_off(patch: pytest.MonkeyPatch) -> None:
    """The roles' own deadlines add up."""
    drain = roles._drain

    async def without_limit(running: Sequence[Any], _until: float) -> None:
        await drain(running, float("inf"))

    patch.setattr(roles, "_drain", without_limit)


def cancelling_off(patch: pytest.MonkeyPatch) -> None:
    """Past its deadline a role is still waited for."""

    async def patient(one: Any, _until: float) -> None:
        one.stop.set()
        await asyncio.wait([one.task])

    patch.setattr(roles, "_stop", patient)


MUTANTS: list[tuple[Switch, Callable[[], Awaitable[None]]]] = [
    (deadlines_off, test_roles.test_a_role_that_does_not_stop_is_cancelled_at_its_deadline_and_the_next_ones_follow),
    (limit_off, test_roles.test_the_whole_drain_has_its_limit_however_many_roles_are_deaf),
    (cancelling_off, test_roles.test_a_role_that_does_not_stop_is_cancelled_at_its_deadline_and_the_next_ones_follow),
]


@pytest.mark.parametrize(("switch", "check"), [pytest.param(*one, id=one[0].__name__) for one in MUTANTS])
async def test_a_mutant_is_caught(
    switch: Switch, check: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(monkeypatch)
    with pytest.raises((AssertionError, TimeoutError)):
        async with within(RED_S):
            await check()
