"""Decisions about contacts: codes a day, expiry, consents by the version of their text, readings."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.faults import Fault
from services.discovery.domain.contact.contact import (
    CODES_A_DAY,
    INITIAL,
    OPEN,
    Command,
    ConfirmAddress,
    ForgetContact,
    GiveConsent,
    NameAddress,
    ReadContact,
    RecordUndelivered,
    WithdrawConsent,
    decide,
    evolve,
)
from services.discovery.domain.contact.events import (
    AddressVerified,
    ConsentGiven,
    ConsentWithdrawn,
    ContactForgotten,
    ContactRead,
    Event,
    MailCodeAsked,
    MailCodeMistaken,
    MailCodeUndelivered,
)
from services.discovery.domain.contact.purposes import CONTACT_SHOWN, PURPOSES
from tests.unit.discovery.given import BRAND, CREATOR_ACTOR, ID, NOON, OPERATOR, STRANGER, SYSTEM

ASKED = MailCodeAsked("a1", "c1", NOON, NOON + timedelta(minutes=30))
VERSION = PURPOSES[CONTACT_SHOWN].version
SHOWN: list[Event] = [ASKED, AddressVerified("a1"), ConsentGiven(CONTACT_SHOWN, VERSION)]
READ = ContactRead(1, BRAND.tenant, BRAND.id, CONTACT_SHOWN, "why", NOON + OPEN)


def decided(given: list[Event], when: Command, actor: Actor = CREATOR_ACTOR, at: Any = NOON) -> list[Event] | str:
    state = INITIAL
    for event in given:
        state = evolve(state, event)
    try:
        return list(decide(when, state, Context(at, actor, GivenRows({}), f"contact-{ID}", ID)))
    except Fault as fault:
        return fault.code


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], NameAddress("a1", "c1"), [ASKED]),
        ([ASKED] * CODES_A_DAY, NameAddress("a1", "c1"), "contact.too_many_codes"),
        ([], ConfirmAddress("c1"), "contact.no_code"),
        ([ASKED], ConfirmAddress("c1"), [AddressVerified("a1")]),
        ([ASKED], ConfirmAddress("c2"), [MailCodeMistaken("c1")]),
        ([ASKED, *[MailCodeMistaken("c1")] * 5], ConfirmAddress("c1"), "contact.too_many_tries"),
        ([ASKED, AddressVerified("a1")], ConfirmAddress("c1"), "contact.no_code"),
        ([ASKED, MailCodeUndelivered("c1", "x")], ConfirmAddress("c1"), "contact.no_code"),
        ([], GiveConsent(CONTACT_SHOWN), [ConsentGiven(CONTACT_SHOWN, VERSION)]),
        ([ConsentGiven(CONTACT_SHOWN, VERSION)], GiveConsent(CONTACT_SHOWN), []),
        (
            [ConsentGiven(CONTACT_SHOWN, "2020-01-01")],
            GiveConsent(CONTACT_SHOWN),
            [ConsentGiven(CONTACT_SHOWN, VERSION)],
        ),
        ([], GiveConsent("anything"), "consent.purpose_unknown"),
        ([], WithdrawConsent(CONTACT_SHOWN), []),
        (SHOWN, WithdrawConsent(CONTACT_SHOWN), [ConsentWithdrawn(CONTACT_SHOWN)]),
    ],
)
def test_what_the_creator_does(given: list[Event], when: Command, then: Any) -> None:
    assert decided(given, when) == then
    for other in (STRANGER, BRAND, OPERATOR):
        assert decided(given, when, other) == "creator.not_a_party"


def test_a_code_expires() -> None:
    assert decided([ASKED], ConfirmAddress("c1"), at=ASKED.expires_at) == "contact.code_expired"


@pytest.mark.parametrize(
    "given",
    [
        [],
        SHOWN[:2],
        [ASKED, SHOWN[2]],
        [*SHOWN, ConsentWithdrawn(CONTACT_SHOWN)],
        [*SHOWN[:2], ConsentGiven(CONTACT_SHOWN, "2020-01-01")],
        [*SHOWN, MailCodeAsked("a2", "c2", NOON, NOON)],
        [*SHOWN, ContactForgotten()],
    ],
)
def test_without_address_verification_or_consent_the_answer_is_the_same(given: list[Event]) -> None:
    assert decided(given, ReadContact("why"), BRAND) == "contact.not_shown"


def test_a_reading_is_on_record_and_a_repeat_of_it_is_none() -> None:
    assert decided(SHOWN, ReadContact("why"), BRAND) == [READ]
    assert decided([*SHOWN, READ], ReadContact("why"), BRAND) == []
    assert decided([*SHOWN, READ], ReadContact("why"), BRAND, READ.until) != []
    assert decided(SHOWN, ReadContact("why"), STRANGER) == "actor.role_missing"


def test_what_the_platform_does_nobody_else_may() -> None:
    assert decided([ASKED], RecordUndelivered("c1", "x"), SYSTEM) == [MailCodeUndelivered("c1", "x")]
    assert decided([ASKED], RecordUndelivered("c0", "x"), SYSTEM) == []
    assert decided(SHOWN, ForgetContact(), SYSTEM) == [ContactForgotten()]
    assert decided([*SHOWN, ContactForgotten()], ForgetContact(), SYSTEM) == []
    assert decided([ASKED], RecordUndelivered("c1", "x")) == decided([ASKED], ForgetContact()) == "actor.role_missing"
