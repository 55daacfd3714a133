"""Stored names of the ledger's events and of the commands that deadlines keep. A stored name stays readable for ever."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from services.ledger.domain.announcing import AccountNamed
from services.ledger.domain.commands import CancelEscrow
from services.ledger.domain.discrepancies import DiscrepancyNoted, DiscrepancyResolved
from services.ledger.domain.events import ChainPosted, EscrowRefused, TaxWithheld
from services.ledger.domain.files import FileAsked, FileBooked, FileRefused
from services.ledger.domain.four_eyes import MoveApproved, MoveCarriedOut, MoveExpired, MoveProposed, MoveRejected
from services.ledger.domain.holds import PayoutsHeld, PayoutsResumed
from services.ledger.domain.policies import FeePolicyApproved, FeePolicyProposed, FeePolicyRejected
from services.ledger.domain.proposals import ExpireMove
from services.ledger.domain.seals import CloseWindow, JournalSealed, WindowClosed
from services.ledger.domain.set_by_hand import PayoutAccountChanged, ReferenceRateSet, TaxResidenceVerified, TieCleared
from services.ledger.domain.waiting import PaymentDeferred
from services.ledger.domain.watches import LookAtTransfer, TransferLookDue

EVENTS: dict[str, type] = {
    "chain.posted@1": ChainPosted,
    "escrow.refused@1": EscrowRefused,
    "tax.withheld@1": TaxWithheld,
    "transfer.look_due@1": TransferLookDue,
    "payment.deferred@1": PaymentDeferred,
    "payout_account.changed@1": PayoutAccountChanged,
    "fee_policy.proposed@1": FeePolicyProposed,
    "fee_policy.approved@1": FeePolicyApproved,
    "fee_policy.rejected@1": FeePolicyRejected,
    "tax_residence.verified@1": TaxResidenceVerified,
    "reference_rate.set@1": ReferenceRateSet,
    "tie.cleared@1": TieCleared,
    "account.named@1": AccountNamed,
    "discrepancy.noted@1": DiscrepancyNoted,
    "discrepancy.resolved@1": DiscrepancyResolved,
    "file.asked@1": FileAsked,
    "file.booked@1": FileBooked,
    "file.refused@1": FileRefused,
    "move.proposed@1": MoveProposed,
    "move.approved@1": MoveApproved,
    "move.rejected@1": MoveRejected,
    "move.expired@1": MoveExpired,
    "move.carried_out@1": MoveCarriedOut,
    "payouts.held@1": PayoutsHeld,
    "payouts.resumed@1": PayoutsResumed,
    "window.closed@1": WindowClosed,
    "journal.sealed@1": JournalSealed,
    REFUSED_NAME: CommandRefused,
}
COMMANDS: dict[str, type] = {
    "escrow.cancel@1": CancelEscrow,
    "transfer.look@1": LookAtTransfer,
    "move.expire@1": ExpireMove,
    "window.close@1": CloseWindow,
}
CODEC = Codec(EVENTS | COMMANDS)
