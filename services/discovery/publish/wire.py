"""Values of a creator in their public form, for events and for answers of queries."""

from datetime import datetime

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from services.discovery.domain.audience import DIMENSIONS, Audience, Share
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.profile import Account, Profile
from services.discovery.domain.rate_card import FormatPrice, RateCard
from services.discovery.domain.tiers import tier_of


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
