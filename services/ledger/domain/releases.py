"""What a release is made of (rows 7 to 10): fees, VAT, agency, each payee's tax, old debts, and what is left."""

from collections.abc import Iterable
from datetime import datetime

from kernel.core.decider import Context
from kernel.core.faults import Invalid
from services.ledger.domain.accounts import PLATFORM, Code
from services.ledger.domain.commands import BY_POLICY, CancelEscrow, ReleasePayment, Weight
from services.ledger.domain.events import ChainKind, ChainPosted, Payee, Released, ReleaseKind, TaxWithheld
from services.ledger.domain.fees import MAX_CREATOR_FEE_BPS, share_out, split_creators
from services.ledger.domain.policies import sealed_under
from services.ledger.domain.posting import Books
from services.ledger.domain.residences import RATES, RESIDENCES
from services.ledger.domain.rows import TAX_YEARS, Escrow, deal_of
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
from services.ledger.domain.waiting import EscrowEvent

MAX_PAYEES = 50


def pay_out(
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


def kill_fee_of(command: CancelEscrow, row: Escrow) -> int:
    """The kill fee, at most what is left of the fee."""
    return min(command.kill_fee_minor, row.fee_left_minor)


def _released(
    books: Books,
    command: ReleasePayment | CancelEscrow,
    context: Context,
    row: Escrow,
    final: bool,
    kind: ReleaseKind,
) -> Released:
    creator_fee_bps = _creator_fee_bps(command, context, row)
    release_ = command if isinstance(command, ReleasePayment) else None
    id_ = command.release_id if isinstance(command, ReleasePayment) else command.refund_id
    fee_minor = command.fee_minor if isinstance(command, ReleasePayment) else kill_fee_of(command, row)
    brand_fee_minor = release_.brand_fee_minor if release_ else 0
    shares = share_out(
        fee_minor, brand_fee_minor, creator_fee_bps=creator_fee_bps, agency_bps=row.agency_bps,
        jurisdiction=row.jurisdiction,
    )  # fmt: skip
    split = release_.split if release_ else ()
    payees = tuple(_payees(books, context, row, shares.creator_minor, split))
    return Released(
        id_, kind, final, fee_minor, brand_fee_minor, shares.brand_revenue_minor, shares.creator_revenue_minor,
        shares.vat_minor, shares.agency_minor, payees,
    )  # fmt: skip


def _creator_fee_bps(command: ReleasePayment | CancelEscrow, context: Context, row: Escrow) -> int:
    """The sealed contract's, as the process names it; by finance's hand that of the deal's policy, whatever number comes."""
    if command.creator_fee_bps == BY_POLICY or "system" not in context.actor.roles:
        return sealed_under(row.policy_id, context.rows).creator_fee_bps
    if not 0 <= command.creator_fee_bps <= MAX_CREATOR_FEE_BPS:
        limit_bps = MAX_CREATOR_FEE_BPS
        raise Invalid("fee.creator_fee_out_of_range", creator_fee_bps=command.creator_fee_bps, limit_bps=limit_bps)
    return command.creator_fee_bps


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
