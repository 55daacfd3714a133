"""What campaigns hears of creators: discovery's words in their order, and an erasure that is never taken back."""

from datetime import timedelta
from typing import Any

import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as discovery

from kernel.core.events import Delivered
from kernel.core.personal import Erased
from services.campaigns.domain.creators import creators
from services.campaigns.domain.creators.causes import (
    AccountRenamed,
    AvailabilityChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    OffersBarred,
    OffersHeld,
    ProfileTold,
)
from services.campaigns.domain.creators.events import CreatorHeard
from services.campaigns.domain.settlement.causes import PaymentReleased
from services.campaigns.domain.shared.creators import Creator
from services.campaigns.subscribe import decode
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import CREATOR_ID, NOON, SYSTEM
from tests.kit.decide import World, check

STREAM = f"creator-{CREATOR_ID}"
LATER = NOON + timedelta(days=30)
KNOWN = CreatorHeard(CREATOR_ID)
CLOSED = CreatorHeard(CREATOR_ID, open=False, max_parallel_jobs=2)
FORGOTTEN = CreatorHeard(CREATOR_ID, forgotten=True)
HELD = CreatorHeard(CREATOR_ID, offers_held=True)
BARRED = CreatorHeard(CREATOR_ID, barred=True)
VIRTUAL = CreatorHeard(CREATOR_ID, virtual_human=True)
SUSPENDED = CreatorHeard(CREATOR_ID, suspended=True, suspended_until=LATER)


def caused(event: Any) -> Delivered[Any]:
    return Delivered("discovery", f"{STREAM}@1", STREAM, 1, 1, "tenant", NOON, event)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param([], CreatorRegistered(CREATOR_ID), [KNOWN], id="registered"),
        pytest.param([KNOWN], AvailabilityChanged(CREATOR_ID, False, 2), [CLOSED], id="closed"),
        pytest.param([CLOSED], AvailabilityChanged(CREATOR_ID, True, 0), [KNOWN], id="open_again"),
        pytest.param([KNOWN], CreatorSuspended(CREATOR_ID, LATER), [SUSPENDED], id="suspended"),
        pytest.param([SUSPENDED], CreatorReinstated(CREATOR_ID), [KNOWN], id="reinstated"),
        pytest.param([KNOWN], OffersHeld(CREATOR_ID, True), [HELD], id="held"),
        pytest.param([HELD], OffersHeld(CREATOR_ID, False), [KNOWN], id="held_no_more"),
        pytest.param([KNOWN], OffersHeld(CREATOR_ID, False), [], id="judged_and_nothing_held"),
        pytest.param([KNOWN], OffersBarred(CREATOR_ID, True), [BARRED], id="barred"),
        pytest.param([BARRED], OffersBarred(CREATOR_ID, False), [KNOWN], id="barred_no_more"),
        pytest.param([KNOWN], ProfileTold(CREATOR_ID, "", True), [VIRTUAL], id="virtual"),
        pytest.param([], CreatorRegistered(CREATOR_ID, virtual_human=True), [VIRTUAL], id="registered_as_virtual"),
        pytest.param([VIRTUAL], ProfileTold(CREATOR_ID, ""), [KNOWN], id="virtual_no_more"),
        pytest.param([KNOWN], CreatorReinstated(CREATOR_ID), [], id="reinstated_for_nothing"),
        pytest.param([KNOWN], Erased(CREATOR_ID), [FORGOTTEN], id="forgotten"),
        pytest.param([FORGOTTEN], CreatorRegistered(CREATOR_ID), [], id="forgotten_for_ever"),
        pytest.param([], Erased(CREATOR_ID), [FORGOTTEN], id="forgotten_before_the_registration_came"),
        pytest.param([FORGOTTEN], Erased(CREATOR_ID), [], id="forgotten_twice"),
    ],
)
def test_what_is_heard_is_known(given: list[Any], when: Any, then: list[Any]) -> None:
    check(SERVICE, given, caused(when), then, at=NOON, actor=SYSTEM, stream=STREAM)


@pytest.mark.parametrize(
    "event",
    [
        CreatorRegistered(CREATOR_ID), AvailabilityChanged(CREATOR_ID, True, 1), CreatorSuspended(CREATOR_ID, None),
        CreatorReinstated(CREATOR_ID), OffersHeld(CREATOR_ID, True), OffersBarred(CREATOR_ID, True),
        ProfileTold(CREATOR_ID, ""), Erased(CREATOR_ID),
    ],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
def test_all_that_is_heard_of_a_creator_has_one_stream(event: Any) -> None:
    assert creators.route(caused(event)) == STREAM


def test_what_concerns_no_creator_is_passed_by() -> None:
    assert creators.route(caused(PaymentReleased("c", "d", "r", 1, "CNY"))) is None


def test_decisions_read_what_was_heard() -> None:
    world = World(SERVICE, NOON)
    world.execute(STREAM, caused(CreatorRegistered(CREATOR_ID)), SYSTEM)
    world.execute(STREAM, caused(CreatorSuspended(CREATOR_ID, None)), SYSTEM)
    assert world.row("creators", CREATOR_ID) == Creator(CREATOR_ID, True, 0, True, None, False)


@pytest.mark.parametrize("kind", [discovery.AuthenticityAssessed, discovery.AuthenticityRuled])
@pytest.mark.parametrize("held", [True, False])
def test_a_judgement_and_a_ruling_say_whether_offers_are_held(kind: Any, held: bool) -> None:
    told = kind(creator_id=CREATOR_ID, holds_offers=held, holds_payouts=not held)
    assert decode(told.DESCRIPTOR.full_name, told.SerializeToString()) == OffersHeld(CREATOR_ID, held)


def test_a_bar_and_a_virtual_human_come_in() -> None:
    bar = discovery.OfferBarChanged(creator_id=CREATOR_ID, barred=True)
    assert decode(bar.DESCRIPTOR.full_name, bar.SerializeToString()) == OffersBarred(CREATOR_ID, True)
    told = discovery.CreatorProfileChanged(creator_id=CREATOR_ID, profile=discovery.CreatorProfile(virtual_human=True))
    assert decode(told.DESCRIPTOR.full_name, told.SerializeToString()) == ProfileTold(CREATOR_ID, "", True)


def test_a_rename_tells_whose_handle_it_took() -> None:
    told = discovery.AccountRenamed(
        creator_id="c1", account=discovery.PlatformAccount(platform=common.PLATFORM_WEIBO, digest="d2"),
        taken_from=CREATOR_ID, taken_digest="d1",
    )  # fmt: skip
    heard = decode(told.DESCRIPTOR.full_name, told.SerializeToString())
    assert heard == AccountRenamed("c1", "weibo", "d2", CREATOR_ID, "d1")
    assert {creators.route(caused(heard)), creators.loser(caused(heard))} == {"creator-c1", STREAM}
    assert creators.loser(caused(AccountRenamed("c1", "weibo", "d2"))) is None
