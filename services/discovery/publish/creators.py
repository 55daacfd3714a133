"""The public form of each event of a `creator-` stream."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    Event,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.guardians.events import OfferBarChanged
from services.discovery.domain.profile import Account, impersonal
from services.discovery.publish.wire import wire_audience, wire_card, wire_cell, wire_followers, wire_profile


def wire_of(event: Event, creator_id: str, at: datetime) -> Message:
    return FORMS[type(event)](event, creator_id, at)


def _registered(event: CreatorRegistered, creator_id: str, at: datetime) -> Message:
    profile, accounts = wire_profile(impersonal(event.profile)), map(_by_digest, event.accounts)
    return pb.CreatorRegistered(creator_id=creator_id, profile=profile, accounts=accounts, registered_at=stamp(at))


def _changed(event: CreatorProfileChanged, creator_id: str, at: datetime) -> Message:
    return pb.CreatorProfileChanged(
        creator_id=creator_id, profile=wire_profile(impersonal(event.profile)), changed_at=stamp(at)
    )


def _renamed(event: AccountRenamed, creator_id: str, at: datetime) -> Message:
    """Whom an event of before took the handle from is not told: its public form stays as it was."""
    told = {"taken_from": event.taken_from, "taken_digest": event.taken_digest} if event.taken_digest else {}
    return pb.AccountRenamed(creator_id=creator_id, account=_by_digest(event.account), renamed_at=stamp(at), **told)


def _identified(event: AccountIdentified, creator_id: str, at: datetime) -> Message:
    return pb.AccountIdentified(
        creator_id=creator_id,
        platform=number(common.Platform, event.platform),
        digest=event.digest,
        identified_at=stamp(at),
    )


def _linked(event: AccountLinked, creator_id: str, at: datetime) -> Message:
    return pb.AccountLinked(creator_id=creator_id, account=_by_digest(event.account), linked_at=stamp(at))


def _verified(event: AccountVerified, creator_id: str, at: datetime) -> Message:
    account = _by_digest(event.account)
    return pb.AccountVerified(creator_id=creator_id, account=account, method=event.method, verified_at=stamp(at))


def _priced(event: RateCardChanged, creator_id: str, at: datetime) -> Message:
    return wire_card(event.card, creator_id, at)


def _audience(event: AudienceReported, creator_id: str, at: datetime) -> Message:
    return wire_audience(event.audience, creator_id, at)


def _followers(event: FollowersReported, creator_id: str, at: datetime) -> Message:
    return wire_followers(event.followers, creator_id, at)


def _performance(event: PerformanceReported, creator_id: str, at: datetime) -> Message:
    return pb.PerformanceReported(creator_id=creator_id, cell=wire_cell(event.performance), reported_at=stamp(at))


def _available(event: AvailabilityChanged, creator_id: str, at: datetime) -> Message:
    return pb.AvailabilityChanged(
        creator_id=creator_id,
        availability=number(pb.Availability, event.availability),
        max_parallel_jobs=event.max_parallel_jobs,
        changed_at=stamp(at),
    )


def _suspended(event: CreatorSuspended, creator_id: str, at: datetime) -> Message:
    until = stamp(event.until)
    return pb.CreatorSuspended(
        creator_id=creator_id, reason=event.reason, until=until, cause=event.cause, suspended_at=stamp(at)
    )


def _reinstated(event: CreatorReinstated, creator_id: str, at: datetime) -> Message:
    return pb.CreatorReinstated(creator_id=creator_id, reason=event.reason, reinstated_at=stamp(at))


def _forgotten(event: CreatorForgotten, creator_id: str, at: datetime) -> Message:
    return pb.CreatorForgotten(creator_id=creator_id, forgotten_at=stamp(at))


def _barred(event: OfferBarChanged, creator_id: str, at: datetime) -> Message:
    return pb.OfferBarChanged(creator_id=creator_id, barred=event.barred, changed_at=stamp(at))


def _by_digest(account: Account) -> pb.PlatformAccount:
    """An account as its digest, without its handle."""
    return pb.PlatformAccount(platform=number(common.Platform, account.platform), digest=account.digest)


FORMS: dict[type, Callable[[Any, str, datetime], Message]] = {
    CreatorRegistered: _registered,
    CreatorProfileChanged: _changed,
    AccountLinked: _linked,
    AccountRenamed: _renamed,
    AccountIdentified: _identified,
    AccountVerified: _verified,
    RateCardChanged: _priced,
    AudienceReported: _audience,
    FollowersReported: _followers,
    PerformanceReported: _performance,
    AvailabilityChanged: _available,
    CreatorSuspended: _suspended,
    CreatorReinstated: _reinstated,
    CreatorForgotten: _forgotten,
    OfferBarChanged: _barred,
}
"""The public form of each event of a `creator-` stream."""
