"""What happened to a media kit. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from kernel.core.personal import PersonalData
from services.discovery.domain.media_kit.commands import Figure, Section


@dataclass(frozen=True, slots=True)
class KitPublished:
    """Version `version` (from 1) is what readers see from now on."""

    version: int
    sections: tuple[Section, ...]
    figures: tuple[Figure, ...]
    examples: Annotated[tuple[str, ...], PersonalData(())] = ()


@dataclass(frozen=True, slots=True)
class KitWithdrawn:
    """No version is shown any more."""

    version: int


@dataclass(frozen=True, slots=True)
class KitShared:
    link_id: str
    label: Annotated[str, PersonalData()]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class KitShareRevoked:
    link_id: str


@dataclass(frozen=True, slots=True)
class KitOpened:
    """Opened once at an address on a day (UTC), by somebody of whom nothing is known."""

    link_id: str
    day: date
    opening_id: str


Event = KitPublished | KitWithdrawn | KitShared | KitShareRevoked | KitOpened
