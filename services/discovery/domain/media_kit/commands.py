"""What may be asked of a creator's media kit; media_kit.py decides."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from services.discovery.domain.checks import Provenance


class Section(StrEnum):
    """A part of the page, in the order in which pages show them."""

    ABOUT = "about"
    ACCOUNTS = "accounts"
    PERFORMANCE = "performance"
    AUDIENCE = "audience"
    RATES = "rates"
    RECORD = "record"
    EXAMPLES = "examples"


class Unit(StrEnum):
    """What a figure's number counts: a count, millionths of a whole, or minor units of the figure's currency."""

    COUNT = "count"
    MICROS = "micros"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number as it stood: `name` such as `followers.douyin`, `performance.video.30.reads`, `price.video` or
    `audience.followers.gender.female`; `observed_at` None where nobody said when, as of a price."""

    section: Section
    name: str
    value: int
    unit: Unit
    currency: str
    provenance: Provenance
    observed_at: datetime | None


Sections = Annotated[tuple[Section, ...], Asked(Len(1, len(Section)))]
Examples = Annotated[tuple[str, ...], Asked(Len(0, 10))]
Label = Annotated[str, Asked(Len(1, 60))]


@dataclass(frozen=True, slots=True)
class PublishKit:
    """Publishes the next version. `figures` are what discovery knows of the creator's numbers now, in the chosen sections.

    `examples` are links of the creator's profile, those that the kit shows.
    """

    sections: Sections
    examples: Examples
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class WithdrawKit:
    """Nobody sees the kit any more, at any address, until it is published again."""


@dataclass(frozen=True, slots=True)
class ShareKit:
    """Makes an address for the kit, for a reader whom `label` names to the creator; it ends at `expires_at`, None for never."""

    link_id: str
    label: Label
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class RevokeShare:
    """Ends an address for good."""

    link_id: str


@dataclass(frozen=True, slots=True)
class RecordOpening:
    """Somebody opened the kit at an address; said by the edge that served it, once for each `opening_id`."""

    link_id: str
    opening_id: str


Command = PublishKit | WithdrawKit | ShareKit | RevokeShare | RecordOpening
