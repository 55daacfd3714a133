"""Public messages to own dataclasses: others' events, and the commands on `campaigns.commands.v1`."""

import hashlib
from collections.abc import Callable
from typing import Any

from dandelion.campaigns.v1 import commands_pb2 as commands
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import events_pb2 as discovery
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts.wire import decoder, time_of
from dandelion_contracts.words import word
from dandelion_posts.authors import author_digest
from google.protobuf.message import Message

from kernel.core.canonical import Hashed
from kernel.core.codec import adapter
from kernel.core.events import CommandRefused
from kernel.core.ids import stream_id
from kernel.core.personal import Erased
from services.campaigns.domain.application.commands import ReleaseApplication
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ContractCollaboration,
    EndDeliverable,
    FundCollaboration,
    NoteFundingWait,
    NotePaymentWait,
    RecordClawBack,
    RecordReview,
    RefuseClawBack,
    SettleDeliverable,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.creators.causes import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AvailabilityChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    OffersBarred,
    OffersHeld,
    ProfileTold,
)
from services.campaigns.domain.fees.causes import FeePolicyChanged
from services.campaigns.domain.funding.causes import EscrowHeld, EscrowRefused, RefundIssued
from services.campaigns.domain.parties.causes import AccountNamed, TieCleared
from services.campaigns.domain.review.causes import DisclosureAttached, ReviewCompleted
from services.campaigns.domain.settlement.causes import (
    ContentLookedAt,
    PaymentClawedBack,
    PaymentDeferred,
    PaymentReleased,
)
from services.campaigns.domain.shared.checks import CODE
from services.campaigns.domain.shared.content_events import LabelPlacement, Verdict
from services.campaigns.domain.shared.contract import Contract


def _placement(value: int) -> LabelPlacement | None:
    found = word(common.LabelPlacement, common.LabelPlacement.ValueType(value))
    return LabelPlacement(found) if found else None


def _verdict(value: int) -> Verdict:
    return Verdict(word(common.Verdict, common.Verdict.ValueType(value)))


def _refused(wire: Any) -> CommandRefused:
    return CommandRefused(wire.command_id, wire.requester, wire.command, wire.code, "{}")


def _released(wire: ledger.PaymentReleased) -> PaymentReleased | None:
    """Kill fees are paid by the same event; they settle nothing."""
    if wire.kind != ledger.RELEASE_KIND_SETTLEMENT:
        return None
    where = (wire.collaboration_id, wire.deliverable_id, wire.release_id)
    return PaymentReleased(*where, wire.creator_net_minor, wire.currency, wire.partial)


def _uncovered(wire: ledger.EscrowRefused) -> EscrowRefused:
    """The collaboration's reason is read by both sides: that the brand owes after a chargeback is not the creator's to know."""
    code = "escrow.not_covered" if wire.code == "escrow.brand_owes" else wire.code
    return EscrowRefused(wire.collaboration_id, wire.deliverable_id, code)


def _refunded(wire: ledger.RefundIssued) -> RefundIssued:
    """Finance may have given its reason in words of its own: these stay in the ledger."""
    reason = wire.reason if CODE.match(wire.reason) else "escrow.returned"
    return RefundIssued(wire.collaboration_id, wire.deliverable_id, reason, wire.amount_minor, wire.currency)


def _deferred(wire: ledger.PaymentDeferred) -> PaymentDeferred:
    where = (wire.collaboration_id, wire.deliverable_id, wire.campaign_id)
    return PaymentDeferred(*where, wire.brand_id, wire.creator_id, wire.reason)


def _policy(wire: ledger.FeePolicyChanged) -> FeePolicyChanged:
    return FeePolicyChanged(wire.fee_policy, time_of(wire.since), wire.brand_fee_bps, wire.creator_fee_bps)


def _completed(wire: compliance.ReviewCompleted) -> ReviewCompleted:
    """Notices are not counted: they ask nothing of either side, such as that of the label which the platform adds by itself."""
    breaches = sum(one.severity != compliance.SEVERITY_NOTICE for one in wire.findings)
    return ReviewCompleted(wire.submission_id, _verdict(wire.verdict), breaches)


def _attached(wire: compliance.DisclosureAttached) -> DisclosureAttached:
    return DisclosureAttached(wire.submission_id, wire.label, _placement(wire.placement))


def _looked(wire: compliance.ContentLookedAt) -> ContentLookedAt:
    where = (wire.collaboration_id, wire.deliverable_id, wire.look_id)
    looked_at = time_of(wire.looked_at) if wire.HasField("looked_at") else None
    return ContentLookedAt(
        *where,
        wire.found,
        wire.label_present,
        wire.text_unchanged,
        looked_at,
        wire.unreadable,
        wire.author_differs,
    )


def _clawed_back(wire: ledger.PaymentClawedBack) -> PaymentClawedBack:
    where = (wire.collaboration_id, wire.deliverable_id, wire.claw_back_id)
    return PaymentClawedBack(*where, wire.taken_minor, wire.owed_minor, wire.currency)


def _available(wire: discovery.AvailabilityChanged) -> AvailabilityChanged:
    takes_jobs = wire.availability != discovery.AVAILABILITY_CLOSED
    return AvailabilityChanged(wire.creator_id, takes_jobs, wire.max_parallel_jobs)


def _suspended(wire: discovery.CreatorSuspended) -> CreatorSuspended:
    return CreatorSuspended(wire.creator_id, time_of(wire.until) if wire.HasField("until") else None)


def _registered(wire: discovery.CreatorRegistered) -> CreatorRegistered:
    accounts = tuple(AccountLinked(*_account(wire.creator_id, each)) for each in wire.accounts)
    return CreatorRegistered(wire.creator_id, accounts, wire.profile.agency_id, wire.profile.virtual_human)


def _told(creator_id: str, profile: discovery.CreatorProfile) -> ProfileTold:
    return ProfileTold(creator_id, profile.agency_id, profile.virtual_human)


def _account(creator_id: str, wire: discovery.PlatformAccount) -> tuple[str, str, str]:
    """Campaigns keeps the digest of a handle, never the handle, which events of 0.1.0 hold."""
    platform = word(common.Platform, wire.platform)
    return creator_id, platform, wire.digest or author_digest(creator_id, platform, handle=wire.handle)


def _renamed(wire: discovery.AccountRenamed) -> AccountRenamed:
    return AccountRenamed(*_account(wire.creator_id, wire.account), wire.taken_from, wire.taken_digest)


def _identified(wire: discovery.AccountIdentified) -> AccountIdentified:
    platform = word(common.Platform, wire.platform)
    digest = wire.digest or author_digest(wire.creator_id, platform, account_id=wire.account_id)
    return AccountIdentified(wire.creator_id, platform, digest)


READS: dict[type[Message], Callable[[Any], Any]] = {
    ledger.EscrowHeld: lambda wire: EscrowHeld(wire.collaboration_id, wire.deliverable_id),
    ledger.EscrowRefused: _uncovered,
    ledger.RefundIssued: _refunded,
    ledger.FeePolicyChanged: _policy,
    ledger.PaymentReleased: _released,
    ledger.PaymentDeferred: _deferred,
    ledger.PaymentClawedBack: _clawed_back,
    ledger.AccountNamed: lambda wire: AccountNamed(wire.owner_id, wire.account_id),
    ledger.TieCleared: lambda wire: TieCleared(wire.brand_id, wire.payee_id, tuple(wire.account_ids)),
    ledger.CommandRefused: _refused,
    discovery.CreatorRegistered: _registered,
    discovery.CreatorProfileChanged: lambda wire: _told(wire.creator_id, wire.profile),
    discovery.AccountLinked: lambda wire: AccountLinked(*_account(wire.creator_id, wire.account)),
    discovery.AccountRenamed: _renamed,
    discovery.AccountIdentified: _identified,
    discovery.AccountVerified: lambda wire: AccountVerified(*_account(wire.creator_id, wire.account)),
    discovery.AvailabilityChanged: _available,
    discovery.CreatorSuspended: _suspended,
    discovery.OfferBarChanged: lambda wire: OffersBarred(wire.creator_id, wire.barred),
    discovery.AuthenticityAssessed: lambda wire: OffersHeld(wire.creator_id, wire.holds_offers),
    discovery.AuthenticityRuled: lambda wire: OffersHeld(wire.creator_id, wire.holds_offers),
    discovery.CreatorReinstated: lambda wire: CreatorReinstated(wire.creator_id),
    compliance.SubjectErased: lambda wire: Erased(wire.subject_id),
    compliance.ReviewCompleted: _completed,
    compliance.DisclosureAttached: _attached,
    compliance.ContentLookedAt: _looked,
    compliance.CommandRefused: _refused,
    discovery.CommandRefused: _refused,
}
decode = decoder(READS)
"""Others' events; raises ValueError for bytes that are no such message, None for a type that is not read."""


def _collaboration(wire: Any, command: object) -> tuple[str, object]:
    return stream_id("collaboration", wire.collaboration_id), command


def _contract(wire: commands.ContractCollaboration) -> tuple[str, object]:
    """The hash is checked over the bytes that came, before they are read: what is sealed is what is stored."""
    if hashlib.sha256(wire.contract_json.encode()).hexdigest() != wire.terms_hash:
        raise ValueError("the contract does not match its hash")
    contract = adapter(Hashed[Contract]).validate_json(wire.contract_json)
    return _collaboration(wire, ContractCollaboration(contract, wire.terms_hash))


def _release(wire: commands.ReleaseApplication) -> tuple[str, object]:
    return stream_id("application", wire.application_id), ReleaseApplication(wire.reason)


def _review(wire: commands.RecordReview) -> tuple[str, object]:
    verdict, placement = _verdict(wire.verdict), _placement(wire.placement)
    command = RecordReview(wire.deliverable_id, wire.submission_id, verdict, wire.findings, wire.label, placement)
    return _collaboration(wire, command)


def _settle(wire: commands.SettleDeliverable) -> tuple[str, object]:
    command = SettleDeliverable(wire.deliverable_id, wire.release_id, wire.creator_net_minor)
    return _collaboration(wire, command)


def _take_down(wire: commands.TakeDownContent) -> tuple[str, object]:
    looked_at = time_of(wire.looked_at) if wire.HasField("looked_at") else None
    return _collaboration(wire, TakeDownContent(wire.deliverable_id, wire.reason, wire.look_id, looked_at))


def _record_claw_back(wire: commands.RecordClawBack) -> tuple[str, object]:
    command = RecordClawBack(wire.deliverable_id, wire.claw_back_id, wire.taken_minor, wire.owed_minor)
    return _collaboration(wire, command)


def _refuse_claw_back(wire: commands.RefuseClawBack) -> tuple[str, object]:
    return _collaboration(wire, RefuseClawBack(wire.deliverable_id, wire.claw_back_id, wire.code))


COMMANDS: dict[type[Message], Callable[[Any], tuple[str, object]]] = {
    commands.ContractCollaboration: _contract,
    commands.ReleaseApplication: _release,
    commands.FundCollaboration: lambda wire: _collaboration(wire, FundCollaboration()),
    commands.NoteFundingWait: lambda wire: _collaboration(
        wire, NoteFundingWait(wire.reason, wire.uncovered_minor, wire.attempt)
    ),
    commands.CancelCollaboration: lambda wire: _collaboration(wire, CancelCollaboration(wire.reason)),
    commands.RecordReview: _review,
    commands.VerifyContent: lambda wire: _collaboration(wire, VerifyContent(wire.deliverable_id, wire.look_id)),
    commands.TakeDownContent: _take_down,
    commands.SettleDeliverable: _settle,
    commands.RecordClawBack: _record_claw_back,
    commands.RefuseClawBack: _refuse_claw_back,
    commands.NotePaymentWait: lambda wire: _collaboration(wire, NotePaymentWait(wire.deliverable_id, wire.reason)),
    commands.EndDeliverable: lambda wire: _collaboration(
        wire, EndDeliverable(wire.deliverable_id, wire.reason, wire.returned_minor)
    ),
}
decode_command = decoder(COMMANDS)
"""`campaigns.commands.v1`: the stream and the command of a request."""
