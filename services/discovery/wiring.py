"""Discovery put together: the only composition root."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.runtime.settings import Settings
from services.discovery.codec import CODEC
from services.discovery.domain.authenticity.authenticity import AUTHENTICITY
from services.discovery.domain.contact.contact import CONTACT
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.erasure import ERASURES, FORGOTTEN
from services.discovery.domain.handles import ACCOUNT_IDS, HANDLES, VERIFIED
from services.discovery.domain.match_weights.match_weights import MATCH_WEIGHTS
from services.discovery.domain.media_kit.media_kit import MEDIA_KIT
from services.discovery.domain.proofs.proof import PROOF
from services.discovery.domain.saved_search.saved_search import SAVED_SEARCH
from services.discovery.domain.shortlist.shortlist import SHORTLIST, SHORTLIST_COUNTS
from services.discovery.effects import effects
from services.discovery.invariants import INVARIANTS
from services.discovery.ports.mail import Mail
from services.discovery.ports.profiles import Profiles
from services.discovery.process import PROCESSES
from services.discovery.projections import PROJECTIONS
from services.discovery.publish import publish
from services.discovery.settings import DiscoverySettings
from services.discovery.subscribe import decode, decode_command
from services.discovery.tables import metadata


def _http(app: App) -> Any:
    from services.discovery.rest import make_api  # imported when its role starts
    from services.discovery.rpc.saved_searches import criteria_from, criteria_text

    return make_api(app, criteria_text, criteria_from)


def _queries(app: App) -> Sequence[Any]:
    from services.discovery.rpc import make_queries

    return make_queries(app)


SERVICE = Service(
    name="discovery",
    settings=DiscoverySettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=(CREATOR, AUTHENTICITY, ERASURES, PROOF, CONTACT, MEDIA_KIT, MATCH_WEIGHTS, SAVED_SEARCH, SHORTLIST),
    publish=publish,
    http=_http,
    queries=_queries,
    inlines=(HANDLES, VERIFIED, ACCOUNT_IDS, FORGOTTEN, SHORTLIST_COUNTS),
    projections=PROJECTIONS,
    processes=PROCESSES,
    invariants=INVARIANTS,
    effects=effects,
    decode=decode,
    decode_command=decode_command,
)


def open_app(
    settings: Settings, bus: Bus | None = None, profiles: Profiles | None = None, mail: Mail | None = None
) -> App:
    """Discovery, opened; `profiles` and `mail` in place of those that the settings name."""
    service = replace(SERVICE, effects=partial(effects, profiles=profiles, mail=mail))
    return kernel_app.open_app(service, settings, bus)
