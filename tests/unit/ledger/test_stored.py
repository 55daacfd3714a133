"""Stored and published forms: golden bytes of everything ever stored stay readable, every public step has one message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dandelion.ledger.v1 import commands_pb2 as asked
from dandelion.ledger.v1 import events_pb2 as pb

from kernel.core.events import REFUSED_NAME, CommandRefused, Delivered
from kernel.core.faults import Invalid
from kernel.core.ids import derived_id
from kernel.streams.relay import PublicEvent
from services.ledger.codec import CODEC, COMMANDS, EVENTS
from services.ledger.domain.accounts import Code
from services.ledger.domain.announcing import AccountNamed
from services.ledger.domain.chains import DECIDERS
from services.ledger.domain.commands import (
    CancelEscrow,
    HoldEscrow,
    ReleasePayment,
    SettleLine,
    Weight,
)
from services.ledger.domain.discrepancies import Claim, DiscrepancyNoted, DiscrepancyResolved, Origin
from services.ledger.domain.events import (
    ChainKind,
    ChainPosted,
    Deal,
    EscrowRefused,
    Payee,
    Released,
    ReleaseKind,
    TaxWithheld,
    TransferKind,
    Transferred,
)
from services.ledger.domain.fees import FeePolicy
from services.ledger.domain.files import FileAsked, FileBooked, FileRefused
from services.ledger.domain.four_eyes import (
    Move,
    MoveApproved,
    MoveCarriedOut,
    MoveExpired,
    MoveProposed,
    MoveRejected,
    Sum,
)
from services.ledger.domain.holds import PayoutsHeld, PayoutsResumed
from services.ledger.domain.policies import FeePolicyApproved, FeePolicyProposed, FeePolicyRejected
from services.ledger.domain.proposals import ExpireMove
from services.ledger.domain.rows import MISMATCH
from services.ledger.domain.seals import CloseWindow, JournalSealed, WindowClosed
from services.ledger.domain.set_by_hand import PayoutAccountChanged, ReferenceRateSet, TaxResidenceVerified, TieCleared
from services.ledger.domain.tax import ReferenceRate, TaxYear, withhold
from services.ledger.domain.transfers import Leg, Phase, Ref
from services.ledger.domain.waiting import PaymentDeferred
from services.ledger.domain.watches import LookAtTransfer, TransferLookDue
from services.ledger.publish import PRIVATE, publish
from services.ledger.subscribe import decode_command
from tests.unit.ledger.given import DELIVERABLE, DEPOSIT, PAYOUT, funded
from tests.unit.ledger.world import AGENCY, BRAND, CAMPAIGN, COLLABORATION, CREATOR, NOON, World

GOLDEN = Path(__file__).parent / "golden"
TAX = withhold("CN", 800_000, TaxYear(CREATOR, "2026", 10, 1_000_000, 9_000), NOON)
DEAL = Deal(
    DELIVERABLE, 2, COLLABORATION, CAMPAIGN, BRAND, CREATOR, AGENCY, 1_500, "CN", "CNY", 1_000_000, 106_000,
    "fees@2025-01-01", NOON,
)  # fmt: skip
RELEASED = Released(
    derived_id("release"), ReleaseKind.SETTLEMENT, True, 1_000_000, 106_000, 100_000, 47_170, 8_830, 150_000,
    (Payee(CREATOR, 800_000, TAX, 1_000, 790_000),),
)  # fmt: skip
TRANSFER = Transferred(
    DEPOSIT, TransferKind.DEPOSIT, BRAND, "CNY", 5_000, "tok", "", "ch_1", 30, "b1", "7", NOON
)  # fmt: skip
LEGS = (
    Leg(Ref(Code.PSP_CLEARING, "psp"), Ref(Code.BRAND_AVAILABLE, BRAND), 5_000, "CNY", Phase.PENDING),
    Leg(Ref(Code.BANK, "psp"), Ref(Code.BANK_OWN, "platform"), 3, "CNY"),
)
POLICY = FeePolicy("fees@2027-01-01", datetime(2027, 1, 1, tzinfo=UTC), 1_200, 300)
RELEASE = ReleasePayment("r", DELIVERABLE, CREATOR, "CNY", 7, 1, 5, (Weight(CREATOR, 2),))
CHAIN = ChainPosted(
    ChainKind.PAYMENT_RELEASED, "release:x", "0" * 32, "CNY", LEGS, (Ref(Code.ESCROW, DELIVERABLE),), 4, DEAL, RELEASED,
    5, 6, TRANSFER, "reason",
)  # fmt: skip
MOVE = Move("payout", '{"payout_id":"x"}', (CREATOR,), (Sum("CNY", 5_000),))
CLAIM = Claim(Origin.SETTLEMENT, "b1:7", DEPOSIT, "CNY", 5_000, 30, "ch_1", "settlement.more_than_due")
SAMPLES: dict[str, Any] = {
    "chain.posted@1": CHAIN,
    "escrow.refused@1": EscrowRefused("hold:x:1", "0" * 32, DEAL, "escrow.not_covered", 7, 5),
    "tax.withheld@1": TaxWithheld(derived_id("release"), DELIVERABLE, CREATOR, "CNY", TAX),
    "transfer.look_due@1": TransferLookDue(TransferKind.PAYOUT, PAYOUT, 3, NOON, True),
    "payment.deferred@1": PaymentDeferred("release:r", DEAL, CREATOR, "tax.residence_unknown", RELEASE),
    "fee_policy.proposed@1": FeePolicyProposed(POLICY, "fay"),
    "fee_policy.approved@1": FeePolicyApproved(POLICY, "fay", "fred"),
    "fee_policy.rejected@1": FeePolicyRejected(POLICY, "too high"),
    "tax_residence.verified@1": TaxResidenceVerified(CREATOR, "CN", "passport seen"),
    "reference_rate.set@1": ReferenceRateSet("USD", "2026-10", 71_234, 10_000),
    "payout_account.changed@1": PayoutAccountChanged(CREATOR, "CNY", "acct_2", NOON),
    "payouts.held@1": PayoutsHeld(CREATOR, "authenticity.fraud"),
    "payouts.resumed@1": PayoutsResumed(CREATOR, "authenticity.fraud"),
    "tie.cleared@1": TieCleared(BRAND, CREATOR, "a family business", (derived_id("account"),)),
    "account.named@1": AccountNamed(CREATOR, derived_id("account")),
    "window.closed@1": WindowClosed(NOON),
    "journal.sealed@1": JournalSealed(NOON, 12, "ab" * 32, 1),
    "discrepancy.noted@1": DiscrepancyNoted(CLAIM, NOON),
    "discrepancy.resolved@1": DiscrepancyResolved("asked the provider"),
    "move.proposed@1": MoveProposed(MOVE, "fay", NOON, NOON, "jti-1"),
    "move.approved@1": MoveApproved(MOVE, "fay", "fred", NOON, NOON, "jti-2"),
    "move.rejected@1": MoveRejected(MOVE, "fred", "no such letter"),
    "move.expired@1": MoveExpired(MOVE),
    "move.carried_out@1": MoveCarriedOut(derived_id("proposal"), "fred"),
    "file.asked@1": FileAsked("b1"),
    "file.booked@1": FileBooked("b1", 3, 1, 2),
    "file.refused@1": FileRefused("b1", "settlement.no_such_batch"),
    REFUSED_NAME: CommandRefused("c-1", "funding-1", "HoldEscrow", "escrow.not_held", '{"status":"none","x":true}'),
    "escrow.cancel@1": CancelEscrow(
        derived_id("refund"), DELIVERABLE, BRAND, CREATOR, "CNY", 1, 2, "escrow.expired", 9
    ),
    "transfer.look@1": LookAtTransfer(TransferKind.DEPOSIT, DEPOSIT, 1, NOON),
    "window.close@1": CloseWindow(NOON),
    "move.expire@1": ExpireMove(),
}


def test_every_stored_name_has_a_sample_and_a_golden_file() -> None:
    assert SAMPLES.keys() == EVENTS.keys() | COMMANDS.keys()
    assert {path.stem for path in GOLDEN.glob("*.json")} >= SAMPLES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_stored_is_read_and_stored_the_same(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")
    assert CODEC.decode(name, data) == SAMPLES[name]
    assert CODEC.encode(SAMPLES[name]) == (name, data)


def test_a_cancellation_of_a_deadline_stored_before_names_no_sum() -> None:
    for name in ("move.proposed@1", "move.approved@1"):
        data = (GOLDEN / "before_tokens" / f"{name}.json").read_bytes().rstrip(b"\n")
        assert CODEC.decode(name, data) == replace(SAMPLES[name], token_id="")
    data = (GOLDEN / "0.1.0" / "escrow.cancel@1.json").read_bytes().rstrip(b"\n")
    assert CODEC.decode("escrow.cancel@1", data) == replace(SAMPLES["escrow.cancel@1"], left_minor=0)


def published(event: object, stream: str) -> Sequence[Any]:
    return publish(Delivered("ledger", f"{stream}@1", stream, 1, 1, "platform", NOON, event))


def message_of(event: object, stream: str = "escrow-x") -> Any:
    (announced,) = published(event, stream)
    assert isinstance(announced, PublicEvent)
    return getattr(pb, announced.type.rpartition(".")[2]).FromString(announced.value)


PUBLIC = {
    ChainKind.DEPOSIT_CHARGED: pb.DepositRequested, ChainKind.DEPOSIT_CONFIRMED: pb.DepositConfirmed,
    ChainKind.DEPOSIT_FAILED: pb.DepositFailed, ChainKind.LINE_SETTLED: pb.DepositSettled,
    ChainKind.ESCROW_HELD: pb.EscrowHeld, ChainKind.PAYMENT_RELEASED: pb.PaymentReleased,
    ChainKind.DEPOSIT_REVERSED: pb.DepositReversed, ChainKind.DEPOSIT_RESTORED: pb.DepositRestored,
    ChainKind.PAYOUT_RETURNED: pb.PayoutReturned,
    ChainKind.ESCROW_CANCELLED: pb.RefundIssued, ChainKind.PAYOUT_REQUESTED: pb.PayoutRequested,
    ChainKind.PAYOUT_CONFIRMED: pb.PayoutConfirmed, ChainKind.PAYOUT_FAILED: pb.PayoutFailed,
}  # fmt: skip


@pytest.mark.parametrize("kind", PUBLIC)
def test_each_public_step_has_its_message(kind: ChainKind) -> None:
    message = message_of(replace(CHAIN, kind=kind))
    assert message.currency == "CNY"
    assert isinstance(message, PUBLIC[kind])


def test_streams_are_private_or_published_as_a_whole() -> None:
    for decider in DECIDERS:
        assert decider.published != (decider.category in PRIVATE)
    for category in PRIVATE:
        assert published(CHAIN, f"{category}-x") == []


def test_a_release_adds_up_in_its_message() -> None:
    message = message_of(CHAIN)
    parts = (
        message.brand_fee_minor, message.creator_fee_minor, message.vat_minor, message.agency_minor, message.tax_minor,
        message.creator_net_minor,
    )  # fmt: skip
    assert sum(parts) == message.gross_minor == 1_106_000
    assert (message.kind, message.fee_policy) == (pb.RELEASE_KIND_SETTLEMENT, "fees@2025-01-01")
    assert message.tax_rule == "cn-labour-cumulative@2025-10-01"


def test_a_withholding_tells_payment_and_year() -> None:
    message = message_of(SAMPLES["tax.withheld@1"])
    assert (message.authority, message.period) == ("CN", "2026-11")
    assert (message.base_minor, message.year_base_minor) == (800_000, 1_800_000)
    assert message.year_tax_minor == 9_000 + message.tax_minor


def test_a_withholding_in_another_currency_tells_both_and_the_rate() -> None:
    tax = withhold("CN", 100_000, None, NOON, ReferenceRate("USD", "2026-10", 71_234, 10_000))
    message = message_of(TaxWithheld(derived_id("release"), DELIVERABLE, CREATOR, "USD", tax))
    assert (message.currency, message.base_minor, message.year_currency) == ("USD", 100_000, "CNY")
    assert (message.year_base_minor, message.year_tax_minor) == (712_340, tax.withheld_fen)
    assert (message.rate_cny_minor, message.rate_per_minor) == (71_234, 10_000)


def test_a_payment_that_waits_tells_whom_and_what_it_waits_for() -> None:
    message = message_of(SAMPLES["payment.deferred@1"])
    assert (message.chain_id, message.payee_id, message.reason) == ("release:r", CREATOR, "tax.residence_unknown")
    assert (message.collaboration_id, message.fee_minor, message.currency) == (COLLABORATION, 7, "CNY")


def test_a_policy_is_public_with_its_date_and_shares() -> None:
    message = message_of(SAMPLES["fee_policy.approved@1"], "policy-x")
    assert isinstance(message, pb.FeePolicyChanged)
    assert (message.fee_policy, message.brand_fee_bps, message.creator_fee_bps) == ("fees@2027-01-01", 1_200, 300)
    assert message.since.ToDatetime(UTC) == POLICY.since
    assert "fay" not in str(message), "who of finance did it is nobody's business outside"


@pytest.mark.parametrize("name", ["proposed", "approved", "rejected", "expired"])
def test_a_move_by_hand_is_told_without_the_persons(name: str) -> None:
    message = message_of(SAMPLES[f"move.{name}@1"], f"proposal-{DEPOSIT}")
    assert (message.proposal_id, message.move, list(message.owner_ids)) == (DEPOSIT, "payout", [CREATOR])
    assert [(one.minor, one.currency) for one in message.sums] == [(5_000, "CNY")]
    assert type(message).__name__ == f"HandMove{name.capitalize()}"
    assert getattr(message, f"{name}_at").ToDatetime(UTC) == NOON
    assert "fay" not in str(message)
    assert "fred" not in str(message)


def test_a_move_that_was_carried_out_names_its_proposal() -> None:
    message = message_of(SAMPLES["move.carried_out@1"], f"escrow-{DELIVERABLE}")
    assert (message.proposal_id, message.carried_out_at.ToDatetime(UTC)) == (derived_id("proposal"), NOON)
    assert "fred" not in str(message)


def test_another_amount_than_asked_is_a_failed_deposit_for_the_brand() -> None:
    message = message_of(replace(CHAIN, kind=ChainKind.DEPOSIT_CONFIRMED, reason=MISMATCH))
    assert isinstance(message, pb.DepositFailed)
    assert message.reason == "deposit.amount_differs"


def test_a_reversal_tells_what_the_brand_owes() -> None:
    debt = Leg(Ref(Code.BRAND_RECEIVABLE, BRAND), Ref(Code.PSP_CLEARING, "psp"), 700, "CNY")
    message = message_of(replace(CHAIN, kind=ChainKind.DEPOSIT_REVERSED, legs=(*LEGS, debt)))
    assert (message.amount_minor, message.debt_minor, message.provider_fee_minor) == (5_000, 700, 30)
    assert (message.reference, message.reason) == ("ch_1", "reason")


@pytest.mark.parametrize(("gross_minor", "fee_minor", "net_minor"), [(900, 9, 891), (900, 900, 0), (0, 40, -40)])
def test_a_line_that_names_no_deposit_tells_what_it_brought(gross_minor: int, fee_minor: int, net_minor: int) -> None:
    world = World()
    funded(world)
    (event,) = world.run(SettleLine("b", "1", DELIVERABLE, "CNY", gross_minor, fee_minor))
    message = message_of(event, f"deposit-{DELIVERABLE}")
    assert (message.deposit_id, message.net_minor) == ("", net_minor)


def test_a_refusal_tells_code_and_facts() -> None:
    message = message_of(SAMPLES[REFUSED_NAME])
    assert (message.requester, message.command, message.code) == ("funding-1", "HoldEscrow", "escrow.not_held")
    assert {fact.name: fact.value for fact in message.facts} == {"status": "none", "x": "true"}


def test_commands_of_others_land_on_the_deliverable_s_stream() -> None:
    hold = asked.HoldEscrow(
        deliverable_id=DELIVERABLE, collaboration_id=COLLABORATION, campaign_id=CAMPAIGN, brand_id=BRAND,
        creator_id=CREATOR, fee_minor=7, brand_fee_minor=1, currency="CNY", jurisdiction="CN",
    )  # fmt: skip
    release = asked.ReleasePayment(
        release_id="r", deliverable_id=DELIVERABLE, creator_id=CREATOR, currency="CNY", fee_minor=7, brand_fee_minor=1,
        creator_fee_bps=5, split=[asked.CreatorWeight(creator_id=CREATOR, weight=2)],
    )  # fmt: skip
    cancel = asked.CancelEscrow(
        refund_id="c", deliverable_id=DELIVERABLE, brand_id=BRAND, creator_id=CREATOR, currency="CNY", kill_fee_minor=3,
        reason="x",
    )  # fmt: skip
    expected = [
        HoldEscrow(DELIVERABLE, 1, COLLABORATION, CAMPAIGN, BRAND, CREATOR, "CNY", 7, 1, "CN"),
        ReleasePayment("r", DELIVERABLE, CREATOR, "CNY", 7, 1, 5, (Weight(CREATOR, 2),)),
        CancelEscrow("c", DELIVERABLE, BRAND, CREATOR, "CNY", 3, 0, "x"),
    ]
    for message, command in zip((hold, release, cancel), expected, strict=True):
        found = decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())
        assert found == (f"escrow-{DELIVERABLE}", command)


def test_what_is_no_command_of_ours_is_not_guessed() -> None:
    assert decode_command("dandelion.campaigns.v1.PauseCampaign", b"") is None
    with pytest.raises(ValueError, match="HoldEscrow"):
        decode_command(asked.HoldEscrow.DESCRIPTOR.full_name, b"\xff\xff")
    with pytest.raises(Invalid, match=r"id\.malformed"):
        decode_command(asked.HoldEscrow.DESCRIPTOR.full_name, b"")
