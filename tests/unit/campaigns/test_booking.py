"""Who may be booked: nobody unknown, forgotten, suspended, closed or with as many jobs as it takes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.campaigns.domain.application.commands import (
    AcceptApplication,
    CounterOffer,
    DeclineApplication,
    ReleaseApplication,
    RenewOffer,
)
from services.campaigns.domain.shared.contract import application_id
from services.campaigns.domain.shared.creators import Jobs
from services.campaigns.domain.shared.events import OfferRenewed
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    BRAND,
    BRIEF,
    CAMPAIGN_ID,
    CREATOR,
    CREATOR_ID,
    NOON,
    PARTIES,
    SYSTEM,
    bookable,
)
from tests.kit.decide import World
from tests.unit.campaigns.test_application import APPLIED, APPLY, DECLINED, DUE, INVITE, INVITED, MORE, rows, run
from tests.unit.campaigns.working import STREAM, contracted, in_force

OTHER_CAMPAIGN = "01890a5d-ac96-774b-bcce-b302099a8058"
JOBS_FULL = {("jobs", (CREATOR_ID,)): Jobs(CREATOR_ID, 3)}


@pytest.mark.parametrize(
    ("creator", "code"),
    [
        pytest.param({("creators", (CREATOR_ID,)): None}, "creator.unknown", id="unknown"),
        pytest.param(bookable(forgotten=True), "creator.unknown", id="forgotten"),
        pytest.param(bookable(suspended=True), "creator.suspended", id="suspended"),
        pytest.param(bookable(suspended=True, suspended_until=DUE), "creator.suspended", id="suspended_until_later"),
        pytest.param(bookable(offers_held=True), "creator.offers_held", id="figures_of_fraud"),
        pytest.param(bookable(barred=True), "creator.barred", id="without_its_guardians_consent"),
        pytest.param(bookable(open=False), "creator.closed", id="closed"),
        pytest.param(bookable(max_parallel_jobs=3) | JOBS_FULL, "creator.fully_booked", id="over_booked"),
    ],
)
@pytest.mark.parametrize(
    ("given", "who", "when"),
    [
        pytest.param([], BRAND, INVITE, id="invite"),
        pytest.param([], CREATOR, APPLY, id="apply"),
        pytest.param([INVITED], CREATOR, CounterOffer(MORE), id="counter"),
        pytest.param([APPLIED], BRAND, CounterOffer(MORE), id="counter_of_the_brand"),
        pytest.param([INVITED], CREATOR, AcceptApplication(1), id="accept"),
        pytest.param([APPLIED], BRAND, AcceptApplication(1), id="accept_of_the_brand"),
    ],
)
def test_nobody_is_booked_who_takes_no_jobs(
    given: Sequence[Any], who: Actor, when: Any, creator: dict[Any, Any], code: str
) -> None:
    run(given, who, when, code, rows() | creator)


@pytest.mark.parametrize(
    "creator",
    [
        pytest.param(bookable(suspended=True, suspended_until=NOON), id="the_suspension_is_over"),
        pytest.param(bookable(max_parallel_jobs=4) | JOBS_FULL, id="one_job_is_free"),
        pytest.param(JOBS_FULL, id="no_limit_was_said"),
    ],
)
def test_who_takes_jobs_is_booked(creator: dict[Any, Any]) -> None:
    run([], BRAND, INVITE, [INVITED], rows() | creator)


@pytest.mark.parametrize("when", [DeclineApplication("busy"), RenewOffer(1)])
def test_who_takes_no_jobs_may_still_answer(when: Any) -> None:
    then = [DECLINED] if isinstance(when, DeclineApplication) else [OfferRenewed(PARTIES, 1)]
    run([INVITED], CREATOR, when, then, rows() | bookable(open=False))


def test_an_acceptance_is_a_job_until_it_ends() -> None:
    world = World(SERVICE, NOON, rows() | bookable(max_parallel_jobs=1))
    stream = f"application-{APPLICATION_ID}"
    world.execute(stream, INVITE, BRAND)
    world.execute(stream, AcceptApplication(1), CREATOR)
    assert world.row("jobs", CREATOR_ID) == Jobs(CREATOR_ID, 1)
    other = application_id(OTHER_CAMPAIGN, CREATOR_ID)
    for table in ("budgets", "briefs"):
        world.put(table, (OTHER_CAMPAIGN,), replace(world.row(table, CAMPAIGN_ID), campaign_id=OTHER_CAMPAIGN))
    again = replace(INVITE, campaign_id=OTHER_CAMPAIGN)
    assert world.tried(f"application-{other}", again, BRAND) == "creator.fully_booked"
    world.execute(stream, ReleaseApplication("no_contract"), SYSTEM)
    assert world.row("jobs", CREATOR_ID) == Jobs(CREATOR_ID, 0)
    assert world.tried(f"application-{other}", again, BRAND) == ""


@pytest.mark.parametrize(
    ("creator", "then"),
    [
        pytest.param({("creators", (CREATOR_ID,)): None}, "creator.unknown", id="unknown"),
        pytest.param(bookable(suspended=True), "creator.suspended", id="suspended"),
        pytest.param(bookable(open=False), "", id="who_closes_after_the_acceptance_keeps_it"),
    ],
)
def test_no_contract_with_a_creator_who_may_not_work(creator: dict[Any, Any], then: str) -> None:
    world = World(SERVICE, NOON, in_force(BRIEF, 1) | creator)
    actor, command = contracted()
    assert world.tried(STREAM, command, actor) == then
