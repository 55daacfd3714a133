"""A creator's profile, accounts and availability. Names, texts and contacts are personal: here are their revisions."""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from services.discovery.domain.categories import checked_category
from services.discovery.domain.checks import checked_text, checked_texts, checked_unique


class Platform(StrEnum):
    """Where an account lives."""

    XIAOHONGSHU = "xiaohongshu"
    DOUYIN = "douyin"
    WEIBO = "weibo"
    BILIBILI = "bilibili"
    TIKTOK = "tiktok"
    INSTAGRAM = "instagram"
    YOUTUBE = "youtube"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNDISCLOSED = "undisclosed"


class Availability(StrEnum):
    """Whether a creator takes new offers."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """An account on a platform; `handle` is normalised (see `handle_key`) and unique per platform."""

    platform: Platform
    handle: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything searchable about a person except words: `*_revision` name rows of the personal table ("" for none).

    `country` is ISO 3166-1 alpha-2, `languages` are BCP 47 tags, `agency_id` is an organisation's id or "".
    """

    display_name_revision: str
    bio_revision: str = ""
    contact_revision: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    country: str = ""
    province: str = ""
    city: str = ""
    birth_year: int | None = None
    gender: Gender = Gender.UNDISCLOSED
    agency_id: str = ""
    virtual_human: bool = False
    virtual_operator: str = ""
    guardian_consent: bool = False
    examples: tuple[str, ...] = ()


CATEGORIES_LIMIT, TAGS_LIMIT, LANGUAGES_LIMIT, EXAMPLES_LIMIT, ACCOUNTS_LIMIT = 5, 20, 8, 10, len(Platform)
JOBS_LIMIT = 1_000
PLACE_CHARS, OPERATOR_CHARS, LINK_CHARS = 60, 80, 508
_HANDLE = re.compile(r"[\w.\-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LINK = re.compile(rf"https://[^\s\"<>\\]{{4,{LINK_CHARS - len('https://')}}}")
_REVISION = re.compile(r"[A-Za-z0-9_\-.:]{1,64}")
OLDEST_BIRTH_YEAR, ADULT_AGE = 1900, 18


def handle_key(handle: str) -> str:
    """The form in which handles are compared and stored: NFKC, case folded, without blanks around and a leading @."""
    return unicodedata.normalize("NFKC", handle).strip().removeprefix("@").casefold()


def checked_account(account: Account) -> Account:
    """The account with its handle normalised; raises Invalid `creator.handle_malformed`."""
    handle = handle_key(account.handle)
    if not _HANDLE.fullmatch(handle):
        raise Invalid("creator.handle_malformed", field="handle", platform=account.platform, handle=handle[:64])
    return replace(account, handle=handle)


def checked_accounts(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """At most one account per platform, sorted by platform."""
    checked_unique("accounts", tuple(account.platform for account in accounts), ACCOUNTS_LIMIT)
    return tuple(sorted(map(checked_account, accounts), key=lambda account: account.platform))


def checked_profile(profile: Profile, at: datetime) -> Profile:
    """The profile in canonical order; raises Invalid naming the field that breaks its rule."""
    _check_revisions(profile)
    _check_person(profile, at)
    _check_place(profile)
    return replace(
        profile,
        categories=checked_unique("categories", tuple(map(checked_category, profile.categories)), CATEGORIES_LIMIT),
        tags=checked_texts("tags", profile.tags, TAGS_LIMIT, 30),
        languages=checked_unique("languages", tuple(map(checked_language, profile.languages)), LANGUAGES_LIMIT),
        examples=checked_unique("examples", tuple(map(checked_link, profile.examples)), EXAMPLES_LIMIT),
    )


def _check_revisions(profile: Profile) -> None:
    if not profile.display_name_revision:
        raise Invalid("creator.display_name_missing", field="display_name")
    for revision in (profile.display_name_revision, profile.bio_revision, profile.contact_revision):
        if revision and not _REVISION.fullmatch(revision):
            raise Invalid("creator.revision_malformed")


def _check_person(profile: Profile, at: datetime) -> None:
    if profile.agency_id:
        checked_id(profile.agency_id)
    if profile.virtual_human != bool(profile.virtual_operator):
        raise Invalid(
            "creator.virtual_operator_mismatch", field="virtual_operator", virtual_human=profile.virtual_human
        )
    checked_text("virtual_operator", profile.virtual_operator, OPERATOR_CHARS)
    if profile.birth_year is None:
        return
    if not OLDEST_BIRTH_YEAR <= profile.birth_year <= at.year:
        raise Invalid("creator.birth_year_out_of_range", field="birth_year", birth_year=profile.birth_year)
    if may_be_minor(profile.birth_year, at) and not profile.guardian_consent:
        raise Invalid("creator.guardian_consent_missing", field="guardian_consent", birth_year=profile.birth_year)


def may_be_minor(birth_year: int, at: datetime) -> bool:
    """True unless the person is certainly of age: only the year is known, so the birthday may still be to come."""
    return at.year - birth_year <= ADULT_AGE


def _check_place(profile: Profile) -> None:
    if profile.country and not _COUNTRY.fullmatch(profile.country):
        raise Invalid("creator.country_malformed", field="country", expected="ISO 3166-1 alpha-2, e.g. CN")
    for field, value, wider in (
        ("province", profile.province, profile.country),
        ("city", profile.city, profile.country),
    ):
        checked_text(field, value, PLACE_CHARS)
        if value and not wider:
            raise Invalid("creator.location_incomplete", field=field, needs="country")


def checked_language(language: str) -> str:
    """A BCP 47 tag of language, optional script and region, e.g. `zh`, `zh-Hant-HK`, `en-GB`."""
    if not _LANGUAGE.fullmatch(language):
        raise Invalid(
            "creator.language_malformed", field="languages", language=language[:20], expected="BCP 47, e.g. zh"
        )
    return language


def checked_link(link: str) -> str:
    """An https address of at most 508 characters."""
    if not _LINK.fullmatch(link):
        raise Invalid("creator.link_malformed", field="examples", expected="an https address")
    return link


def checked_jobs(max_parallel_jobs: int) -> int:
    """How many collaborations may run at once: 1..1,000."""
    if not 1 <= max_parallel_jobs <= JOBS_LIMIT:
        raise Invalid("creator.parallel_jobs_out_of_range", field="max_parallel_jobs", limit=JOBS_LIMIT)
    return max_parallel_jobs
