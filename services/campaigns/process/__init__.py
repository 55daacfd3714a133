"""Processes of campaigns: the deciders of domain/<process>, each with the topics of its causes."""

from kernel.core.personal import ERASURE, erasure_of, erasures
from kernel.processors.processes import Process
from kernel.streams.records import Topic
from services.campaigns.domain.conduct import conduct
from services.campaigns.domain.creators import creators
from services.campaigns.domain.fees import fees
from services.campaigns.domain.funding import funding
from services.campaigns.domain.parties import parties
from services.campaigns.domain.review import review
from services.campaigns.domain.settlement import settlement

LEDGER, COMPLIANCE = Topic("ledger.events.v1"), Topic("compliance.events.v1")
DISCOVERY = Topic("discovery.events.v1")
PROCESSES = (
    Process("funding", funding.FUNDING, funding.route, topics=(LEDGER,)),
    Process("review", review.REVIEW, review.route, topics=(COMPLIANCE,)),
    Process("settlement", settlement.SETTLEMENT, settlement.route, topics=(LEDGER, COMPLIANCE)),
    Process("creators", creators.CREATORS, creators.route, own=False, topics=(DISCOVERY, COMPLIANCE)),
    Process("lost_handles", creators.CREATORS, creators.loser, own=False, topics=(DISCOVERY,)),
    Process("fees", fees.FEES, fees.route, own=False, topics=(LEDGER,)),
    Process("parties", parties.PARTIES, parties.route, own=False, topics=(LEDGER,)),
    Process("conduct", conduct.CONDUCT, conduct.route, topics=(DISCOVERY,)),
    Process(ERASURE, erasures(), erasure_of, own=False, topics=(COMPLIANCE,)),
)
