"""Escrow per deliverable: held at contract, released on verification, returned on cancellation. Decided at the head."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import checked_id
from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, checked_currency, share_down
from services.ledger.domain.accounts import PLATFORM, Code
from services.ledger.domain.commands import CancelEscrow, HoldEscrow, ReleasePayment, Weight
from services.ledger.domain.events import (
    ChainKind,
    ChainPosted,
    Deal,
    EscrowRefused,
    Payee,
    Released,
    ReleaseKind,
    TaxWithheld,
)
from services.ledger.domain.fees import MAX_CREATOR_FEE_BPS, FeePolicy, policy_at, share_out, split_creators
from services.ledger.domain.policies import approved
from services.ledger.domain.posting import Books
from services.ledger.domain.repeats import input_hash
from services.ledger.domain.residences import RATES, RESIDENCES
from services.ledger.domain.rows import ESCROWS, TAX_YEARS, Escrow, EscrowStatus
from services.ledger.domain.tax import (
    CHINA_STANDARD_TIME,
    CN_AUTHORITY,
    CN_COUNTRY,
    CN_CURRENCY,
    Rule,
    Withholding,
    rate_month,
    withhold,
    year_key,
)
from services.ledger.domain.transfers import Leg, Ref
from services.ledger.domain.waiting import EscrowEvent, awaited, check_alone, deferred

ESCROW_LIFE_S = 400 * 86_400
"""After this an escrow that nobody released or cancelled goes back to the brand: no money is stuck for ever."""
MAX_ESCROW_LIFE_S = 1_200 * 86_400
MAX_REVISION = 1_000
MAX_PAYEES = 50


def hold(command: HoldEscrow, context: Context) -> list[EscrowEvent]:
    """Row 5, and 6 for a later revision; an uncovered hold answers EscrowRefused."""
    context.actor.require("system", "finance")
    _check_hold(command)
    row = context.rows.get(ESCROWS, (command.deliverable_id,))
    deal = _deal(command, context)
    more_minor = _checked_change(deal, row)
    books = Books(context.rows)
    available_minor = books.account(Code.BRAND_AVAILABLE, deal.brand_id, deal.currency).spendable_minor
    if more_minor > available_minor:
        return [
            EscrowRefused(
                command.chain_id, input_hash(command), deal, "escrow.not_covered", more_minor, available_minor
            )
        ]
    brand, escrow = Ref(Code.BRAND_AVAILABLE, deal.brand_id), Ref(Code.ESCROW, deal.deliverable_id)
    debit, credit = (brand, escrow) if more_minor > 0 else (escrow, brand)
    leg = Leg(debit, credit, abs(more_minor), deal.currency)
    return [books.post(command, ChainKind.ESCROW_HELD, deal.currency, [leg], deal=deal)]


def _check_hold(command: HoldEscrow) -> None:
    checked_currency(command.currency)
    for id_ in (command.collaboration_id, command.campaign_id, command.brand_id, command.creator_id):
        checked_id(id_)
    if not 1 <= command.revision <= MAX_REVISION:
        raise Invalid("escrow.revision_out_of_range", revision=command.revision, limit=MAX_REVISION)
    if command.fee_minor < 0 or command.brand_fee_minor < 0 or command.fee_minor + command.brand_fee_minor == 0:
        raise Invalid("escrow.amount_not_positive", fee_minor=command.fee_minor)
    if max(command.fee_minor, command.brand_fee_minor) > LIMIT_MINOR:
        raise Invalid("amount.too_large", limit_minor=LIMIT_MINOR)
    if not 0 <= command.agency_bps <= BASIS_POINTS or (command.agency_bps and not command.agency_id):
        raise Invalid("escrow.agency_share_out_of_range", agency_bps=command.agency_bps)
    if not 0 <= command.expires_s <= MAX_ESCROW_LIFE_S:
        raise Invalid("escrow.life_out_of_range", expires_s=command.expires_s, limit_s=MAX_ESCROW_LIFE_S)


def _deal(command: HoldEscrow, context: Context) -> Deal:
    return Deal(
        command.deliverable_id, command.revision, command.collaboration_id, command.campaign_id, command.brand_id,
        command.creator_id, command.agency_id, command.agency_bps, command.jurisdiction, command.currency,
        command.fee_minor, command.brand_fee_minor, _policy(command, context).name,
        context.at + timedelta(seconds=command.expires_s or ESCROW_LIFE_S),
    )  # fmt: skip


def _policy(command: HoldEscrow, context: Context) -> FeePolicy:
    """The policy that the deal was sealed under; the brand's fee is what it says, whoever asks for the hold."""
    policies = approved(context.rows)
    if not command.fee_policy:
        return policy_at(context.at, policies)
    named = next((policy for policy in policies if policy.name == command.fee_policy), None)
    if named is None:
        raise Refused("fee.policy_unknown", fee_policy=command.fee_policy[:80])
    expected_minor = share_down(command.fee_minor, named.brand_fee_bps)
    if command.brand_fee_minor != expected_minor:
        raise Refused("fee.not_by_policy", fee_policy=named.name, expected_minor=expected_minor)
    return named


def _checked_change(deal: Deal, row: Escrow | None) -> int:
    """How much more is to be held (negative: less), once the revision follows the one at the head."""
    if row is None:
        return deal.fee_minor + deal.brand_fee_minor
    if row.status != EscrowStatus.HELD:
        raise Refused("escrow.not_held", status=row.status)
    if deal.revision <= row.revision:
        raise Refused("escrow.revision_is_old", revision=deal.revision, held=row.revision)
    parties = (row.brand_id, row.creator_id, row.currency, row.agency_id, row.jurisdiction)
    if parties != (deal.brand_id, deal.creator_id, deal.currency, deal.agency_id, deal.jurisdiction):
        raise Refused("escrow.terms_differ")
    gone_fee, gone_brand_fee = row.fee_minor - row.fee_left_minor, row.brand_fee_minor - row.brand_fee_left_minor
    if deal.fee_minor < gone_fee or deal.brand_fee_minor < gone_brand_fee:
        raise Refused("escrow.already_released", released_minor=gone_fee + gone_brand_fee)
    change = deal.fee_minor + deal.brand_fee_minor - row.held_minor
    if not change:
        raise Refused("escrow.nothing_changes", held_minor=row.held_minor)
    return change


def held_escrow(context: Context, deliverable_id: str, creator_id: str, currency: str) -> Escrow:
    """The escrow at the head; raises Refused `escrow.not_held` (with its status) or `escrow.terms_differ`."""
    row = context.rows.get(ESCROWS, (deliverable_id,))
    if row is None or row.status != EscrowStatus.HELD:
        raise Refused("escrow.not_held", status=row.status if row else "none")
    if (row.creator_id, row.currency) != (creator_id, currency):
        raise Refused("escrow.terms_differ", currency=row.currency)
    return row


def release(command: ReleasePayment, context: Context) -> list[EscrowEvent]:
    """Rows 7 to 10; waits while a payee's residence for tax, or the rate that it is taxed at, is not known."""
    context.actor.require("system", "finance")
    row = held_escrow(context, command.deliverable_id, command.creator_id, command.currency)
    if command.fee_minor < 0 or command.brand_fee_minor < 0 or command.fee_minor + command.brand_fee_minor == 0:
        raise Invalid("amount.not_positive", amount_minor=command.fee_minor)
    if command.fee_minor > row.fee_left_minor or command.brand_fee_minor > row.brand_fee_left_minor:
        raise Refused("escrow.not_enough_left", left_minor=row.left_minor)
    check_alone(command, context)
    final = command.fee_minor + command.brand_fee_minor == row.left_minor
    payees = payees_of(command) if command.fee_minor else ()
    if (wait := awaited(row, payees, context)) is not None:
        return deferred(command, deal_of(row), *wait, context)
    return _pay_out(Books(context.rows), command, context, row, final, ReleaseKind.SETTLEMENT)


def cancel(command: CancelEscrow, context: Context) -> list[EscrowEvent]:
    """Row 15: the kill fee by the chain of row 7, the rest back to the brand; one append, so never one without the other."""
    context.actor.require("system", "finance")
    row = held_escrow(context, command.deliverable_id, command.creator_id, command.currency)
    if not 0 <= command.kill_fee_minor <= row.fee_left_minor:
        raise Invalid("escrow.kill_fee_out_of_range", left_minor=row.fee_left_minor)
    payees = payees_of(command) if command.kill_fee_minor else ()
    if (wait := awaited(row, payees, context)) is not None:
        return deferred(command, deal_of(row), *wait, context)
    books, events = Books(context.rows), list[EscrowEvent]()
    if command.kill_fee_minor:
        events += _pay_out(books, command, context, row, final=False, kind=ReleaseKind.KILL_FEE)
    back_minor = row.left_minor - command.kill_fee_minor
    escrow = Ref(Code.ESCROW, row.deliverable_id)
    leg = Leg(escrow, Ref(Code.BRAND_AVAILABLE, row.brand_id), back_minor, row.currency)
    returned = books.post(
        command, ChainKind.ESCROW_CANCELLED, row.currency, [leg], (escrow,),
        deal=deal_of(row), returned_minor=back_minor, killed_minor=command.kill_fee_minor, reason=command.reason,
    )  # fmt: skip
    return [*events, returned]


def payees_of(command: ReleasePayment | CancelEscrow) -> tuple[str, ...]:
    """Who is paid by a command: the deal's creator, or those who share the deliverable."""
    split = command.split if isinstance(command, ReleasePayment) else ()
    return tuple(part.creator_id for part in split) or (command.creator_id,)


def _pay_out(
    books: Books,
    command: ReleasePayment | CancelEscrow,
    context: Context,
    row: Escrow,
    final: bool,
    kind: ReleaseKind,
) -> list[EscrowEvent]:
    released = _released(books, command, context, row, final, kind)
    escrow = Ref(Code.ESCROW, row.deliverable_id)
    chain = books.post(
        command, ChainKind.PAYMENT_RELEASED, row.currency, _release_legs(escrow, row, released, context.at),
        (escrow,) if final else (), deal=deal_of(row), released=released,
    )  # fmt: skip
    return [chain, *_tax_facts(chain, released)]


def _released(
    books: Books,
    command: ReleasePayment | CancelEscrow,
    context: Context,
    row: Escrow,
    final: bool,
    kind: ReleaseKind,
) -> Released:
    limit_bps = MAX_CREATOR_FEE_BPS
    if not 0 <= command.creator_fee_bps <= limit_bps:
        raise Invalid("fee.creator_fee_out_of_range", creator_fee_bps=command.creator_fee_bps, limit_bps=limit_bps)
    release_ = command if isinstance(command, ReleasePayment) else None
    id_ = command.release_id if isinstance(command, ReleasePayment) else command.refund_id
    fee_minor = command.fee_minor if isinstance(command, ReleasePayment) else command.kill_fee_minor
    brand_fee_minor = release_.brand_fee_minor if release_ else 0
    shares = share_out(
        fee_minor, brand_fee_minor, creator_fee_bps=command.creator_fee_bps, agency_bps=row.agency_bps,
        jurisdiction=row.jurisdiction,
    )  # fmt: skip
    split = release_.split if release_ else ()
    payees = tuple(_payees(books, context, row, shares.creator_minor, split))
    return Released(
        id_, kind, final, fee_minor, brand_fee_minor, shares.brand_revenue_minor, shares.creator_revenue_minor,
        shares.vat_minor, shares.agency_minor, payees,
    )  # fmt: skip


def _payees(
    books: Books, context: Context, row: Escrow, amount_minor: int, split: tuple[Weight, ...]
) -> Iterable[Payee]:
    """Rows 8 to 10: shares by largest remainder; of each its tax, then an old debt, then what is left."""
    weights = tuple((part.creator_id, part.weight) for part in split) or ((row.creator_id, 1),)
    if len(weights) > MAX_PAYEES or len(dict(weights)) != len(weights):
        raise Invalid("release.split_malformed", limit=MAX_PAYEES)
    for creator_id, share_minor in split_creators(amount_minor, weights).items():
        tax = _withheld(row.currency, creator_id, share_minor, context)
        rest_minor = share_minor - tax.withheld_minor
        debt_minor = books.account(Code.CREATOR_RECEIVABLE, creator_id, row.currency).spendable_minor
        recovered_minor = min(rest_minor, debt_minor)
        yield Payee(creator_id, share_minor, tax, recovered_minor, rest_minor - recovered_minor)


def _withheld(currency: str, payee_id: str, share_minor: int, context: Context) -> Withholding:
    """The tax of a payee's own residence, whatever law the content falls under."""
    residence = context.rows.get(RESIDENCES, (payee_id,))
    if residence is None or residence.country != CN_COUNTRY:
        return withhold(residence.country if residence else "", share_minor, None, context.at)
    rate = context.rows.get(RATES, (currency, rate_month(context.at))) if currency != CN_CURRENCY else None
    return withhold(
        CN_COUNTRY, share_minor, context.rows.get(TAX_YEARS, year_key(payee_id, context.at)), context.at, rate
    )


def _release_legs(escrow: Ref, row: Escrow, released: Released, at: datetime) -> Iterable[Leg]:
    """Row 7 in its order: fee, VAT, agency, then each creator's tax and the rest; row 10 right behind."""

    def out(code: Code, owner: str, amount_minor: int) -> Leg:
        return Leg(escrow, Ref(code, owner), amount_minor, row.currency)

    yield out(Code.FEE_REVENUE, PLATFORM, released.brand_revenue_minor + released.creator_revenue_minor)
    yield out(Code.VAT_OUTPUT, f"{CN_AUTHORITY}:{_cn_month(at)}", released.vat_minor)
    yield out(Code.AGENCY_AVAILABLE, row.agency_id, released.agency_minor)
    for payee in released.payees:
        yield out(Code.TAX_WITHHELD, f"{payee.tax.authority}:{_period(payee.tax)}", payee.tax.withheld_minor)
        yield out(Code.CREATOR_AVAILABLE, payee.creator_id, payee.share_minor - payee.tax.withheld_minor)
        debt = Ref(Code.CREATOR_RECEIVABLE, payee.creator_id)
        yield Leg(Ref(Code.CREATOR_AVAILABLE, payee.creator_id), debt, payee.recovered_minor, row.currency)


def _period(tax: Withholding) -> str:
    return f"{tax.year}-{tax.month:02d}"


def _cn_month(at: datetime) -> str:
    """The month in China, whose authority VAT is owed to, wherever the payees are resident."""
    local = at + CHINA_STANDARD_TIME
    return f"{local.year}-{local.month:02d}"


def _tax_facts(chain: ChainPosted, released: Released) -> Iterable[TaxWithheld]:
    assert chain.deal is not None
    for payee in released.payees:
        if payee.tax.rule is not Rule.NONE:
            yield TaxWithheld(
                released.release_id, chain.deal.deliverable_id, payee.creator_id, chain.currency, payee.tax
            )


def deal_of(row: Escrow) -> Deal:
    """The deal as the escrow row keeps it."""
    return Deal(
        row.deliverable_id, row.revision, row.collaboration_id, row.campaign_id, row.brand_id, row.creator_id,
        row.agency_id, row.agency_bps, row.jurisdiction, row.currency, row.fee_minor, row.brand_fee_minor,
        row.policy_id, row.expires_at,
    )  # fmt: skip
