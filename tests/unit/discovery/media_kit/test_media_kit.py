"""Media kits: published in versions, shown at addresses that end, opened so often a day; and the figures that a kit may show."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor
from services.discovery.domain.media_kit.commands import (
    Command,
    PublishKit,
    RecordOpening,
    RevokeShare,
    Section,
    Unit,
    WithdrawKit,
)
from services.discovery.domain.media_kit.events import (
    Event,
    KitOpened,
    KitPublished,
    KitShared,
    KitShareRevoked,
    KitWithdrawn,
)
from services.discovery.domain.media_kit.figures import figures_of
from services.discovery.domain.media_kit.media_kit import LINKS_LIMIT, LONGEST, MEDIA_KIT, OPENINGS_A_DAY
from services.discovery.domain.state import State
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.unit.discovery.given import (
    AUDIENCE,
    BRAND,
    CARD,
    CREATOR_ACTOR,
    FIGURES,
    FOLLOWERS,
    ID,
    NOON,
    OPERATOR,
    STRANGER,
)
from tests.unit.discovery.media_kit.kits import (
    EXAMPLE,
    FIGURE,
    LINK,
    OPENING,
    PUBLISHED,
    SHARE,
    SHARED,
    TODAY,
    YESTERDAY,
)

PUBLISH = PublishKit((Section.ACCOUNTS, Section.ABOUT), (EXAMPLE,), (FIGURE,))
OPENED = KitOpened(LINK, TODAY, OPENING)
ADDRESS = Actor("address", ID, frozenset({"system"}))
FULL = [KitShared(f"link {n}", "x", None) for n in range(LINKS_LIMIT)]
BUSY = [KitOpened(LINK, TODAY, str(n)) for n in range(OPENINGS_A_DAY)]


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], PUBLISH, CREATOR_ACTOR, [PUBLISHED], id="sections_stand_in_their_order"),
        pytest.param([PUBLISHED], PUBLISH, CREATOR_ACTOR, [], id="the_same_again_is_silence"),
        pytest.param(
            [PUBLISHED], replace(PUBLISH, sections=(Section.RATES,)), CREATOR_ACTOR,
            [KitPublished(2, (Section.RATES,), (FIGURE,), (EXAMPLE,))], id="another_is_the_next_version",
        ),
        pytest.param(
            [PUBLISHED, KitWithdrawn(1)], PUBLISH, CREATOR_ACTOR, [replace(PUBLISHED, version=2)], id="shown_again",
        ),
        pytest.param([], replace(PUBLISH, sections=()), CREATOR_ACTOR, "media_kit.no_section", id="nothing_to_show"),
        pytest.param(
            [], replace(PUBLISH, examples=("javascript:alert(1)",)), CREATOR_ACTOR, "creator.link_malformed", id="bad_link",
        ),
        pytest.param([], PUBLISH, STRANGER, "media_kit.not_yours", id="a_stranger_publishes_nothing"),
        pytest.param([], PUBLISH, OPERATOR, "media_kit.not_yours", id="nor_does_staff"),
        pytest.param([], PUBLISH, BRAND, "media_kit.not_yours", id="nor_a_brand"),
        pytest.param([PUBLISHED], WithdrawKit(), CREATOR_ACTOR, [KitWithdrawn(1)], id="withdrawn"),
        pytest.param([], WithdrawKit(), CREATOR_ACTOR, "media_kit.not_published", id="nothing_to_withdraw"),
        pytest.param([PUBLISHED], SHARE, CREATOR_ACTOR, [SHARED], id="shared"),
        pytest.param([PUBLISHED, SHARED], SHARE, CREATOR_ACTOR, [], id="shared_once"),
        pytest.param(
            [PUBLISHED, SHARED], replace(SHARE, label="x"), CREATOR_ACTOR, "media_kit.link_differs", id="another_label",
        ),
        pytest.param([], SHARE, CREATOR_ACTOR, "media_kit.not_published", id="nothing_to_share"),
        pytest.param([PUBLISHED], replace(SHARE, label=""), CREATOR_ACTOR, "text.empty", id="for_nobody"),
        pytest.param(
            [PUBLISHED], replace(SHARE, expires_at=NOON), CREATOR_ACTOR, "media_kit.expiry_out_of_range", id="ended_already",
        ),
        pytest.param(
            [PUBLISHED], replace(SHARE, expires_at=NOON + LONGEST + timedelta(seconds=1)), CREATOR_ACTOR,
            "media_kit.expiry_out_of_range", id="too_long",
        ),
        pytest.param([PUBLISHED, *FULL], SHARE, CREATOR_ACTOR, "media_kit.too_many_links", id="too_many"),
        pytest.param([PUBLISHED, SHARED], RevokeShare(LINK), CREATOR_ACTOR, [KitShareRevoked(LINK)], id="revoked"),
        pytest.param([PUBLISHED], RevokeShare(LINK), CREATOR_ACTOR, "media_kit.link_unknown", id="never_given_out"),
        pytest.param(
            [PUBLISHED, SHARED, KitShareRevoked(LINK)], SHARE, CREATOR_ACTOR, "media_kit.link_revoked", id="stays_revoked",
        ),
        pytest.param([PUBLISHED, SHARED], RecordOpening(LINK, OPENING), CREATOR_ACTOR, "actor.role_missing", id="nobody_says_so"),
    ],
)  # fmt: skip
def test_decisions(given: Sequence[Event], when: Command, actor: Actor, then: list[Event] | str) -> None:
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=f"kit-{ID}", tenant=ID)


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ([PUBLISHED, SHARED], True),
        ([PUBLISHED, SHARED, *BUSY[1:]], True),
        ([PUBLISHED, SHARED, *BUSY], False),
        ([PUBLISHED, SHARED, *[replace(one, day=YESTERDAY) for one in BUSY]], True),
        ([PUBLISHED, SHARED, KitWithdrawn(1)], False),
        ([PUBLISHED, SHARED, KitShareRevoked(LINK)], False),
        ([PUBLISHED, KitShared(LINK, "x", NOON)], False),
    ],
    ids=["open", "nearly_full", "full_today", "full_yesterday", "withdrawn", "revoked", "ended"],
)
def test_openings_are_counted_while_the_address_lives_and_so_often_a_day(given: list[Event], counted: bool) -> None:
    state = MEDIA_KIT.initial
    for event in given:
        state = MEDIA_KIT.evolve(state, event)
    found = decide.decided(SERVICE, given, RecordOpening(LINK, OPENING), at=NOON, actor=ADDRESS, stream=f"kit-{ID}")
    assert list(found) == ([OPENED] if counted else [])


def test_figures_of_the_chosen_sections_have_provenance_and_date() -> None:
    state = State(followers=(FOLLOWERS,), performance=(FIGURES,), audiences=(AUDIENCE,), card=CARD)
    found = figures_of(state, (Section.RATES, Section.ACCOUNTS, Section.AUDIENCE))
    assert [one.name for one in found] == [
        "followers.xiaohongshu", "audience.followers.ages.18-24", "audience.followers.ages.25-34",
        "audience.followers.gender.female", "audience.followers.gender.male", "price.image_note", "price.video",
    ]  # fmt: skip
    by_name = {one.name: one for one in found}
    assert by_name["audience.followers.gender.female"].value == 720_000
    assert by_name["price.video"].currency == "CNY"
    assert {one.observed_at for one in found if one.unit is not Unit.MONEY} == {AUDIENCE.observed_at}
    assert figures_of(State(), tuple(Section)) == ()
