"""Request bodies. Shares are basis points, money is minor units, times are RFC 3339 with an offset; others are refused."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kernel.edge.fields import Body, Bps, Count, Currency, LongText, PositiveMinor, ShortText, UtcDatetime
from services.discovery.domain.audience import SHARES_LIMIT, Audience, AudienceKind, Share
from services.discovery.domain.checks import Provenance
from services.discovery.domain.csv_columns import BIO_CHARS, CONTACT_CHARS, NAME_CHARS
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.profile import (
    ACCOUNTS_LIMIT,
    JOBS_LIMIT,
    LINK_CHARS,
    OLDEST_BIRTH_YEAR,
    OPERATOR_CHARS,
    PLACE_CHARS,
    TAGS_LIMIT,
    Account,
    Availability,
    Gender,
    Platform,
    Profile,
)
from services.discovery.domain.rate_card import Format, FormatPrice, IndustryPrice, RateCard

Handle = Annotated[str, StringConstraints(min_length=1, max_length=66)]
Few = Field(default=(), max_length=TAGS_LIMIT)
"""The longest of the lists; the domain refuses the shorter ones by their own limits."""
Shares = Annotated[tuple["ShareBody", ...], Field(max_length=SHARES_LIMIT)]


class AccountBody(Body):
    platform: Platform
    handle: Handle

    def account(self) -> Account:
        return Account(self.platform, self.handle)


class ProfileBody(Body):
    """`display_name`, `bio` and `contact` are personal: kept encrypted, shown by queries, never in an event."""

    display_name: Annotated[ShortText, Field(max_length=NAME_CHARS)]
    bio: Annotated[LongText, Field(max_length=BIO_CHARS)] = ""
    contact: Annotated[LongText, Field(max_length=CONTACT_CHARS)] = ""
    categories: tuple[ShortText, ...] = Few
    tags: tuple[ShortText, ...] = Few
    languages: tuple[ShortText, ...] = Few
    country: Annotated[str, StringConstraints(max_length=2)] = ""
    province: Annotated[str, StringConstraints(max_length=PLACE_CHARS)] = ""
    city: Annotated[str, StringConstraints(max_length=PLACE_CHARS)] = ""
    birth_year: Annotated[int, Field(strict=True, ge=OLDEST_BIRTH_YEAR, le=9999)] | None = None
    gender: Gender = Gender.UNDISCLOSED
    agency_id: Annotated[str, StringConstraints(max_length=36)] = ""
    virtual_human: bool = False
    virtual_operator: Annotated[str, StringConstraints(max_length=OPERATOR_CHARS)] = ""
    guardian_consent: bool = False
    examples: tuple[Annotated[str, StringConstraints(max_length=LINK_CHARS)], ...] = Few

    def texts(self) -> dict[str, str]:
        return {"display_name": self.display_name, "bio": self.bio, "contact": self.contact}

    def profile(self, revisions: Mapping[str, str]) -> Profile:
        plain = self.model_dump(exclude={"display_name", "bio", "contact"})
        return Profile(
            display_name_revision=revisions.get("display_name", ""),
            bio_revision=revisions.get("bio", ""),
            contact_revision=revisions.get("contact", ""),
            **plain,
        )


class RegisterBody(Body):
    profile: ProfileBody
    accounts: tuple[AccountBody, ...] = Field(default=(), max_length=ACCOUNTS_LIMIT)


class VerifyBody(AccountBody):
    method: ShortText


class IndustryPriceBody(Body):
    industry: ShortText
    price_minor: PositiveMinor


class FormatPriceBody(Body):
    """From `next_from` on the price is `next_minor`; both or none."""

    format: Format
    price_minor: PositiveMinor
    industries: tuple[IndustryPriceBody, ...] = Field(default=(), max_length=40)
    next_minor: PositiveMinor | None = None
    next_from: UtcDatetime | None = None

    def price(self) -> FormatPrice:
        special = tuple(IndustryPrice(one.industry, one.price_minor) for one in self.industries)
        return FormatPrice(self.format, self.price_minor, special, self.next_minor, self.next_from)


class RateCardBody(Body):
    currency: Currency
    prices: tuple[FormatPriceBody, ...] = Field(default=(), max_length=len(Format))
    commission_bps: Bps | None = None
    closed: tuple[Format, ...] = Field(default=(), max_length=len(Format))

    def card(self) -> RateCard:
        return RateCard(self.currency, tuple(one.price() for one in self.prices), self.commission_bps, self.closed)


class ShareBody(Body):
    name: ShortText
    bps: Bps


class AudienceBody(Body):
    kind: AudienceKind
    provenance: Provenance
    sample_size: Count
    observed_at: UtcDatetime
    gender: Shares = ()
    ages: Shares = ()
    locations: Shares = ()
    interests: Shares = ()
    devices: Shares = ()
    active_hours: Shares = ()
    active_bps: Bps | None = None
    read_bps: Bps | None = None
    engaged_bps: Bps | None = None
    paying_bps: Bps | None = None

    def audience(self) -> Audience:
        lists = ("gender", "ages", "locations", "interests", "devices", "active_hours")
        shares: dict[str, Any] = {
            name: tuple(Share(one.name, one.bps) for one in getattr(self, name)) for name in lists
        }
        return Audience(**self.model_dump(exclude=set(lists)), **shares)


class FollowersBody(Body):
    platform: Platform
    count: Count
    provenance: Provenance
    observed_at: UtcDatetime

    def followers(self) -> Followers:
        return Followers(**self.model_dump())


class PerformanceBody(Body):
    """Medians per content over `window_days` (30 or 90)."""

    format: Format
    window_days: Annotated[int, Field(strict=True, ge=1, le=366)]
    exposures: Count
    reads: Count
    engagements: Count
    provenance: Provenance
    observed_at: UtcDatetime

    def performance(self) -> Performance:
        return Performance(**self.model_dump())


class AvailabilityBody(Body):
    availability: Availability
    max_parallel_jobs: Annotated[int, Field(strict=True, ge=1, le=JOBS_LIMIT)]


class SuspendBody(Body):
    reason: ShortText
    until: UtcDatetime | None = None


class ReinstateBody(Body):
    reason: ShortText
