"""Request bodies. Shares are basis points, money is minor units, times are RFC 3339 with an offset; others are refused."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kernel.core.bounds import each, whole
from kernel.edge.fields import Body, Bps, Currency, LongText, PositiveMinor, ShortText, UtcDatetime, worded
from services.discovery.domain.audience import Audience, AudienceKind, Share
from services.discovery.domain.checks import COUNT_LIMIT, Provenance
from services.discovery.domain.commands import (
    ChangeAvailability,
    RegisterCreator,
    ReinstateCreator,
    SuspendCreator,
    VerifyAccount,
)
from services.discovery.domain.csv_columns import BIO_CHARS, CONTACT_CHARS, NAME_CHARS
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.guardians.events import Relation
from services.discovery.domain.guardians.guardian import GiveGuardianConsent
from services.discovery.domain.profile import (
    Account,
    Availability,
    Gender,
    Platform,
    Profile,
)
from services.discovery.domain.rate_card import Format, FormatPrice, IndustryPrice, RateCard

Handle = Annotated[str, StringConstraints(min_length=1, max_length=66)]
Place = Annotated[str, whole(Profile, "city")]
Shares = Annotated[tuple["ShareBody", ...], whole(Audience, "gender")]
Count = Annotated[int, Field(ge=0, lt=COUNT_LIMIT)]


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
    categories: Annotated[
        tuple[Annotated[ShortText, each(Profile, "categories")], ...], whole(Profile, "categories")
    ] = ()
    tags: Annotated[tuple[Annotated[ShortText, each(Profile, "tags")], ...], whole(Profile, "tags")] = ()
    languages: Annotated[tuple[Annotated[ShortText, each(Profile, "languages")], ...], whole(Profile, "languages")] = ()
    country: Annotated[str, whole(Profile, "country")] = ""
    province: Place = ""
    city: Place = ""
    birth_year: Annotated[int, whole(Profile, "birth_year")] | None = None
    gender: Gender = Gender.UNDISCLOSED
    agency_id: Annotated[str, StringConstraints(max_length=36)] = ""
    virtual_human: bool = False
    virtual_operator: Annotated[str, whole(Profile, "virtual_operator")] = ""
    guardian_consent: bool = False
    examples: Annotated[tuple[Annotated[str, each(Profile, "examples")], ...], whole(Profile, "examples")] = ()

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
    accounts: Annotated[tuple[AccountBody, ...], whole(RegisterCreator, "accounts")] = ()


class IdentifyBody(AccountBody):
    """`account_id` is the platform's own, which stays when a handle changes."""

    account_id: Annotated[
        str,
        StringConstraints(
            min_length=1, max_length=64, pattern=worded(r"^[\x21-\x7e]+$", "printable ASCII without blanks")
        ),
    ]


class VerifyBody(AccountBody):
    method: Annotated[ShortText, whole(VerifyAccount, "method")]


class IndustryPriceBody(Body):
    industry: ShortText
    price_minor: PositiveMinor


class FormatPriceBody(Body):
    """From `next_from` on the price is `next_minor`; both or none."""

    format: Format
    price_minor: PositiveMinor
    industries: Annotated[tuple[IndustryPriceBody, ...], whole(FormatPrice, "industries")] = ()
    next_minor: PositiveMinor | None = None
    next_from: UtcDatetime | None = None

    def price(self) -> FormatPrice:
        special = tuple(IndustryPrice(one.industry, one.price_minor) for one in self.industries)
        return FormatPrice(self.format, self.price_minor, special, self.next_minor, self.next_from)


class RateCardBody(Body):
    currency: Currency
    prices: Annotated[tuple[FormatPriceBody, ...], whole(RateCard, "prices")] = ()
    commission_bps: Bps | None = None
    closed: Annotated[tuple[Format, ...], whole(RateCard, "closed")] = ()

    def card(self) -> RateCard:
        return RateCard(self.currency, tuple(one.price() for one in self.prices), self.commission_bps, self.closed)


class ShareBody(Body):
    name: Annotated[ShortText, whole(Share, "name")]
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


class GuardianBody(Body):
    """`evidence_sha256` is of the signed form; the form itself stays with the creator."""

    guardian: Annotated[ShortText, whole(GiveGuardianConsent, "guardian")]
    relation: Relation
    evidence_sha256: Annotated[str, StringConstraints(pattern=worded(r"^[0-9a-f]{64}$", "64 hexadecimal digits"))]


class AvailabilityBody(Body):
    availability: Availability
    max_parallel_jobs: Annotated[int, whole(ChangeAvailability, "max_parallel_jobs")]


class SuspendBody(Body):
    reason: Annotated[ShortText, whole(SuspendCreator, "reason")]
    until: UtcDatetime | None = None


class ReinstateBody(Body):
    reason: Annotated[ShortText, whole(ReinstateCreator, "reason")]
