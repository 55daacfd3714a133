"""Writes the read models of campaigns from its own log: campaigns, applications, collaborations,
deliverables and the posting calendar.

Events carry all that is needed, and the domain's own folds say what they mean. No clock, random, float or personal data:
a rebuild gives the same bytes.
"""

from kernel.processors.projector import Projection
from services.campaigns.projections.applications import apply_applications
from services.campaigns.projections.campaigns import apply_campaigns
from services.campaigns.projections.postings import apply_postings
from services.campaigns.projections.work import apply_work
from services.campaigns.tables import APPLICATIONS, CAMPAIGNS, COLLABORATIONS, DELIVERABLES, POSTINGS

PROJECTIONS = (
    Projection("campaigns", 1, (CAMPAIGNS,), apply_campaigns),
    Projection("applications", 1, (APPLICATIONS,), apply_applications),
    Projection("collaborations", 2, (COLLABORATIONS, DELIVERABLES), apply_work),
    Projection("postings", 1, (POSTINGS,), apply_postings),
)
