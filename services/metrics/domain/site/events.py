"""What happens to a site: claimed, looked at, proven and, when the proof is gone, lost."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kernel.core.ids import derived_id, stream_id

SITE = "site"


class SiteStatus(StrEnum):
    CLAIMED = "claimed"
    """The proof was not seen yet."""
    PROVEN = "proven"
    LOST = "lost"
    """It was proven, and the proof is gone: no new link leads there."""


class Outcome(StrEnum):
    """What a look found."""

    DOMAIN = "domain"
    """The proof stands in DNS: the host is the brand's, and all names below it."""
    HOST = "host"
    """The proof stands in a file of the host: the host alone is the brand's."""
    ABSENT = "absent"
    """There was an answer, and no proof in it."""
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class SiteClaimed:
    """`brand_id` says that `host` is its own, and is to publish the proof, which names `site_id`."""

    site_id: str
    brand_id: str
    host: str


@dataclass(frozen=True, slots=True)
class SiteLookRequested:
    """An intent: look for the proof. `ordinal` counts the looks at the site from 1; `asked`: by the brand, not by the clock."""

    site_id: str
    brand_id: str
    host: str
    ordinal: int
    requested_at: datetime
    asked: bool


@dataclass(frozen=True, slots=True)
class SiteLooked:
    """What the look found, and what the site is since. `covers` is "domain" or "host" while it is proven; `why` is the code of
    what was found in place of the proof; `next_look_at` is None where the clock looks no more."""

    site_id: str
    brand_id: str
    host: str
    ordinal: int
    outcome: Outcome
    status: SiteStatus
    covers: str
    why: str
    looked_at: datetime
    next_look_at: datetime | None


Event = SiteClaimed | SiteLookRequested | SiteLooked


def site_id_of(brand_id: str, host: str) -> str:
    """One site per brand and host; two brands may prove one host, whose owner says so twice."""
    return derived_id(SITE, brand_id, host)


def site_stream(brand_id: str, host: str) -> str:
    return stream_id(SITE, site_id_of(brand_id, host))


def proof_of(site_id: str) -> str:
    """What the host's owner publishes. No secret: it says for which brand, and only the owner can publish it there."""
    return f"dandelion-site={site_id}"
