"""A creator's profile, accounts and availability. Names, texts and contacts are personal: here are their revisions."""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Interval, Len
from dandelion_posts.authors import handle_key

from kernel.core.bounds import Asked, limits
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.core.personal import PersonalData
from kernel.core.world.iso_codes import countries, is_language
from services.discovery.domain.categories import checked_category
from services.discovery.domain.checks import checked_few, checked_line, checked_texts, checked_unique


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
    """An account on a platform; `handle` is normalised (see `handle_key`), and several creators may claim one."""

    platform: Platform
    handle: Annotated[str, PersonalData()]
    digest: str = field(default="", compare=False)
    """`author_digest` in stored events, for other services to compare the author of a post with; "" where nobody asked yet."""


Place = Annotated[str, Asked(Len(0, 60)), PersonalData()]
LINK_CHARS = 508


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything searchable about a person except words: `*_revision` name rows of the personal table ("" for none).

    Fields marked `PersonalData` are sealed in the log; a field added here is marked, or named as harmless in the tests.

    `country` is ISO 3166-1 alpha-2, `languages` are BCP 47 tags, `agency_id` is an organisation's id or "".
    """

    display_name_revision: str
    bio_revision: str = ""
    contact_revision: str = ""
    categories: Annotated[tuple[str, ...], Asked(Len(0, 5), each=Len(1, 60))] = ()
    tags: Annotated[tuple[str, ...], Asked(Len(0, 20), each=Len(1, 30)), PersonalData(())] = ()
    languages: Annotated[tuple[str, ...], Asked(Len(0, 8), each=Len(2, 12))] = ()
    country: Annotated[str, Asked(Len(0, 2))] = ""
    province: Place = ""
    city: Place = ""
    birth_year: Annotated[int | None, Asked(Interval(ge=1900, le=9999)), PersonalData(None)] = None
    gender: Annotated[Gender, PersonalData("undisclosed")] = Gender.UNDISCLOSED
    agency_id: str = ""
    virtual_human: bool = False
    virtual_operator: Annotated[str, Asked(Len(0, 80)), PersonalData()] = ""
    guardian_consent: Annotated[bool, PersonalData(False)] = False
    examples: Annotated[tuple[str, ...], Asked(Len(0, 10), each=Len(12, LINK_CHARS)), PersonalData(())] = ()


def impersonal(profile: Profile) -> Profile:
    """The profile as everybody may know it for ever: without what is sealed, and with the revisions of its texts."""
    return Profile(
        profile.display_name_revision,
        profile.bio_revision,
        profile.contact_revision,
        categories=profile.categories,
        languages=profile.languages,
        country=profile.country,
        agency_id=profile.agency_id,
        virtual_human=profile.virtual_human,
    )


HANDLE_CHARS = 64
_MARKS = frozenset("._-·")
_ASCII = re.compile(r"[\w.\-]*[a-z0-9][\w.\-]*", re.ASCII | re.IGNORECASE)
_JOINERS = frozenset("\u200c\u200d")
_COUNT = re.compile(r"[0-9]+(?:[.,][0-9]+)?[万萬亿億]\+?|[0-9]+[.,][0-9]+[wkm]\+?")
_LANGUAGE = re.compile(r"(?P<language>[a-z]{2,3})(-[A-Z][a-z]{3})?(-((?P<country>[A-Z]{2})|[0-9]{3}))?")
_LINK = re.compile(rf"https://[^\s\"<>\\]{{4,{LINK_CHARS - len('https://')}}}")
_REVISION = re.compile(r"[A-Za-z0-9_\-.:]{1,64}")
ADULT_AGE = 18


def checked_account(account: Account) -> Account:
    """The account with its handle normalised; raises Invalid `creator.handle_malformed`."""
    handle = handle_key(account.handle)
    if not is_handle(handle):
        raise Invalid("creator.handle_malformed", field="handle", platform=account.platform, handle=handle[:64])
    return replace(account, handle=handle)


def is_handle(handle: str) -> bool:
    """Letters of any script with their marks, digits, and `. _ - ·`; at least one letter or digit. A count is no handle.

    Joiners stand only between letters that are written with marks: elsewhere they are invisible.
    """
    if not 1 <= len(handle) <= HANDLE_CHARS or _COUNT.fullmatch(handle):
        return False
    if handle.isascii():
        return _ASCII.fullmatch(handle) is not None
    kinds = [unicodedata.category(letter)[0] for letter in handle]
    joined = all(at and kinds[at - 1] == "M" for at, letter in enumerate(handle) if letter in _JOINERS)
    plain = all(
        kind in "LMN" or letter in _MARKS or letter in _JOINERS for letter, kind in zip(handle, kinds, strict=True)
    )
    return joined and plain and kinds[0] != "M" and not {"L", "N"}.isdisjoint(kinds)


def checked_accounts(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """At most one account per platform, sorted by platform."""
    checked_unique("accounts", tuple(account.platform for account in accounts), len(Platform))
    return tuple(sorted(map(checked_account, accounts), key=lambda account: account.platform))


def checked_profile(profile: Profile, at: datetime) -> Profile:
    """The profile in canonical order; raises Invalid naming the field that breaks its rule."""
    _check_revisions(profile)
    _check_person(profile, at)
    _check_place(profile)
    return replace(
        profile,
        categories=checked_few(profile, "categories", tuple(map(checked_category, profile.categories))),
        tags=checked_texts(profile, "tags"),
        languages=checked_few(profile, "languages", tuple(map(checked_language, profile.languages))),
        examples=checked_few(profile, "examples", tuple(map(checked_link, profile.examples))),
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
    checked_line(profile, "virtual_operator")
    if profile.birth_year is None:
        return
    if not limits(profile, "birth_year")[0] <= profile.birth_year <= at.year:
        raise Invalid("creator.birth_year_out_of_range", field="birth_year", birth_year=profile.birth_year)
    if may_be_minor(profile.birth_year, at) and not profile.guardian_consent:
        raise Invalid("creator.guardian_consent_missing", field="guardian_consent", birth_year=profile.birth_year)


def may_be_minor(birth_year: int, at: datetime) -> bool:
    """True unless the person is certainly of age: only the year is known, so the birthday may still be to come."""
    return at.year - birth_year <= ADULT_AGE


class AgeClass(StrEnum):
    """Others than the creator and operators see of a birth year."""

    UNTOLD = ""
    ADULT = "adult"
    MAY_BE_MINOR = "may_be_minor"


def age_class(birth_year: int | None, at: datetime) -> AgeClass:
    if birth_year is None:
        return AgeClass.UNTOLD
    return AgeClass.MAY_BE_MINOR if may_be_minor(birth_year, at) else AgeClass.ADULT


def _check_place(profile: Profile) -> None:
    if profile.country and profile.country not in countries():
        expected = "a country of ISO 3166-1 by its two capitals, such as CN or GB"
        raise Invalid("creator.country_malformed", field="country", expected=expected)
    for name, value, wider in (
        ("province", profile.province, profile.country),
        ("city", profile.city, profile.country),
    ):
        checked_line(profile, name)
        if value and not wider:
            raise Invalid("creator.location_incomplete", field=name, needs="country")


def checked_language(language: str) -> str:
    """A BCP 47 tag of language, optional script and region, e.g. `zh`, `zh-Hant-HK`, `en-GB`; language and region exist."""
    found = _LANGUAGE.fullmatch(language)
    region = (found["country"] or "") if found else ""
    if found is None or not is_language(found["language"]) or (region and region not in countries()):
        raise Invalid(
            "creator.language_malformed", field="languages", language=language[:20], expected="BCP 47, e.g. zh or en-GB"
        )
    return language


def checked_link(link: str) -> str:
    """An https address of at most 508 characters."""
    if not _LINK.fullmatch(link):
        raise Invalid("creator.link_malformed", field="examples", expected="an https address")
    return link
