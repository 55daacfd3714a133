"""The processes of campaigns: pure deciders over their own and others' events, with every compensation spelled out."""

from kernel.processors.processes import Process
from kernel.streams.records import Topic
from services.campaigns.process import funding, review, settlement

LEDGER, COMPLIANCE = Topic("ledger.events.v1"), Topic("compliance.events.v1")
PROCESSES = (
    Process("funding", funding.FUNDING, funding.route, topics=(LEDGER,)),
    Process("review", review.REVIEW, review.route, topics=(COMPLIANCE,)),
    Process("settlement", settlement.SETTLEMENT, settlement.route, topics=(LEDGER, COMPLIANCE)),
)
