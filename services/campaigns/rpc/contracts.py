"""The contract as text, and what a cancellation now would cost: both reckoned at the question, by the domain's own functions."""

from datetime import datetime
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion_contracts.wire import stamp

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.faults import Refused
from kernel.core.ids import stream_id
from kernel.core.money import share_down
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.collaboration.commands import CancelCollaboration
from services.campaigns.domain.collaboration.state import State
from services.campaigns.domain.contract_text.amounts import Amount
from services.campaigns.domain.contract_text.clauses import DEFAULT_LANGUAGE, TEXT_VERSION, Clause, written_out
from services.campaigns.domain.shared.work_events import CollaborationCancelled
from services.campaigns.publish.wire import named, party, wire_ended

Row = dict[str, Any]
QUOTE = "quote"
"""The reason of a cancellation that is only asked about."""


def contract(row: Row, language: str) -> pb.Contract:
    """The contract of a row of `collaborations`, in "zh" or "en"; raises Invalid `contract.language_unknown`."""
    document = row["state"].contract
    title, clauses = written_out(document, language)
    return pb.Contract(
        **named(pb.Contract, document.value, row),
        text_version=TEXT_VERSION,
        language=language or DEFAULT_LANGUAGE,
        title=title,
        clauses=map(_clause, clauses),
    )


def _clause(clause: Clause) -> pb.Clause:
    return pb.Clause(
        clause_id=clause.clause_id,
        title=clause.title,
        paragraphs=clause.paragraphs,
        terms=clause.terms,
        amounts=map(_amount, clause.amounts),
    )


def _amount(amount: Amount) -> pb.ClauseAmount:
    return pb.ClauseAmount(**named(pb.ClauseAmount, amount))


def quote(row: Row, actor: Actor, at: datetime) -> pb.CancellationQuote:
    """What the actor's cancellation at `at` would be, decided on a row of `collaborations`; raises what the command raises."""
    event = _cancelled(row, actor, at)
    kill_minor = sum(each.kill_fee_minor for each in event.deliverables)
    fees_minor = sum(share_down(each.kill_fee_minor, event.creator_fee_bps) for each in event.deliverables)
    held_minor = sum(each.fee_minor + each.brand_fee_minor for each in event.deliverables) if event.funded else 0
    return pb.CancellationQuote(
        collaboration_id=row["collaboration_id"],
        by=party(event.by),
        deliverables=map(wire_ended, event.deliverables),
        currency=event.currency,
        kill_fee_minor=kill_minor,
        creator_fee_minor=fees_minor,
        creator_gets_minor=kill_minor - fees_minor,
        returned_minor=held_minor - kill_minor,
        freed_minor=event.freed_minor,
        version=row["version"],
        quoted_at=stamp(at),
    )


def _cancelled(row: Row, actor: Actor, at: datetime) -> CollaborationCancelled:
    state: State = row["state"]
    stream = stream_id(COLLABORATION.category, row["collaboration_id"])
    context = Context(at, actor, GivenRows({}), stream, row["brand_id"])
    for event in COLLABORATION.decide(CancelCollaboration(QUOTE), state, context):
        if isinstance(event, CollaborationCancelled):
            return event
    raise Refused("collaboration.not_running", status=state.status.value)
