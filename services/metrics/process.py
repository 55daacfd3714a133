"""Clock of sites: what a look has found says when the next one is due (domain/site/site.py)."""

from collections.abc import Iterable

from kernel.core.canonical import canonical
from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.processors.processes import Deadline, deadlines
from services.metrics.codec import CODEC
from services.metrics.domain.site.events import SiteLooked, SiteLookRequested
from services.metrics.domain.site.site import LookAtSite

LOOK = "look"


def _fold(fact: DecidedEvent[SiteLookRequested | SiteLooked], rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """The one deadline of a site: its next look."""
    event, key = fact.event, (fact.stream, LOOK)
    if isinstance(event, SiteLookRequested) or event.next_look_at is None:
        yield key, None
        return
    data = canonical(LookAtSite(event.ordinal + 1)).decode()
    yield key, Deadline(*key, event.next_look_at, CODEC.name_of(LookAtSite), data)


DEADLINES: InlineTable[Deadline] = deadlines((SiteLookRequested, SiteLooked), _fold)
