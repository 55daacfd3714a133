"""Discovery's projections. A module writes one projection's read models; tables/ has those tables under the same name."""

from kernel.processors.projector import Projection
from services.discovery.projections.authenticity import apply_authenticity
from services.discovery.projections.contacts import apply_contacts
from services.discovery.projections.creators import apply_creators
from services.discovery.projections.proofs import apply_proofs
from services.discovery.projections.track_records import apply_track_records
from services.discovery.subscribe import TOPICS
from services.discovery.tables.authenticity import AUTHENTICITY
from services.discovery.tables.contacts import CONTACT_READINGS, CONTACT_STATES, CONTACTS
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS
from services.discovery.tables.proofs import PROOFS
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_MARKS, CREATOR_RECORDS, CREATOR_WORK

CREATORS_PROJECTION = Projection("creators", 4, (CREATORS, CREATOR_LABELS, CREATOR_PRICES), apply_creators)
TRACK_RECORDS = Projection(
    "track_records",
    2,
    (CREATOR_WORK, CREATOR_MARKS, CREATOR_RECORDS, CREATOR_BRANDS),
    apply_track_records,
    own=False,
    topics=TOPICS,
)
AUTHENTICITY_PROJECTION = Projection("authenticity", 1, (AUTHENTICITY,), apply_authenticity)
PROOFS_PROJECTION = Projection("proofs", 1, (PROOFS,), apply_proofs)
CONTACTS_PROJECTION = Projection("contacts", 1, (CONTACTS, CONTACT_STATES, CONTACT_READINGS), apply_contacts)
PROJECTIONS = (CREATORS_PROJECTION, TRACK_RECORDS, AUTHENTICITY_PROJECTION, PROOFS_PROJECTION, CONTACTS_PROJECTION)
