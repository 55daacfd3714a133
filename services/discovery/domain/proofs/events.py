"""What happened to the proof of one account. Stored for ever; private: no topic has them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from kernel.core.personal import DataSubject
from services.discovery.domain.profile import Account, Platform


@dataclass(frozen=True, slots=True)
class ProofAsked:
    """The creator has a new code for an account that it claims: from now on the codes before are worth nothing."""

    creator_id: Annotated[str, DataSubject()]
    account: Account
    code_revision: str
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProofLookRequested:
    """Intent: look number `look` of this code is to be had at the account's profile."""

    creator_id: Annotated[str, DataSubject()]
    account: Account
    look: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProofAccepted:
    """The code stood in the bio: the account is verified, the code is used up."""

    creator_id: str
    platform: Platform
    look: int


@dataclass(frozen=True, slots=True)
class ProofMissed:
    """A look that proved nothing; `reason` is a code such as `proof.code_not_in_bio`."""

    creator_id: str
    platform: Platform
    look: int
    reason: str


Event = ProofAsked | ProofLookRequested | ProofAccepted | ProofMissed
"""Of a `proof-` stream."""
