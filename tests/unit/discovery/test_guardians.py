"""Who may be a minor agrees on no work without a guardian's consent; the bar follows age and consent, whoever moved these."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.discovery.domain.commands import ChangeAvailability, ChangeProfile, ForgetCreator
from services.discovery.domain.events import AvailabilityChanged, CreatorForgotten, CreatorProfileChanged, Event
from services.discovery.domain.guardians.events import (
    GuardianConsented,
    GuardianConsentWithdrawn,
    OfferBarChanged,
    Relation,
)
from services.discovery.domain.guardians.guardian import (
    TEXT_VERSION,
    GiveGuardianConsent,
    WithdrawGuardianConsent,
    is_barred,
)
from services.discovery.domain.profile import Availability
from tests.unit.discovery.given import BRAND, NOON, PROFILE, RED, REGISTERED, SYSTEM, check, fold

YEAR = NOON.year
MINOR = replace(PROFILE, birth_year=YEAR - 16, guardian_consent=True)
TOLD: list[Event] = [REGISTERED, CreatorProfileChanged(MINOR), OfferBarChanged(True)]
GIVE = GiveGuardianConsent("林国强", Relation.FATHER, "0f" * 32)
GIVEN = GuardianConsented("林国强", Relation.FATHER, "0f" * 32, TEXT_VERSION, NOON)
FREE: list[Event] = [*TOLD, GIVEN, OfferBarChanged(False)]


def test_who_may_be_a_minor_is_barred_until_a_guardian_consents() -> None:
    check([REGISTERED], ChangeProfile(MINOR), [CreatorProfileChanged(MINOR), OfferBarChanged(True)])
    check(TOLD, GIVE, [GIVEN, OfferBarChanged(False)])
    check(FREE, GIVE, [])


def test_a_consent_that_is_withdrawn_bars_again() -> None:
    check(FREE, WithdrawGuardianConsent(), [GuardianConsentWithdrawn(), OfferBarChanged(True)])
    check(TOLD, WithdrawGuardianConsent(), [])


def test_a_consent_to_an_older_text_is_none() -> None:
    before = replace(GIVEN, text_version="2020-01-01")
    check([*TOLD, before], GIVE, [GIVEN, OfferBarChanged(False)])


def test_nobody_who_may_be_under_ten_works() -> None:
    child = replace(MINOR, birth_year=YEAR - 10)
    check([REGISTERED, CreatorProfileChanged(child), OfferBarChanged(True)], GIVE, [GIVEN])


def test_of_age_nobody_consents_for_one() -> None:
    check([REGISTERED], GIVE, "guardian.not_needed")
    check([REGISTERED], WithdrawGuardianConsent(), [])


def test_a_hash_has_its_form_and_strangers_consent_for_nobody() -> None:
    check(TOLD, replace(GIVE, evidence_sha256="0F" * 32), "guardian.hash_malformed")
    check(TOLD, GIVE, "creator.not_a_party", actor=BRAND)
    check(FREE, WithdrawGuardianConsent(), "creator.not_a_party", actor=BRAND)


def test_any_command_frees_who_has_come_of_age_and_a_repeat_says_nothing() -> None:
    grown = replace(MINOR, birth_year=YEAR - 19)
    stands: list[Event] = [REGISTERED, CreatorProfileChanged(grown), OfferBarChanged(True)]
    available = AvailabilityChanged(Availability.OPEN, 1)
    check(stands, ChangeAvailability(Availability.OPEN, 1), [available, OfferBarChanged(False)])
    check([*stands, available], ChangeAvailability(Availability.OPEN, 1), [OfferBarChanged(False)])
    check([*stands, available, OfferBarChanged(False)], ChangeAvailability(Availability.OPEN, 1), [])


def test_an_erasure_leaves_neither_guardian_nor_bar() -> None:
    check(TOLD, ForgetCreator(), [CreatorForgotten((RED,), ()), OfferBarChanged(False)], actor=SYSTEM)
    assert fold([*FREE, CreatorForgotten()]).guardian is None


@pytest.mark.parametrize(("years", "barred"), [(18, True), (19, False)])
def test_the_year_in_which_one_comes_of_age_still_counts(years: int, barred: bool) -> None:
    state = fold([REGISTERED, CreatorProfileChanged(replace(MINOR, birth_year=YEAR - years))])
    assert is_barred(state, NOON) is barred
    assert not is_barred(state, NOON + timedelta(days=366))
