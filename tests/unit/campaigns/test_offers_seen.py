"""An answer names the offer that was read: nobody accepts or counters another one."""

from collections.abc import Sequence
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.campaigns.domain.application.commands import AcceptApplication, CounterOffer
from tests.kit.campaigns import CREATOR
from tests.unit.campaigns.test_application import (
    ACCEPTED,
    BY_BRAND,
    BY_CREATOR,
    FEES,
    INVITED,
    MORE,
    run,
)

CHANGED = "application.offer_changed"


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([INVITED], CREATOR, AcceptApplication(1, 1), [ACCEPTED], id="accepts_the_offer_it_read"),
        pytest.param([INVITED, ACCEPTED], CREATOR, AcceptApplication(1, 1), [], id="accepts_it_once"),
        pytest.param([INVITED, BY_BRAND], CREATOR, AcceptApplication(1, 1), CHANGED, id="accepts_no_other"),
        pytest.param([INVITED, BY_CREATOR], CREATOR, AcceptApplication(1, 1), CHANGED, id="says_it_changed"),
        pytest.param([INVITED, BY_BRAND], CREATOR, CounterOffer(FEES, 1), CHANGED, id="counters_no_other"),
        pytest.param([INVITED, BY_CREATOR], CREATOR, CounterOffer(MORE, 1), [], id="makes_one_offer_once"),
    ],
)
def test_answers_are_of_the_offer_that_was_read(
    given: Sequence[Any], who: Actor, when: Any, then: Sequence[Any] | str
) -> None:
    run(given, who, when, then)
