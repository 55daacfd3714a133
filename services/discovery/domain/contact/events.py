"""What happened to a creator's contact. Stored for ever; private: no topic has them. The address itself is in none of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from kernel.core.personal import PersonalData


@dataclass(frozen=True, slots=True)
class MailCodeAsked:
    """Intent: the code is to be sent to the address, which takes the place of the one before; both by their revisions."""

    address_revision: str
    code_revision: str
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MailCodeUndelivered:
    """The mail server refused the address for good; `reason` is a code."""

    code_revision: str
    reason: str


@dataclass(frozen=True, slots=True)
class MailCodeMistaken:
    """Another code was typed than the one that was sent."""

    code_revision: str


@dataclass(frozen=True, slots=True)
class AddressVerified:
    """The code that was sent to the address came back."""

    address_revision: str


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """The creator agreed to the text of this version (domain/contact/purposes.py)."""

    purpose: str
    text_version: str


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    purpose: str


@dataclass(frozen=True, slots=True)
class ContactRead:
    """The address was opened to a person of another organisation, until `until`. `reading` numbers the readings from 1."""

    reading: int
    reader_tenant: str
    reader: str
    purpose: str
    note: Annotated[str, PersonalData()]
    until: datetime


@dataclass(frozen=True, slots=True)
class ContactForgotten:
    """The creator was erased: address, code and consents are gone."""


Event = (
    MailCodeAsked
    | MailCodeUndelivered
    | MailCodeMistaken
    | AddressVerified
    | ConsentGiven
    | ConsentWithdrawn
    | ContactRead
    | ContactForgotten
)
"""Of a `contact-` stream."""
