"""Discovery's projections. A module writes one projection's read models; tables/ has those tables under the same name."""

from dataclasses import replace

from kernel.processors.projector import Projection
from services.discovery.projections.authenticity import apply_authenticity
from services.discovery.projections.contacts import apply_contacts
from services.discovery.projections.creators import apply_creators
from services.discovery.projections.match_weights import apply_match_weights
from services.discovery.projections.measured import apply_measured
from services.discovery.projections.media_kits import apply_media_kits
from services.discovery.projections.noting import noting
from services.discovery.projections.proofs import apply_proofs
from services.discovery.projections.saved_searches import apply_saved_searches
from services.discovery.projections.shortlists import apply_shortlists
from services.discovery.projections.track_records import apply_track_records
from services.discovery.subscribe import TOPICS
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.authenticity import AUTHENTICITY
from services.discovery.tables.contacts import CONTACT_READINGS, CONTACT_STATES, CONTACTS
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS
from services.discovery.tables.match_weights import MATCH_BRIEFS, MATCH_OUTCOMES, MATCH_WEIGHTS
from services.discovery.tables.measured import (
    CREATOR_ACTIVITY,
    CREATOR_CONDUCT,
    CREATOR_GRID,
    CREATOR_GROWTH,
    CREATOR_LIVE,
    FOLLOWER_HISTORY,
)
from services.discovery.tables.media_kits import MEDIA_KIT_LINKS, MEDIA_KIT_OPENINGS, MEDIA_KITS
from services.discovery.tables.proofs import PROOFS
from services.discovery.tables.saved_searches import SAVED_SEARCH_MATCHES, SAVED_SEARCHES
from services.discovery.tables.shortlists import SHORTLISTED, SHORTLISTS
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_MARKS, CREATOR_RECORDS, CREATOR_WORK

CREATORS_PROJECTION = Projection(
    "creators", 6, (CREATORS, CREATOR_LABELS, CREATOR_PRICES, CREATOR_SHARES), apply_creators
)
TRACK_RECORDS = Projection(
    "track_records",
    3,
    (CREATOR_WORK, CREATOR_MARKS, CREATOR_RECORDS, CREATOR_BRANDS),
    apply_track_records,
    own=False,
    topics=TOPICS,
)
AUTHENTICITY_PROJECTION = Projection("authenticity", 1, (AUTHENTICITY,), apply_authenticity)
PROOFS_PROJECTION = Projection("proofs", 1, (PROOFS,), apply_proofs)
CONTACTS_PROJECTION = Projection("contacts", 1, (CONTACTS, CONTACT_STATES, CONTACT_READINGS), apply_contacts)
MEASURED = Projection(
    "measured",
    2,
    (CREATOR_GRID, FOLLOWER_HISTORY, CREATOR_GROWTH, CREATOR_CONDUCT, CREATOR_ACTIVITY, CREATOR_LIVE),
    apply_measured,
    topics=TOPICS,
)
MEDIA_KITS_PROJECTION = Projection("media_kits", 1, (MEDIA_KITS, MEDIA_KIT_LINKS, MEDIA_KIT_OPENINGS), apply_media_kits)
MATCH_WEIGHTS_PROJECTION = Projection(
    "match_weights",
    1,
    (MATCH_WEIGHTS, MATCH_BRIEFS, MATCH_OUTCOMES),
    apply_match_weights,
    topics=tuple(one for one in TOPICS if one.service == "campaigns"),
)
SAVED_SEARCHES_PROJECTION = Projection(
    "saved_searches", 1, (SAVED_SEARCHES, SAVED_SEARCH_MATCHES), apply_saved_searches
)
SHORTLISTS_PROJECTION = Projection("shortlists", 1, (SHORTLISTS, SHORTLISTED), apply_shortlists)
FOLLOWED = tuple(
    replace(one, apply=noting(one.name, one.apply))
    for one in (
        CREATORS_PROJECTION,
        TRACK_RECORDS,
        AUTHENTICITY_PROJECTION,
        PROOFS_PROJECTION,
        CONTACTS_PROJECTION,
        MEASURED,
        MEDIA_KITS_PROJECTION,
    )
)
"""Each notes whose rows it writes, for search indexes to follow."""
PROJECTIONS = (*FOLLOWED, MATCH_WEIGHTS_PROJECTION, SAVED_SEARCHES_PROJECTION, SHORTLISTS_PROJECTION)
