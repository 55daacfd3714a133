"""An application as its decisions know it, folded from its events."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from services.campaigns.domain.shared.contract import Offer, Parties, application_id, collaboration_id
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationEvent,
    ApplicationExpired,
    ApplicationReleased,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CreatorInvited,
    DealMarked,
    OfferCountered,
    OfferRenewed,
    Side,
)


class Status(StrEnum):
    NEW = "new"
    INVITED = "invited"
    APPLIED = "applied"
    COUNTERED = "countered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    RELEASED = "released"


OPEN = (Status.INVITED, Status.APPLIED, Status.COUNTERED)


@dataclass(frozen=True, slots=True)
class State:
    """An application as its decisions need it; `renewed` is the version of the brief the creator agreed to last, `agreements`
    counts how often an offer was accepted."""

    status: Status = Status.NEW
    parties: Parties | None = None
    by: Side = Side.BRAND
    offer: Offer | None = None
    expires_at: datetime | None = None
    renewed: int = 0
    committed_minor: int = 0
    person: str = ""
    """Who made the offer, as `apart.person_of` has it."""
    agreements: int = 0

    @property
    def collaboration_id(self) -> str:
        """What came of the last acceptance; empty before the first."""
        if self.parties is None or not self.agreements:
            return ""
        return collaboration_id(application_id(self.parties.campaign_id, self.parties.creator_id), self.agreements)


def evolve(state: State, event: ApplicationEvent) -> State:
    """The fold; total."""
    match event:
        case CreatorInvited(parties, offer, expires_at, person):
            invited = State(Status.INVITED, parties, Side.BRAND, offer, expires_at, person=person)
            return replace(invited, agreements=state.agreements)
        case ApplicationSubmitted(parties, offer, expires_at, person):
            applied = State(
                Status.APPLIED, parties, Side.CREATOR, offer, expires_at, offer.brief_version, person=person
            )
            return replace(applied, agreements=state.agreements)
        case OfferCountered(_, by, offer, expires_at, person):
            renewed = offer.brief_version if by is Side.CREATOR else state.renewed
            offered = replace(state, status=Status.COUNTERED, by=by, offer=offer, renewed=renewed)
            return replace(offered, expires_at=expires_at, person=person)
        case OfferRenewed(_, brief_version):
            return replace(state, renewed=brief_version)
        case ApplicationAccepted(_, contract, _):
            agreed = replace(state, status=Status.ACCEPTED, renewed=contract.value.brief_version)
            committed_minor = contract.value.committed_minor
            return replace(agreed, committed_minor=committed_minor, agreements=state.agreements + 1)
        case ApplicationDeclined():
            return replace(state, status=Status.DECLINED)
        case ApplicationWithdrawn():
            return replace(state, status=Status.WITHDRAWN)
        case ApplicationExpired():
            return replace(state, status=Status.EXPIRED)
        case ApplicationReleased():
            return replace(state, status=Status.RELEASED)
        case DealMarked():
            return state
        case _:
            assert_never(event)
