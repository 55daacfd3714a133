"""Private events to public ones: pure, one message per stored event. What is promised is proto/dandelion/discovery/v1.

No personal field is published: a topic keeps everything, and the person's key cannot be taken out of it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, refusal, stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from kernel.core.personal import ErasureAsked, ErasureDone
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.discovery.domain.audience import Audience, Share
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
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.profile import Account, Profile, impersonal
from services.discovery.domain.rate_card import FormatPrice, RateCard
from services.discovery.domain.tiers import tier_of


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event of a `creator-` stream, or of a refused command; erasures are private."""
    if isinstance(incoming.event, ErasureAsked | ErasureDone):
        return []
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("discovery", incoming.event, incoming.at))]
    return [PublicEvent(*form(wire_of(incoming.event, split_stream(incoming.stream)[1], incoming.at)))]


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


def _by_digest(account: Account) -> pb.PlatformAccount:
    """An account as its digest, without its handle."""
    return pb.PlatformAccount(platform=number(common.Platform, account.platform), digest=account.digest)


def wire_account(account: Account) -> pb.PlatformAccount:
    return pb.PlatformAccount(platform=number(common.Platform, account.platform), handle=account.handle)


def wire_profile(profile: Profile) -> pb.CreatorProfile:
    revisions = {
        "display_name": profile.display_name_revision,
        "bio": profile.bio_revision,
        "contact": profile.contact_revision,
    }
    return pb.CreatorProfile(
        categories=profile.categories,
        tags=profile.tags,
        languages=profile.languages,
        location=pb.Location(country=profile.country, province=profile.province, city=profile.city),
        birth_year=profile.birth_year or 0,
        gender=number(pb.Gender, profile.gender),
        agency_id=profile.agency_id,
        virtual_human=profile.virtual_human,
        virtual_operator=profile.virtual_operator,
        guardian_consent=profile.guardian_consent,
        examples=profile.examples,
        personal=[pb.PersonalField(field=name, revision=text) for name, text in revisions.items() if text],
    )


def wire_rate(price: FormatPrice, closed: bool) -> pb.Rate:
    return pb.Rate(
        format=number(common.Format, price.format),
        price_minor=price.price_minor,
        closed=closed,
        next_price_minor=price.next_minor or 0,
        next_from=stamp(price.next_from),
        industry_prices=[pb.IndustryPrice(industry=p.industry, price_minor=p.price_minor) for p in price.industries],
    )


def wire_rates(card: RateCard) -> list[pb.Rate]:
    """Every priced format; a closed format without a price has a price of 0."""
    priced = {price.format for price in card.prices}
    rates = [wire_rate(price, price.format in card.closed) for price in card.prices]
    unpriced = [kind for kind in card.closed if kind not in priced]
    return rates + [pb.Rate(format=number(common.Format, kind), closed=True) for kind in unpriced]


def wire_card(card: RateCard, creator_id: str, at: datetime) -> pb.RateCardChanged:
    return pb.RateCardChanged(
        creator_id=creator_id,
        currency=card.currency,
        rates=wire_rates(card),
        commission_bps=card.commission_bps or 0,
        changed_at=stamp(at),
    )


def wire_followers(followers: Followers, creator_id: str, at: datetime) -> pb.FollowersReported:
    return pb.FollowersReported(
        creator_id=creator_id,
        platform=number(common.Platform, followers.platform),
        followers=followers.count,
        tier=number(common.Tier, tier_of(followers.count)),
        provenance=number(common.Provenance, followers.provenance),
        measured_at=stamp(followers.observed_at),
        reported_at=stamp(at),
    )


def wire_cell(figures: Performance) -> pb.PerformanceCell:
    return pb.PerformanceCell(
        format=number(common.Format, figures.format),
        window_days=figures.window_days,
        exposure_median=figures.exposures,
        read_median=figures.reads,
        engagement_median=figures.engagements,
        provenance=number(common.Provenance, figures.provenance),
        measured_at=stamp(figures.observed_at),
    )


DIMENSIONS = {"gender": "gender", "ages": "age_band", "locations": "location", "interests": "interest",
              "devices": "device", "active_hours": "active_hour"}  # fmt: skip
"""Field of a stored report to its public dimension."""


def wire_audience(audience: Audience, creator_id: str, at: datetime | None) -> pb.AudienceReported:
    shares: list[pb.AudienceShare] = []
    for field, dimension in DIMENSIONS.items():
        named: tuple[Share, ...] = getattr(audience, field)
        shares += [pb.AudienceShare(dimension=dimension, value=share.name, share_bps=share.bps) for share in named]
    return pb.AudienceReported(
        creator_id=creator_id,
        population=number(pb.Population, audience.kind),
        provenance=number(common.Provenance, audience.provenance),
        sample_size=audience.sample_size,
        measured_at=stamp(audience.observed_at),
        shares=shares,
        active_bps=audience.active_bps or 0,
        read_bps=audience.read_bps or 0,
        engaged_bps=audience.engaged_bps or 0,
        paying_bps=audience.paying_bps or 0,
        reported_at=stamp(at),
    )


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
}
"""The public form of each event of a `creator-` stream."""
