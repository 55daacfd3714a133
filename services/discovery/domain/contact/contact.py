"""A creator's mail address, verified by a code that was sent to it; consents by purpose; and each reading of the address.

The address and the code are sealed texts of the creator: here are their revisions, which are hashes under the creator's key.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, assert_never

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.decider import Context, Decider
from kernel.core.faults import Exhausted, Forbidden, Refused
from kernel.core.ids import split_stream
from services.discovery.domain.checks import checked_line
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
from services.discovery.domain.contact.purposes import CONTACT_SHOWN, purpose_of

CODE_LIFE, DAY = timedelta(minutes=30), timedelta(days=1)
CODES_A_DAY, TRIES = 5, 5
OPEN = timedelta(hours=1)
"""So long a reading opens the address to the person who asked."""
READERS = ("brand", "agency", "operator")


@dataclass(frozen=True, slots=True)
class NameAddress:
    """The creator's mail address, and the code that is to be sent to it, by their revisions."""

    address_revision: str
    code_revision: str


@dataclass(frozen=True, slots=True)
class ConfirmAddress:
    """The code as typed, by its revision."""

    code_revision: str


@dataclass(frozen=True, slots=True)
class RecordUndelivered:
    """By the effect: the mail server refused the address for good."""

    code_revision: str
    reason: str


@dataclass(frozen=True, slots=True)
class ForgetContact:
    """By the effect of an erasure, in the transaction that deletes the key."""


@dataclass(frozen=True, slots=True)
class GiveConsent:
    purpose: str


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    purpose: str


@dataclass(frozen=True, slots=True)
class ReadContact:
    """Opens the address to the person who asks; `note` says for what, in the reader's words, and the creator reads it."""

    note: Annotated[str, Asked(Len(1, 200))]


OwnCommand = NameAddress | ConfirmAddress | GiveConsent | WithdrawConsent
Command = OwnCommand | RecordUndelivered | ForgetContact | ReadContact


@dataclass(frozen=True, slots=True)
class Contact:
    """`asked` are the codes of the last day, `tries` the mistakes with the newest; `consents` holds purpose and version."""

    asked: tuple[datetime, ...] = ()
    standing: MailCodeAsked | None = None
    tries: int = 0
    verified_revision: str = ""
    consents: tuple[tuple[str, str], ...] = ()
    readings: int = 0
    open_to: tuple[ContactRead, ...] = ()
    """The newest readings, each of another person."""

    @property
    def is_verified(self) -> bool:
        return bool(self.verified_revision)

    def agreed(self, purpose: str) -> bool:
        """To the text that holds today: a consent to an older one is no consent to this."""
        return (purpose, purpose_of(purpose).version) in self.consents


INITIAL = Contact()


def decide(command: Command, state: Contact, context: Context) -> Sequence[Event]:
    """Raises Forbidden for a stranger, Refused `contact.*`, Exhausted `contact.too_many_*`, Invalid `consent.purpose_unknown`."""
    match command:
        case ReadContact():
            return _read(command, state, context)
        case ForgetContact():
            context.actor.require("system")
            return [] if state == Contact(readings=state.readings) else [ContactForgotten()]
        case RecordUndelivered():
            context.actor.require("system")
            is_news = state.standing is not None and state.standing.code_revision == command.code_revision
            return [MailCodeUndelivered(command.code_revision, command.reason)] if is_news else []
        case _:
            if context.actor.tenant != split_stream(context.stream)[1]:
                raise Forbidden("creator.not_a_party")
            context.actor.require("creator")
            return _own(command, state, context)


def _own(command: OwnCommand, state: Contact, context: Context) -> Sequence[Event]:
    match command:
        case NameAddress():
            if len(_of_the_day(state, context.at)) >= CODES_A_DAY:
                raise Exhausted("contact.too_many_codes", limit=CODES_A_DAY, do="try again tomorrow")
            expires = context.at + CODE_LIFE
            return [MailCodeAsked(command.address_revision, command.code_revision, context.at, expires)]
        case ConfirmAddress():
            return _confirm(command, state, context)
        case GiveConsent():
            purpose = purpose_of(command.purpose)
            return [] if state.agreed(purpose.name) else [ConsentGiven(purpose.name, purpose.version)]
        case WithdrawConsent():
            given = purpose_of(command.purpose).name in dict(state.consents)
            return [ConsentWithdrawn(command.purpose)] if given else []
        case _:
            assert_never(command)


def _of_the_day(state: Contact, at: datetime) -> tuple[datetime, ...]:
    return tuple(one for one in state.asked if at - one < DAY)


def _confirm(command: ConfirmAddress, state: Contact, context: Context) -> Sequence[Event]:
    """A mistake is an event too: so many tries and no more have a code."""
    asked = state.standing
    if asked is None:
        raise Refused("contact.no_code", do="ask for a code first")
    if context.at >= asked.expires_at:
        raise Refused("contact.code_expired", do="ask for a new code")
    if state.tries >= TRIES:
        raise Exhausted("contact.too_many_tries", limit=TRIES, do="ask for a new code")
    if not hmac.compare_digest(asked.code_revision.encode(), command.code_revision.encode()):
        return [MailCodeMistaken(asked.code_revision)]
    return [AddressVerified(asked.address_revision)]


def _read(command: ReadContact, state: Contact, context: Context) -> Sequence[Event]:
    """Without an address, without its verification and without consent are one answer."""
    actor = context.actor
    actor.require(*READERS)
    note = checked_line(command, "note")
    if not state.is_verified or not state.agreed(CONTACT_SHOWN):
        raise Refused("contact.not_shown", do="the creator shows a contact once it consents to it")
    until = context.at + OPEN
    stands = next((one for one in state.open_to if (one.reader_tenant, one.reader) == (actor.tenant, actor.id)), None)
    if stands is not None and stands.until > context.at and stands.note == note:
        return []
    return [ContactRead(state.readings + 1, actor.tenant, actor.id, CONTACT_SHOWN, note, until)]


OPEN_TO = 20
"""So many of the newest readings are remembered: a repeat within the hour by one of these is no new reading."""


def evolve(state: Contact, event: Event) -> Contact:
    match event:
        case MailCodeAsked():
            asked = (*_of_the_day(state, event.asked_at), event.asked_at)[-CODES_A_DAY:]
            same = event.address_revision == state.verified_revision
            return replace(
                state, asked=asked, standing=event, tries=0, verified_revision=state.verified_revision if same else ""
            )
        case MailCodeMistaken():
            return replace(state, tries=state.tries + 1)
        case MailCodeUndelivered():
            return replace(state, standing=None)
        case AddressVerified(revision):
            return replace(state, standing=None, tries=0, verified_revision=revision)
        case ConsentGiven(purpose, version):
            return replace(state, consents=(*_others(state, purpose), (purpose, version)))
        case ConsentWithdrawn(purpose):
            return replace(state, consents=_others(state, purpose))
        case ContactForgotten():
            return Contact(readings=state.readings)
        case ContactRead():
            person = (event.reader_tenant, event.reader)
            others = tuple(one for one in state.open_to if (one.reader_tenant, one.reader) != person)
            return replace(state, readings=event.reading, open_to=(*others, event)[-OPEN_TO:])
        case _:
            assert_never(event)


def _others(state: Contact, purpose: str) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in state.consents if one[0] != purpose)


CONTACT: Decider[Command, Contact, Event] = Decider("contact", INITIAL, decide, evolve, published=False)
