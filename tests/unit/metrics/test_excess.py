"""Excess that staff release: never more than is set aside; said anew it replaces; a counter that fell has less."""

from dataclasses import replace

import pytest

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.faults import Fault
from services.metrics.domain.engagement import Metric, Provenance, Traffic
from services.metrics.domain.excess import EXCESS, ExcessReleased, ReleaseExcess, State
from services.metrics.domain.payable import HOUR_MS, Counter, payable_of
from tests.unit.metrics.given import BRAND, NOON

OPERATOR = Actor("olga", "platform", frozenset({"operator"}))
RELEASE = ReleaseExcess("content", "campaign", "brand", "creator", Metric.LIKES, 400, 500, "went_viral")
RELEASED = ExcessReleased("content", "campaign", "brand", "creator", Metric.LIKES, 400, "went_viral", "olga")


def context(actor: Actor) -> Context:
    return Context(NOON, actor, GivenRows({}), "excess-content", "platform")


def test_a_release_is_once_and_replaces_the_one_before() -> None:
    assert EXCESS.decide(RELEASE, State(), context(OPERATOR)) == [RELEASED]
    state = EXCESS.evolve(State(), RELEASED)
    assert EXCESS.decide(RELEASE, state, context(OPERATOR)) == []
    (less,) = EXCESS.decide(replace(RELEASE, count=0), state, context(OPERATOR))
    assert EXCESS.evolve(state, less).counts == {Metric.LIKES: 0}


@pytest.mark.parametrize(
    ("command", "actor", "code"),
    [
        (RELEASE, BRAND, "actor.role_missing"),
        (replace(RELEASE, count=501), OPERATOR, "excess.more_than_set_aside"),
        (replace(RELEASE, count=-1), OPERATOR, "excess.count_negative"),
    ],
)
def test_what_is_refused(command: ReleaseExcess, actor: Actor, code: str) -> None:
    with pytest.raises(Fault) as refused:
        EXCESS.decide(command, State(), context(actor))
    assert refused.value.code == code


@pytest.mark.parametrize("released", [0, 6_000, 10**9])
def test_what_is_released_is_payable_and_at_most_what_is_set_aside(released: int) -> None:
    readings = ((HOUR_MS, 100), (2 * HOUR_MS, 200), (3 * HOUR_MS, 300), (4 * HOUR_MS, 20_000))
    counter = Counter(Metric.LIKES, Traffic.ORGANIC, Provenance.PLATFORM, 20_000, readings)
    (before,), (now,) = payable_of([counter], 0), payable_of([counter], 0, {Metric.LIKES: released})
    (aside,) = before.set_aside
    assert now.released == min(released, aside.count)
    assert now.payable == before.payable + now.released
    assert now.payable + sum(each.count for each in now.set_aside) == 20_000
