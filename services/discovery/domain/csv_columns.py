"""The columns of a creators file: how each is read, which are required, and what a row means.

Ratios are decimals in 0..1 with at most four places, money is minor units, dates are UTC days; another unit is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from kernel.core.faults import Invalid
from kernel.core.ids import derived_id
from kernel.core.money import checked_currency
from services.discovery.domain.audience import Audience, AudienceKind
from services.discovery.domain.categories import checked_category
from services.discovery.domain.checks import Provenance, checked_count, checked_text
from services.discovery.domain.commands import (
    Change,
    ChangeAvailability,
    ChangeRateCard,
    ImportCreator,
    RegisterCreator,
    ReportAudience,
    ReportFollowers,
    ReportPerformance,
)
from services.discovery.domain.csv.shares import LIST_LIMIT, read_ratio, read_shares
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.identity import checked_account_id
from services.discovery.domain.profile import (
    Account,
    Availability,
    Gender,
    Platform,
    Profile,
    checked_account,
    checked_language,
    checked_link,
)
from services.discovery.domain.rate_card import Format, FormatPrice, RateCard

Values = dict[str, Any]
NAME_CHARS, BIO_CHARS, CONTACT_CHARS = 80, 1_000, 200
_NUMBER = re.compile(r"[0-9]{1,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Column:
    """`read` turns a non-empty field into its value or raises Invalid; an empty one is None, or a fault if required."""

    doc: str
    read: Callable[[str], Any]
    required: bool = False

    def value_of(self, text: str) -> Any:
        if text:
            return self.read(text)
        if self.required:
            raise Invalid("csv.value_missing")
        return None


@dataclass(frozen=True, slots=True)
class CreatorRow:
    """One good row. Texts are personal data: they are sealed where the file is received, only revisions go on."""

    line: int
    creator_id: str
    """The same account has the same id in every file."""
    account: Account
    display_name: str
    bio: str
    contact: str
    profile: Profile
    changes: tuple[Change, ...]
    account_id: str = ""
    """The platform's own id of the account; "" where the file does not say it."""

    def command(self, revisions: Mapping[str, str]) -> ImportCreator:
        """`revisions` by personal field: `display_name`, `bio`, `contact`; what is missing was empty."""
        profile = replace(
            self.profile,
            display_name_revision=revisions.get("display_name", ""),
            bio_revision=revisions.get("bio", ""),
            contact_revision=revisions.get("contact", ""),
        )
        return ImportCreator(RegisterCreator(self.creator_id, profile, (self.account,)), self.changes, self.account_id)


def read_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Invalid("number.malformed", value=text[:40], expected="a whole number without separators")
    return int(text)


def read_count(text: str) -> int:
    return checked_count("", read_number(text))


def read_day(text: str) -> datetime:
    """Midnight UTC of a day such as `2025-06-30`."""
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Invalid("day.malformed", value=text[:40], expected="YYYY-MM-DD")


def read_flag(text: str) -> bool:
    """In any case: spreadsheets write TRUE."""
    said = text.casefold()
    if said not in ("true", "false"):
        raise Invalid("flag.malformed", value=text[:40], expected="true or false")
    return said == "true"


def read_list(item: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Values separated by `;`."""

    def read(text: str) -> tuple[Any, ...]:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        if len(parts) > LIST_LIMIT:
            raise Invalid("list.too_long", limit=LIST_LIMIT)
        return tuple(map(item, parts))

    return read


def one_of(kind: Callable[[str], Any], names: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise Invalid("value.unknown", value=text[:40], expected=names) from None

    return read


def text_of(limit: int) -> Callable[[str], str]:
    return lambda text: checked_text("", text, limit)


def read_bio(text: str) -> str:
    """Lines are allowed here."""
    checked_text("", text.replace("\n", " "), BIO_CHARS)
    return text


_FORMATS = ", ".join(Format)

COLUMNS: dict[str, Column] = {
    "platform": Column(f"one of {', '.join(Platform)}", one_of(Platform, ", ".join(Platform)), True),
    "handle": Column("the account's name on the platform, unique there; with or without @", str, True),
    "display_name": Column(f"personal; at most {NAME_CHARS} characters", text_of(NAME_CHARS), True),
    "bio": Column(f"personal; at most {BIO_CHARS} characters, lines allowed", read_bio),
    "contact": Column(f"personal; never shown by search; at most {CONTACT_CHARS} characters", text_of(CONTACT_CHARS)),
    "categories": Column("`first` or `first/second`, separated by `;`, at most 5", read_list(checked_category), True),
    "tags": Column("separated by `;`, at most 20", read_list(str)),
    "languages": Column("BCP 47 tags separated by `;`, e.g. `zh;en`", read_list(checked_language)),
    "country": Column("ISO 3166-1 alpha-2, e.g. `CN`", str),
    "province": Column("text; needs country", text_of(60)),
    "city": Column("text; needs country", text_of(60)),
    "birth_year": Column("four digits", read_number),
    "gender": Column(", ".join(Gender), one_of(Gender, ", ".join(Gender))),
    "agency_id": Column("the agency's organisation id (UUID)", str),
    "virtual_operator": Column("who runs a virtual human; empty for a real person", text_of(80)),
    "guardian_consent": Column("`true` where a minor's guardian agreed", read_flag),
    "examples": Column("https addresses separated by `;`, at most 10", read_list(checked_link)),
    "availability": Column(", ".join(Availability), one_of(Availability, ", ".join(Availability))),
    "max_parallel_jobs": Column("1 to 1000", read_number),
    "currency": Column("ISO 4217; required with any price", checked_currency),
    "image_note_minor": Column("price in minor units (fen, cents); empty: not offered", read_number),
    "video_minor": Column("price in minor units", read_number),
    "live_hour_minor": Column("price of an hour of live session in minor units", read_number),
    "story_minor": Column("price in minor units", read_number),
    "commission": Column("share of sales accepted (CPS), a ratio; empty: none", read_ratio),
    "closed_formats": Column(f"priced but not for sale now: {_FORMATS}; separated by `;`",
                             read_list(one_of(Format, _FORMATS))),
    "observed_on": Column("the day of all figures below, as it is where they were read", read_day, True),
    "provenance": Column(", ".join(Provenance), one_of(Provenance, ", ".join(Provenance))),
    "followers": Column("a count", read_count, True),
    "image_note_exposures": Column("median per image note over 30 days", read_count),
    "image_note_reads": Column("median per image note over 30 days", read_count),
    "image_note_engagements": Column("median of likes + saves + comments + shares + follows", read_count),
    "video_exposures": Column("median per video over 30 days", read_count),
    "video_reads": Column("median of views per video over 30 days", read_count),
    "video_engagements": Column("median of likes + saves + comments + shares + follows", read_count),
    "audience_sample": Column("number of followers the shares below rest on", read_count),
    "audience_gender": Column("`female=0.72;male=0.28`", read_shares),
    "audience_ages": Column("`<18=0.05;18-24=0.41;25-34=0.38;35-44=0.11;45+=0.05`", read_shares),
    "audience_locations": Column("`Shanghai=0.18;Guangdong=0.15`", read_shares),
    "audience_interests": Column("`美妆=0.4;时尚=0.3`", read_shares),
    "audience_active": Column("share of followers active in 30 days, a ratio", read_ratio),
    "account_id": Column("the platform's own id of the account, which stays when its handle changes", checked_account_id),
}  # fmt: skip
"""In the order in which files are written; a file may have them in any order."""
REQUIRED = tuple(name for name, column in COLUMNS.items() if column.required)


def creator_row(line: int, values: Values) -> CreatorRow:
    """The meaning of a row whose fields are good each by itself; raises Invalid for what does not fit together."""
    account = checked_account(Account(values["platform"], values["handle"]))
    return CreatorRow(
        line,
        derived_id("creator", account.platform, account.handle),
        account,
        values["display_name"],
        values.get("bio") or "",
        values.get("contact") or "",
        _profile(values),
        tuple(_changes(values, account)),
        values.get("account_id") or "",
    )


def _profile(values: Values) -> Profile:
    return Profile(
        display_name_revision="",
        categories=values["categories"],
        tags=values.get("tags") or (),
        languages=values.get("languages") or (),
        country=values.get("country") or "",
        province=values.get("province") or "",
        city=values.get("city") or "",
        birth_year=values.get("birth_year"),
        gender=values.get("gender") or Gender.UNDISCLOSED,
        agency_id=values.get("agency_id") or "",
        virtual_human=bool(values.get("virtual_operator")),
        virtual_operator=values.get("virtual_operator") or "",
        guardian_consent=values.get("guardian_consent") or False,
        examples=values.get("examples") or (),
    )


def _changes(values: Values, account: Account) -> list[Change]:
    provenance = values.get("provenance") or Provenance.MANUAL
    on = values["observed_on"]
    changes: list[Change] = [ReportFollowers(Followers(account.platform, values["followers"], provenance, on))]
    card = _card(values)
    if card is not None:
        changes.append(ChangeRateCard(card))
    if values.get("availability"):
        changes.append(ChangeAvailability(values["availability"], _needed(values, "max_parallel_jobs")))
    grid = [_performance(values, kind, provenance, on) for kind in ("image_note", "video") if _any(values, kind)]
    changes.extend(map(ReportPerformance, grid))
    if values.get("audience_sample"):
        changes.append(ReportAudience(_audience(values, provenance, on)))
    return changes


def _any(values: Values, kind: str) -> bool:
    return any(values.get(f"{kind}_{figure}") is not None for figure in ("exposures", "reads", "engagements"))


def _needed(values: Values, name: str) -> Any:
    value = values.get(name)
    if value is None:
        raise Invalid("csv.value_missing", field=name)
    return value


def _card(values: Values) -> RateCard | None:
    prices = {kind: values.get(f"{kind.value}_minor") for kind in Format}
    given = tuple(FormatPrice(kind, price) for kind, price in sorted(prices.items()) if price is not None)
    if not given:
        return None
    closed = tuple(sorted(values.get("closed_formats") or ()))
    return RateCard(_needed(values, "currency"), given, values.get("commission"), closed)


def _performance(values: Values, kind: str, provenance: Provenance, on: datetime) -> Performance:
    exposures, reads, engagements = (_needed(values, f"{kind}_{f}") for f in ("exposures", "reads", "engagements"))
    if reads > exposures:
        raise Invalid("performance.reads_over_exposures", field=f"{kind}_reads", reads=reads, exposures=exposures)
    return Performance(Format(kind), 30, exposures, reads, engagements, provenance, on)


def _audience(values: Values, provenance: Provenance, on: datetime) -> Audience:
    return Audience(
        AudienceKind.FOLLOWERS,
        provenance,
        values["audience_sample"],
        on,
        gender=values.get("audience_gender") or (),
        ages=values.get("audience_ages") or (),
        locations=values.get("audience_locations") or (),
        interests=values.get("audience_interests") or (),
        active_bps=values.get("audience_active"),
    )
