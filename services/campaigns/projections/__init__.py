"""Writes the read models of campaigns: from its own log campaigns, versions of briefs, applications,
collaborations, deliverables, disputes, the posting calendar and marked deals, from the ledger's topic the payments that wait.

Events carry all that is needed, and the domain's own folds say what they mean. No clock, random, float or personal data:
a rebuild gives the same bytes.
"""

from kernel.processors.projector import Projection
from kernel.streams.records import Topic
from services.campaigns.projections.applications import apply_applications
from services.campaigns.projections.briefs import apply_briefs
from services.campaigns.projections.campaigns import apply_campaigns
from services.campaigns.projections.disputes import apply_disputes
from services.campaigns.projections.marks import apply_marks
from services.campaigns.projections.postings import apply_postings
from services.campaigns.projections.waits import apply_waits
from services.campaigns.projections.work import apply_work
from services.campaigns.tables import (
    APPLICATIONS,
    BRIEF_VERSIONS,
    CAMPAIGNS,
    COLLABORATIONS,
    DELIVERABLES,
    DISPUTE_COUNTS,
    DISPUTES,
    MARKED_DEALS,
    PAYMENT_WAITS,
    POSTINGS,
)

PROJECTIONS = (
    Projection("campaigns", 3, (CAMPAIGNS,), apply_campaigns),
    Projection("brief_versions", 1, (BRIEF_VERSIONS,), apply_briefs),
    Projection("applications", 2, (APPLICATIONS,), apply_applications),
    Projection("collaborations", 5, (COLLABORATIONS, DELIVERABLES), apply_work),
    Projection("disputes", 1, (DISPUTES, DISPUTE_COUNTS), apply_disputes),
    Projection("postings", 1, (POSTINGS,), apply_postings),
    Projection("marked_deals", 1, (MARKED_DEALS,), apply_marks),
    Projection("payment_waits", 1, (PAYMENT_WAITS,), apply_waits, own=False, topics=(Topic("ledger.events.v1"),)),
)
