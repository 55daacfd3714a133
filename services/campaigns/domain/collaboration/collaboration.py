"""A collaboration: contract, money, product, content, disputes and its end. One stream; content.py decides on content."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from kernel.core.decider import Actor, Context, Decider, InlineTable, Key
from kernel.core.faults import Invalid, NotFound, Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.collaboration import funding
from services.campaigns.domain.collaboration.breach import record_claw_back, refuse_claw_back
from services.campaigns.domain.collaboration.commands import (
    ApproveContent,
    CancelCollaboration,
    Command,
    ConsentToAmendment,
    ContentCommand,
    ContractCollaboration,
    EndDeliverable,
    ExpireCollaboration,
    ExpireDeliverable,
    ExpireDispute,
    FundCollaboration,
    LaterCommand,
    NoteFundingWait,
    NotePaymentWait,
    OpenDispute,
    PublishContent,
    ReceiveProduct,
    RecordClawBack,
    RecordReview,
    RefuseClawBack,
    RequestRevision,
    RetryFunding,
    RuleContent,
    RuleDispute,
    ScheduleContent,
    SendProduct,
    SettleDeliverable,
    SubmitContent,
    TakeDownContent,
    VerifyContent,
    WithdrawDispute,
)
from services.campaigns.domain.collaboration.content import approve, record_review, request_revision, rule, submit
from services.campaigns.domain.collaboration.deliverable import AT_THE_LEDGER, CLOSED, Deliverable, Stage
from services.campaigns.domain.collaboration.dispute import expire_dispute, open_dispute, rule_dispute, withdraw_dispute
from services.campaigns.domain.collaboration.ending import (
    cancel,
    closing,
    expire_collaboration,
)
from services.campaigns.domain.collaboration.expiry import expire, note_wait
from services.campaigns.domain.collaboration.publication import end, publish, schedule, settle, take_down, verify
from services.campaigns.domain.collaboration.standing import after_s, check_running, known_to, only, side_of
from services.campaigns.domain.collaboration.state import Product, State, Status, evolve
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.budget import BUDGETS
from services.campaigns.domain.shared.checks import check_text
from services.campaigns.domain.shared.content_events import SubmissionStage
from services.campaigns.domain.shared.contract import Contract, draw_up
from services.campaigns.domain.shared.creators import CREATORS, check_known
from services.campaigns.domain.shared.posts import POSTS, post_key
from services.campaigns.domain.shared.recruiting import in_force
from services.campaigns.domain.shared.work_events import (
    AmendmentConsented,
    CollaborationContracted,
    CollaborationFunded,
    Due,
    ProductReceived,
    ProductSent,
    WorkEvent,
    WorkStarted,
)


def _owner(command: Command) -> str | None:
    """A collaboration belongs to the brand, though a process opens it."""
    return command.contract.value.brand_id if isinstance(command, ContractCollaboration) else None


def decide(command: Command, state: State, context: Context) -> Sequence[WorkEvent]:
    """The decisions; codes `collaboration.*` and `content.*`. The last deliverable's end also ends the whole."""
    if isinstance(command, ContractCollaboration):
        return _contract(command, state, context)
    contract = known_to(state, context)
    events = _decide(command, contract, state, context)
    after = state
    for event in events:
        after = evolve(after, event)
    return [*events, *closing(after, contract)] if events else events


def _decide(command: LaterCommand, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    match command:
        case FundCollaboration():
            return _fund(contract, state, context)
        case NoteFundingWait():
            return funding.note_wait(command, contract, state, context)
        case RetryFunding():
            return funding.retry(command, contract, state, context)
        case CancelCollaboration(reason):
            return cancel(reason, contract, state, context)
        case ConsentToAmendment(brief_version):
            return _consent(brief_version, contract, state, context)
        case SendProduct():
            return _send_product(command, contract, state, context)
        case ReceiveProduct():
            return _receive_product(contract, state, context)
        case OpenDispute(reason):
            return open_dispute(reason, contract, state, context)
        case RuleDispute(outcome, share_bps):
            return rule_dispute(outcome, share_bps, contract, state, context)
        case WithdrawDispute():
            return withdraw_dispute(contract, state, context)
        case ExpireDispute(due_at):
            return expire_dispute(due_at, contract, state, context)
        case ExpireCollaboration(due_at):
            return expire_collaboration(due_at, contract, state, context)
        case _:
            return _on_content(command, contract, state, context)


def _on_content(command: ContentCommand, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    one = next((each for each in state.deliverables if each.terms.deliverable_id == command.deliverable_id), None)
    if one is None:
        raise NotFound("deliverable.unknown", deliverable_id=command.deliverable_id[:80])
    if state.disputed_at is not None and isinstance(command, ExpireDeliverable) and one.stage not in AT_THE_LEDGER:
        return []
    return _content(command, Work(contract, one, context, state.product is Product.RECEIVED, state.paused(context.at)))


def _content(command: ContentCommand, work: Work) -> Sequence[WorkEvent]:
    match command:
        case SubmitContent():
            return submit(command, work)
        case RecordReview():
            return record_review(command, work)
        case RequestRevision():
            return request_revision(command, work)
        case ApproveContent():
            return approve(command, work)
        case RuleContent():
            return rule(command, work)
        case ScheduleContent():
            return schedule(command, work)
        case PublishContent():
            return publish(command, work)
        case VerifyContent():
            return verify(command, work)
        case TakeDownContent():
            return take_down(command, work)
        case SettleDeliverable():
            return settle(command, work)
        case RecordClawBack():
            return record_claw_back(command, work)
        case RefuseClawBack():
            return refuse_claw_back(command, work)
        case NotePaymentWait():
            return note_wait(command, work)
        case EndDeliverable():
            return end(command, work)
        case ExpireDeliverable():
            return expire(command, work)
        case _:
            assert_never(command)


def _contract(command: ContractCollaboration, state: State, context: Context) -> Sequence[WorkEvent]:
    context.actor.require("system")
    document, contract, seal = command.contract, command.contract.value, command.contract.sha256
    if seal != command.contract_sha256:
        raise Invalid("collaboration.contract_hash_differs", expected=seal)
    if split_stream(context.stream)[1] != contract.collaboration_id:
        raise Invalid("collaboration.id_differs", expected=contract.collaboration_id)
    if state.status is Status.NEW:
        check_known(contract.creator_id, context)
        return [CollaborationContracted(document, seal, after_s(context, contract.terms.value.clocks.funding_s))]
    if state.contract == document:
        return []
    raise Refused("collaboration.already_contracted", status=state.status.value)


def _fund(contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    context.actor.require("system")
    if state.status in (Status.FUNDED, Status.SETTLED):
        return []
    if state.status is not Status.CONTRACTED:
        raise Refused("collaboration.not_contracted", status=state.status.value)
    product_s, paused = contract.terms.value.clocks.product_s, state.paused(context.at)
    product_due_at = after_s(context, product_s) - paused if contract.ships else None
    funded = CollaborationFunded(contract.parties, contract.escrow_minor, contract.currency, product_due_at)
    return [funded] if contract.ships else [funded, _start(contract, state, context)]


def _start(contract: Contract, state: State, context: Context) -> WorkStarted:
    """Every deliverable that the ledger has not ended before the work began."""
    draft_s, paused = contract.terms.value.clocks.draft_s, state.paused(context.at)
    open_ = [each.terms for each in state.deliverables if each.stage not in CLOSED]
    clocks = [Due(each.deliverable_id, after_s(context, draft_s + each.starts_after_s) - paused) for each in open_]
    return WorkStarted(tuple(clocks))


def _consent(brief_version: int, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    only(contract.creator_id, "collaboration.only_the_creator", context)
    check_running(state)
    brief = in_force(contract.campaign_id, context)
    if brief_version != brief.version:
        raise Refused("collaboration.brief_amended", in_force=brief.version, seen=brief_version)
    if contract.brief_version == brief_version:
        return []
    fees_minor = tuple(each.fee_minor for each in contract.deliverables)
    amended = draw_up(
        contract.parties, fees_minor, brief.version, brief.brief, contract.terms, contract.collaboration_id
    )
    changed = amended.value
    if changed.deliverables != contract.deliverables or changed.ships != contract.ships:
        raise Refused("collaboration.amendment_changes_the_deal")
    return [AmendmentConsented(amended, amended.sha256)]


def _send_product(command: SendProduct, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    only(contract.brand_id, "collaboration.only_the_brand", context)
    check_text(command, "carrier", "product.carrier_malformed")
    check_text(command, "tracking", "product.tracking_malformed")
    if state.product in (Product.SENT, Product.RECEIVED):
        if state.shipment != (command.carrier, command.tracking):
            raise Refused("product.already_sent", carrier=state.shipment[0], tracking=state.shipment[1])
        return []
    if state.product is not Product.AWAITED or state.status is not Status.FUNDED:
        raise Refused("product.not_awaited", status=state.status.value)
    due_at = after_s(context, contract.terms.value.clocks.product_s) - state.paused(context.at)
    return [ProductSent(contract.parties, command.carrier, command.tracking, due_at)]


def _receive_product(contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    only(contract.creator_id, "collaboration.only_the_creator", context)
    if state.product is Product.RECEIVED:
        return []
    if state.product is not Product.SENT or state.status is not Status.FUNDED:
        raise Refused("product.not_sent", status=state.status.value)
    return [ProductReceived(contract.parties), _start(contract, state, context)]


ENDING = (
    CancelCollaboration, SettleDeliverable, EndDeliverable, RecordClawBack, ExpireDeliverable, ExpireCollaboration,
)  # fmt: skip


def _reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    """Inline rows by command, so that a whole batch loads them in one query: of an end the budget and the posts that no look has
    confirmed, of a report the creator's accounts and the post, of a bad look the post."""
    if state.contract is None:
        return []
    contract = state.contract.value
    if isinstance(command, ENDING):
        reported = [each for each in state.deliverables if each.stage is Stage.PUBLISHED]
        return [(BUDGETS, (contract.campaign_id,)), *_posts(reported, [each.post_id for each in reported])]
    if isinstance(command, SubmitContent):
        return [(CREATORS, (contract.creator_id,))]
    if not isinstance(command, PublishContent | TakeDownContent):
        return []
    found = [each for each in state.deliverables if each.terms.deliverable_id == command.deliverable_id]
    if isinstance(command, TakeDownContent):
        return _posts(found, [each.post_id for each in found])
    return [(CREATORS, (contract.creator_id,)), *_posts(found, [command.post_id])]


def _posts(found: Sequence[Deliverable], ids: Sequence[str]) -> list[tuple[InlineTable[Any], Key]]:
    return [(POSTS, post_key(one.terms.platform.value, id_)) for one, id_ in zip(found, ids, strict=False)]


def _concerns(command: Command, state: State, actor: Actor) -> bool:
    """True for both sides, staff and the system, and for the contract that begins it."""
    begins = isinstance(command, ContractCollaboration)
    return begins or (state.contract is not None and side_of(state.contract.value, actor) is not None)


def _leads_to(command: Command, state: State) -> str | None:
    """A draft to its review, in compliance."""
    if isinstance(command, SubmitContent) and command.stage is not SubmissionStage.OUTLINE:
        return f"review-{command.submission_id}"
    return None


COLLABORATION = Decider(
    "collaboration", State(), decide, evolve, owner=_owner, reads=_reads, concerns=_concerns, leads_to=_leads_to
)
