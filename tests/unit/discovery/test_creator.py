"""Decisions of the creator aggregate."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor, DecidedEvent
from services.discovery.domain.checks import Provenance
from services.discovery.domain.commands import (
    ChangeAvailability,
    ChangeProfile,
    ChangeRateCard,
    Command,
    ImportCreator,
    LinkAccount,
    RegisterCreator,
    ReinstateCreator,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
    SuspendCreator,
    VerifyAccount,
)
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.events import (
    AccountLinked,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorProfileChanged,
    CreatorReinstated,
    CreatorSuspended,
    Event,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.handles import HANDLES, HandleRow, VerifiedRow
from services.discovery.domain.profile import Account, Availability, Platform, Profile
from services.discovery.domain.rate_card import Format, FormatPrice, RateCard
from services.discovery.domain.state import Status
from tests.kit.rows import NoRows
from tests.unit.discovery.given import (
    AUDIENCE,
    BEFORE,
    BRAND,
    CARD,
    CREATOR_ACTOR,
    DOUYIN,
    FIGURES,
    FOLLOWERS,
    ID,
    LATER,
    NOON,
    OPERATOR,
    OTHER,
    PROFILE,
    RED,
    REGISTERED,
    STRANGER,
    SYSTEM,
    check,
    fold,
)

REGISTER = RegisterCreator(ID, PROFILE, (RED,))
SUSPENDED = CreatorSuspended("sanction.disclosure", LATER, "sanction-1")
SUSPEND = SuspendCreator("sanction.disclosure", LATER, "sanction-1")
FOR_GOOD, UNTIL_THEN = CreatorSuspended("fraud", None, ""), SuspendCreator("fraud", None)
TAKEN = VerifiedRow("xiaohongshu", "lin.mei", OTHER)


def profile(**changes: object) -> ChangeProfile:
    return ChangeProfile(replace(PROFILE, **changes))  # type: ignore[arg-type]


def card(*prices: FormatPrice, currency: str = "CNY", commission_bps: int | None = None) -> ChangeRateCard:
    return ChangeRateCard(RateCard(currency, prices, commission_bps))


VIDEO = FormatPrice(Format.VIDEO, 300_000)


@pytest.mark.parametrize(
    ("given", "when", "then", "actor"),
    [
        pytest.param([], REGISTER, [REGISTERED], CREATOR_ACTOR, id="registers_itself"),
        pytest.param([], REGISTER, [REGISTERED], OPERATOR, id="an_operator_registers_it"),
        pytest.param([], REGISTER, "creator.not_a_party", STRANGER, id="a_stranger_may_not_register_it"),
        pytest.param([], REGISTER, "creator.not_a_party", BRAND, id="a_brand_may_not_register_it"),
        pytest.param([], replace(REGISTER, creator_id=OTHER), "creator.id_is_not_the_stream", OPERATOR, id="other_id"),
        pytest.param(
            [REGISTERED, CreatorProfileChanged(replace(PROFILE, city="北京"))],
            replace(REGISTER, profile=replace(PROFILE, city="广州")),
            "creator.already_registered",
            CREATOR_ACTOR,
            id="refuses_another_registration",
        ),
        pytest.param(
            [], profile(city="北京"), "creator.not_registered", CREATOR_ACTOR, id="nothing_before_registering"
        ),
        pytest.param([], SUSPEND, "creator.not_registered", SYSTEM, id="nobody_to_suspend"),
        pytest.param(
            [REGISTERED],
            profile(city="北京"),
            [CreatorProfileChanged(replace(PROFILE, city="北京"))],
            CREATOR_ACTOR,
            id="changes_profile",
        ),
        pytest.param([REGISTERED], profile(), [], CREATOR_ACTOR, id="same_profile_changes_nothing"),
        pytest.param([REGISTERED], profile(city="北京"), "creator.not_a_party", BRAND, id="a_brand_may_not_change_it"),
        pytest.param(
            [REGISTERED],
            profile(tags=("b", "a")),
            [CreatorProfileChanged(replace(PROFILE, tags=("a", "b")))],
            CREATOR_ACTOR,
            id="a_set_has_one_order",
        ),
        pytest.param(
            [REGISTERED], LinkAccount(DOUYIN), [AccountLinked(DOUYIN, "")], CREATOR_ACTOR, id="links_another_platform"
        ),
        pytest.param(
            [REGISTERED],
            LinkAccount(Account(Platform.XIAOHONGSHU, "@Lin.Mei2 ")),
            [AccountLinked(Account(Platform.XIAOHONGSHU, "lin.mei2"), "lin.mei")],
            CREATOR_ACTOR,
            id="replaces_an_account",
        ),
        pytest.param([REGISTERED], LinkAccount(RED), [], CREATOR_ACTOR, id="linked_already"),
        pytest.param(
            [REGISTERED],
            VerifyAccount(RED, "oauth"),
            [AccountVerified(RED, "oauth")],
            OPERATOR,
            id="verifies",
        ),
        pytest.param(
            [REGISTERED], VerifyAccount(RED, "oauth"), "actor.role_missing", CREATOR_ACTOR, id="not_by_itself"
        ),
        pytest.param(
            [REGISTERED], VerifyAccount(DOUYIN, "oauth"), "creator.account_not_linked", OPERATOR, id="verifies_no_other"
        ),
        pytest.param([REGISTERED], ChangeRateCard(CARD), [RateCardChanged(CARD)], CREATOR_ACTOR, id="prices"),
        pytest.param([REGISTERED, RateCardChanged(CARD)], ChangeRateCard(CARD), [], CREATOR_ACTOR, id="same_prices"),
        pytest.param(
            [REGISTERED], ReportFollowers(FOLLOWERS), [FollowersReported(FOLLOWERS)], CREATOR_ACTOR, id="followers"
        ),
        pytest.param(
            [REGISTERED],
            ReportFollowers(replace(FOLLOWERS, platform=Platform.WEIBO)),
            "creator.account_not_linked",
            CREATOR_ACTOR,
            id="followers_of_no_account",
        ),
        pytest.param(
            [REGISTERED, FollowersReported(FOLLOWERS)],
            ReportFollowers(replace(FOLLOWERS, observed_at=BEFORE - timedelta(days=1))),
            "creator.report_out_of_date",
            CREATOR_ACTOR,
            id="an_older_count_does_not_replace_a_newer",
        ),
        pytest.param(
            [REGISTERED],
            ReportFollowers(replace(FOLLOWERS, provenance=Provenance.PLATFORM)),
            "creator.provenance_not_yours",
            CREATOR_ACTOR,
            id="a_creator_does_not_speak_for_the_platform",
        ),
        pytest.param(
            [REGISTERED],
            ReportFollowers(replace(FOLLOWERS, provenance=Provenance.PLATFORM)),
            [FollowersReported(replace(FOLLOWERS, provenance=Provenance.PLATFORM))],
            OPERATOR,
            id="an_operator_may",
        ),
        pytest.param(
            [REGISTERED], ReportAudience(AUDIENCE), [AudienceReported(AUDIENCE)], CREATOR_ACTOR, id="audience"
        ),
        pytest.param(
            [REGISTERED, AudienceReported(AUDIENCE)],
            ReportAudience(replace(AUDIENCE, sample_size=2_000, observed_at=NOON)),
            [AudienceReported(replace(AUDIENCE, sample_size=2_000, observed_at=NOON))],
            CREATOR_ACTOR,
            id="a_newer_audience_replaces",
        ),
        pytest.param(
            [REGISTERED], ReportPerformance(FIGURES), [PerformanceReported(FIGURES)], CREATOR_ACTOR, id="performance"
        ),
        pytest.param(
            [REGISTERED],
            ChangeAvailability(Availability.CLOSED, 3),
            [AvailabilityChanged(Availability.CLOSED, 3)],
            CREATOR_ACTOR,
            id="closes_its_calendar",
        ),
        pytest.param([REGISTERED], SUSPEND, [SUSPENDED], SYSTEM, id="suspends"),
        pytest.param([REGISTERED, FOR_GOOD], SUSPEND, [], SYSTEM, id="what_follows_by_itself_shortens_no_suspension"),
        pytest.param([REGISTERED, FOR_GOOD], SUSPEND, [SUSPENDED], OPERATOR, id="but_an_operator_does"),
        pytest.param([REGISTERED, SUSPENDED], UNTIL_THEN, [FOR_GOOD], SYSTEM, id="and_it_lengthens_one"),
        pytest.param([REGISTERED], SUSPEND, "actor.role_missing", CREATOR_ACTOR, id="nobody_suspends_itself"),
        pytest.param([REGISTERED], SuspendCreator(""), "creator.reason_missing", OPERATOR, id="suspends_with_a_reason"),
        pytest.param(
            [REGISTERED],
            replace(SUSPEND, until=BEFORE),
            "creator.suspension_ends_before_it_begins",
            OPERATOR,
            id="past",
        ),
        pytest.param(
            [REGISTERED, SUSPENDED],
            ReinstateCreator("appeal"),
            [CreatorReinstated("appeal")],
            OPERATOR,
            id="reinstates",
        ),
        pytest.param([REGISTERED], ReinstateCreator("appeal"), [], OPERATOR, id="nothing_to_reinstate"),
    ],
)
def test_creator(given: Sequence[Event], when: Command, then: Sequence[Event] | str, actor: Actor) -> None:
    check(given, when, then, actor)


def test_a_verified_handle_is_taken_until_it_is_given_up() -> None:
    check([], REGISTER, "creator.handle_taken", OPERATOR, [TAKEN])
    elsewhere = replace(TAKEN, platform="douyin")
    check([], REGISTER, [REGISTERED], OPERATOR, [elsewhere])
    check(
        [REGISTERED], LinkAccount(DOUYIN), "creator.handle_taken", OPERATOR, [VerifiedRow("douyin", "linmei_dy", OTHER)]
    )


def test_a_handle_written_differently_is_the_same_handle() -> None:
    loud = RegisterCreator(ID, PROFILE, (Account(Platform.XIAOHONGSHU, " @LIN．MEI"),))
    check([], loud, "creator.handle_taken", OPERATOR, [TAKEN])


def test_a_replaced_account_frees_its_handle_and_loses_figures_and_verification() -> None:
    linked = AccountLinked(Account(Platform.XIAOHONGSHU, "new"), "lin.mei")
    folded = HANDLES.fold(DecidedEvent(f"creator-{ID}", ID, 2, NOON, linked), NoRows())
    assert dict(folded) == {
        ("xiaohongshu", "lin.mei", ID): None,
        ("xiaohongshu", "new", ID): HandleRow("xiaohongshu", "new", ID),
    }
    state = fold([REGISTERED, FollowersReported(FOLLOWERS), AccountVerified(RED, "oauth"), linked])
    assert (state.followers, state.verified) == ((), ())


def test_suspension_ends_with_reinstatement() -> None:
    assert fold([REGISTERED, SUSPENDED]).status is Status.SUSPENDED
    assert fold([REGISTERED, SUSPENDED, CreatorReinstated("appeal")]).suspension is None


IMPORT = ImportCreator(REGISTER, (ReportFollowers(FOLLOWERS), ChangeRateCard(CARD)))


def test_an_import_registers_once_and_then_says_only_what_is_new() -> None:
    first: list[Event] = [REGISTERED, FollowersReported(FOLLOWERS), RateCardChanged(CARD)]
    check([], IMPORT, first, OPERATOR)
    dearer = RateCard("CNY", (FormatPrice(Format.VIDEO, 310_000),))
    moved = replace(PROFILE, city="北京")
    again = ImportCreator(
        RegisterCreator(ID, moved, (RED, DOUYIN)), (ReportFollowers(FOLLOWERS), ChangeRateCard(dearer))
    )
    check(first, again, [CreatorProfileChanged(moved), AccountLinked(DOUYIN, ""), RateCardChanged(dearer)], OPERATOR)


def test_nobody_brings_back_from_a_file_who_asked_to_be_forgotten() -> None:
    check([], IMPORT, "creator.asked_to_be_forgotten", OPERATOR, forgotten=[ID])
    check([], REGISTER, [REGISTERED], forgotten=[ID])
    check([], IMPORT, [REGISTERED, FollowersReported(FOLLOWERS), RateCardChanged(CARD)], OPERATOR, forgotten=[OTHER])


def test_an_import_is_all_or_nothing_and_staff_only() -> None:
    bad = replace(IMPORT, changes=(ReportFollowers(FOLLOWERS), ChangeRateCard(RateCard("RMB"))))
    check([], bad, "money.unknown_currency", OPERATOR)
    check([], IMPORT, "actor.role_missing", CREATOR_ACTOR)


@pytest.mark.parametrize(
    "when", [REGISTER, IMPORT, ChangeProfile(Profile("r2")), ReinstateCreator("x")], ids=lambda c: type(c).__name__
)
def test_a_new_stream_belongs_to_the_creator_whoever_imports_it(when: Command) -> None:
    names_creator = isinstance(when, RegisterCreator | ImportCreator)
    assert CREATOR.owner(when) == (ID if names_creator else None)


def test_reads_are_total_also_for_malformed_handles() -> None:
    weird = RegisterCreator(ID, PROFILE, (Account(Platform.WEIBO, "\x00 \ud7ff"),))
    assert len(list(CREATOR.reads(weird, CREATOR.initial))) == 1
    check([], weird, "creator.handle_malformed", OPERATOR)
