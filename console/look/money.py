"""Names of accounts and of business steps of the books, for people."""

from collections.abc import Mapping

from console.words import mark

ACCOUNTS: Mapping[str, str] = {
    "bank": mark("Client money at the bank"),
    "bank_own": mark("Own money at the bank"),
    "equity": mark("Own money paid in"),
    "psp_clearing": mark("Charged, not settled"),
    "psp_cost": mark("Provider's fees"),
    "bad_debt": mark("Debts written off"),
    "creator_receivable": mark("Owed by creators"),
    "agency_receivable": mark("Owed by agencies"),
    "brand_receivable": mark("Owed by brands"),
    "tax_recoverable": mark("Tax to reclaim"),
    "brand_available": mark("Free deposits"),
    "escrow": mark("In escrow"),
    "dispute": mark("Frozen by disputes"),
    "creator_available": mark("Earned by creators"),
    "agency_available": mark("Earned by agencies"),
    "payout_in_transit": mark("Payouts under way"),
    "refund_in_transit": mark("Refunds under way"),
    "tax_withheld": mark("Tax withheld"),
    "vat_output": mark("VAT on fees"),
    "suspense": mark("Not yet identified"),
    "fee_revenue": mark("Platform fees"),
    "fx_revenue": mark("Exchange revenue"),
    "fx_position": mark("Exchange position"),
}
STEPS: Mapping[str, str] = {
    "own_money_paid_in": mark("Own money paid in"),
    "deposit_charged": mark("Deposit asked for"),
    "deposit_confirmed": mark("Deposit arrived"),
    "deposit_failed": mark("Deposit failed"),
    "line_settled": mark("Settled by the provider"),
    "money_identified": mark("Money identified"),
    "escrow_held": mark("Held in escrow"),
    "payment_released": mark("Payment released"),
    "payout_requested": mark("Payout asked for"),
    "payout_confirmed": mark("Payout arrived"),
    "payout_failed": mark("Payout failed"),
    "payout_returned": mark("Payout came back"),
    "escrow_cancelled": mark("Escrow returned"),
    "escrow_reduced": mark("Escrow reduced"),
    "refund_requested": mark("Refund asked for"),
    "refund_confirmed": mark("Refund arrived"),
    "refund_failed": mark("Refund failed"),
    "refund_returned": mark("Refund came back"),
    "clawed_back": mark("Taken back after a breach"),
    "deposit_reversed": mark("Deposit taken back by the provider"),
    "deposit_restored": mark("Deposit restored"),
}
MOVES: Mapping[str, str] = {
    "own_money": mark("Own money paid in"),
    "identification": mark("Money identified"),
    "release": mark("Payment by hand"),
    "cancellation": mark("Escrow returned by hand"),
    "deposit": mark("Deposit for a brand"),
    "payout": mark("Payout for a payee"),
    "refund": mark("Refund for a brand"),
    "payout_account": mark("Payout account"),
    "tax_residence": mark("Tax residence"),
    "reference_rate": mark("Reference rate"),
    "settlement_file": mark("Settlement file"),
    "tie": mark("Tie of brand and payee"),
}
"""Names of what finance moves by hand (HandMove.move)."""
REASONS: Mapping[str, str] = {
    "provider.declined": mark("The provider declined it"),
    "provider.account_closed": mark("The account is closed"),
    "provider.charge_returned": mark("The charge was returned"),
    "deposit.expired": mark("It was not confirmed in time"),
    "deposit.amount_differs": mark("Another amount arrived"),
    "tax.residence_unknown": mark("Finance has not verified where the payee is resident for tax"),
    "tax.rate_unknown": mark("The reference rate of the month before is not set"),
    "party.same_account": mark("Brand and payee use one account: two people of finance have to clear it"),
    "party.same_payee": mark("Brand and payee are one organisation: two people of finance have to clear it"),
}
"""Why money failed or waits, by code; other codes are explained as refusals are."""
RULES: Mapping[str, str] = {
    "cn-labour-cumulative@2025-10-01": mark("China: labour income, withheld cumulatively over the year"),
    "no-withholding@2025-01-01": mark("Nothing is withheld: resident elsewhere"),
}
"""Tax rules (WithholdingTerms.tax_rule)."""
