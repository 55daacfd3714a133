"""The ledger's Deciders: one way in for every chain, whichever stream it stands on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from kernel.core.decider import Actor, Context, Decider, InlineTable, Key
from kernel.core.faults import Conflict, Invalid, Refused
from services.ledger.domain import claw_backs, deposits, escrows, payouts, settlements
from services.ledger.domain.accounts import PLATFORM, Code
from services.ledger.domain.commands import (
    CATEGORIES,
    CHAIN,
    REFUND,
    CancelEscrow,
    ClawBackPayment,
    Command,
    ConfirmDeposit,
    ConfirmTransfer,
    FailDeposit,
    FailTransfer,
    HoldEscrow,
    IdentifyMoney,
    PayInOwnMoney,
    ReleasePayment,
    RequestDeposit,
    RequestPayout,
    RequestRefund,
    stream_of,
)
from services.ledger.domain.escrows import payees_of
from services.ledger.domain.events import ChainKind, ChainPosted, EscrowRefused, TaxWithheld
from services.ledger.domain.four_eyes import MoveCarriedOut, check_two_people
from services.ledger.domain.funding import BANK, BANK_OWN
from services.ledger.domain.holds import HOLDS
from services.ledger.domain.lines import SettleLine
from services.ledger.domain.payees import PAYOUT_ACCOUNTS
from services.ledger.domain.policies import ONLY, POLICIES
from services.ledger.domain.repeats import input_hash
from services.ledger.domain.residences import RESIDENCES
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit
from services.ledger.domain.rows import ACCOUNTS, CLIENT_MONEY, ESCROWS, SETTLED_LINES, TRANSFERS
from services.ledger.domain.ties import PARTIES, PAY_ACCOUNTS
from services.ledger.domain.transfers import Ref, account_key
from services.ledger.domain.waiting import WAITING, EscrowEvent, PaymentDeferred, waits

HEARS_ALL = frozenset({"finance", "system"})
PLATFORMS_OWN = frozenset({"payout.client_money_short", "clearing.bound_crossed"})
"""Refusals whose sums are over all clients."""
SYSTEMS_OWN = (
    ClawBackPayment, ConfirmDeposit, FailDeposit, ReverseDeposit, RestoreDeposit, ConfirmTransfer, FailTransfer,
    ReturnTransfer,
)  # fmt: skip
"""Commands that no person may send at all, however many approve."""


@dataclass(frozen=True, slots=True)
class Done:
    """A stream's chains by id, each with the hash of the input it was decided from; of reversals also what each took."""

    chains: tuple[tuple[str, str], ...] = ()
    reversals: tuple[tuple[str, int], ...] = ()


def decide(command: Command, state: Done, context: Context) -> Sequence[EscrowEvent]:
    """A chain that stands is a repeat and decides nothing; the same id with another input is a Conflict."""
    if context.stream != stream_of(command):
        raise Invalid("chain.wrong_stream", expected=stream_of(command))
    _check_asker(command, context)
    if isinstance(command, SettleLine) and settlements.is_settled(command, context):
        return []
    known = dict(state.chains).get(command.chain_id)
    if known is None:
        by_hand = _agreed(command, context)
        try:
            return [*_decide_new(command, context, state), *by_hand]
        except Refused as refused:
            raise told_to(context.actor, refused) from None
    if known != input_hash(command):
        raise Conflict("chain.exists_with_other_input", chain_id=command.chain_id)
    return []


def _agreed(command: Command, context: Context) -> list[MoveCarriedOut]:
    """As check_two_people; two people agreed on a payment that waits when it was first decided."""
    if isinstance(command, SYSTEMS_OWN) or waits(command, context.rows):
        return []
    return check_two_people(command, context, _owner(command, context))


def _check_asker(command: Command, context: Context) -> None:
    """Strangers are refused before anything is said of what stands: also a repeat says that its guess was right."""
    match command:
        case RequestDeposit():
            deposits.check_asker(command, context.actor)
        case RequestPayout():
            payouts.check_payout_asker(command, context.actor)
        case RequestRefund():
            payouts.refunded(command, context)
        case _:
            return


def told_to(actor: Actor, refused: Refused) -> Refused:
    """The refusal as the actor may hear it: sums of the platform and of other owners are for finance and the platform."""
    owner = PLATFORM if refused.code in PLATFORMS_OWN else refused.facts.get("owner", actor.tenant)
    if owner == actor.tenant or not actor.roles.isdisjoint(HEARS_ALL):
        return refused
    if refused.code in PLATFORMS_OWN or refused.code == "account.bound_crossed":
        return Refused(
            "transfer.not_now", do="ask again later: the money has not all arrived yet, none of yours is gone"
        )
    return Refused(refused.code)


def _owner(command: Command, context: Context) -> str:
    """The organisation that may ask for itself; of other commands none may."""
    match command:
        case RequestDeposit():
            return command.brand_id
        case RequestPayout():
            return command.owner
        case RequestRefund():
            deposit = context.rows.get(TRANSFERS, (command.deposit_id,))
            return deposit.owner if deposit else context.actor.tenant
        case _:
            return ""


def _decide_new(command: Command, context: Context, state: Done) -> Sequence[EscrowEvent]:
    """One line a command; `booked` are the stream's chains."""
    booked = [id_ for id_, _ in state.chains]
    match command:
        case HoldEscrow():
            return escrows.hold(command, context)
        case ReleasePayment():
            return escrows.release(command, context)
        case CancelEscrow():
            return escrows.cancel(command, context)
        case ClawBackPayment():
            return claw_backs.claw_back(command, context)
        case RequestDeposit():
            return deposits.request(command, context)
        case ConfirmDeposit():
            return deposits.confirm(command, context, booked)
        case FailDeposit():
            return deposits.fail(command, context, booked)
        case ReverseDeposit():
            return deposits.reverse(command, context, booked)
        case RestoreDeposit():
            return deposits.restore(command, context, dict(state.reversals), booked)
        case SettleLine():
            return settlements.settle(command, context, booked)
        case IdentifyMoney():
            return deposits.identify(command, context)
        case PayInOwnMoney():
            return deposits.pay_in(command, context)
        case RequestPayout():
            return payouts.request_payout(command, context)
        case RequestRefund():
            return payouts.request_refund(command, context)
        case ConfirmTransfer():
            return payouts.confirm(command, context)
        case FailTransfer():
            return payouts.fail(command, context)
        case ReturnTransfer():
            return payouts.give_back(command, context)
        case _:
            assert_never(command)


def evolve(state: Done, event: EscrowEvent) -> Done:
    match event:
        case ChainPosted() | EscrowRefused():
            pair = (event.chain_id, event.input_hash)
            return state if pair in state.chains else Done((*state.chains, pair), _reversals(event, state))
        case TaxWithheld() | PaymentDeferred() | MoveCarriedOut():
            return state
        case _:
            assert_never(event)


def _reversals(event: ChainPosted | EscrowRefused, state: Done) -> tuple[tuple[str, int], ...]:
    if isinstance(event, EscrowRefused) or event.kind is not ChainKind.DEPOSIT_REVERSED or event.transfer is None:
        return state.reversals
    return (*state.reversals, (event.chain_id, event.transfer.amount_minor))


def reads(command: Command, state: Done) -> Iterable[tuple[InlineTable[Any], Key]]:
    """The rows that can be named before the escrow or transfer is known; the writer loads the few others on demand."""
    match command:
        case HoldEscrow() | ReleasePayment() | CancelEscrow() | ClawBackPayment():
            yield ESCROWS, (command.deliverable_id,)
            yield from _money(command.currency)
            yield from _accounts(command.currency, _parties(command))
            if not isinstance(command, ClawBackPayment):
                yield from _payees(command)
        case RequestDeposit() | ConfirmDeposit() | FailDeposit() | ReverseDeposit() | RestoreDeposit():
            yield TRANSFERS, (command.deposit_id,)
        case SettleLine():
            yield TRANSFERS, (command.reference,)
            yield SETTLED_LINES, (command.key,)
            yield SETTLED_LINES, (command.chain_id,)
        case RequestPayout():
            yield TRANSFERS, (command.payout_id,)
            yield PAYOUT_ACCOUNTS, (command.owner, command.currency)
            yield PARTIES, (command.owner,)
            yield HOLDS, (command.owner,)
            yield PAY_ACCOUNTS, (command.instrument,)
            yield from _money(command.currency)
            refs = [Ref(command.account, command.owner), Ref(Code.PAYOUT_IN_TRANSIT, command.payout_id)]
            yield from _accounts(command.currency, refs)
        case RequestRefund():
            yield TRANSFERS, (command.refund_id,)
            yield TRANSFERS, (command.deposit_id,)
        case ConfirmTransfer() | FailTransfer() | ReturnTransfer():
            yield TRANSFERS, (command.transfer_id,)
        case PayInOwnMoney() | IdentifyMoney():
            yield from _money(command.currency)
        case _:
            assert_never(command)


def _parties(command: HoldEscrow | ReleasePayment | CancelEscrow | ClawBackPayment) -> Iterable[Ref]:
    if not isinstance(command, ClawBackPayment):
        yield Ref(Code.ESCROW, command.deliverable_id)
    if not isinstance(command, ReleasePayment):
        yield Ref(Code.BRAND_AVAILABLE, command.brand_id)
        yield Ref(Code.BRAND_RECEIVABLE, command.brand_id)
    if isinstance(command, ReleasePayment | CancelEscrow):
        yield Ref(Code.FEE_REVENUE, PLATFORM)
    if not isinstance(command, HoldEscrow):
        yield Ref(Code.CREATOR_AVAILABLE, command.creator_id)
        yield Ref(Code.CREATOR_RECEIVABLE, command.creator_id)


def _payees(command: HoldEscrow | ReleasePayment | CancelEscrow) -> Iterable[tuple[InlineTable[Any], Key]]:
    if isinstance(command, HoldEscrow):
        yield POLICIES, ONLY
    else:
        yield WAITING, (command.deliverable_id,)
        yield from ((table, (payee_id,)) for payee_id in payees_of(command) for table in (RESIDENCES, PARTIES))


def _money(currency: str) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield CLIENT_MONEY, (currency,)
    yield from _accounts(currency, (BANK, BANK_OWN))


def _accounts(currency: str, refs: Iterable[Ref]) -> Iterable[tuple[InlineTable[Any], Key]]:
    return ((ACCOUNTS, account_key(ref, currency)) for ref in refs)


def _decider(category: str) -> Decider[Command, Done, EscrowEvent]:
    return Decider(category, Done(), decide, evolve, published=category not in (CHAIN, REFUND), reads=reads)


DECIDERS = tuple(map(_decider, CATEGORIES))
