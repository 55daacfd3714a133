"""Request and answer bodies of the ledger's HTTP edge."""

from typing import Annotated

from pydantic import Field

from kernel.core.bounds import whole
from kernel.edge.fields import AmountMinor, Currency, PositiveMinor, ShortText, UtcDatetime, Uuid, worded
from kernel.edge.fields import Body as Fields
from services.ledger.domain.commands import IdentifyMoney, RequestDeposit, RequestPayout
from services.ledger.domain.discrepancies import ResolveDiscrepancy
from services.ledger.domain.policies import ProposeFeePolicy, RejectFeePolicy
from services.ledger.domain.set_by_hand import ChangePayoutAccount, ClearTie, SetReferenceRate, SetTaxResidence


class DepositBody(Fields):
    """`instrument` is the provider's token of the means of payment; `brand_id` only when finance acts for a brand."""

    amount_minor: PositiveMinor
    currency: Currency
    instrument: Annotated[ShortText, whole(RequestDeposit, "instrument")]
    brand_id: Uuid | None = None


class PayoutBody(Fields):
    """`instrument` is the provider's token of the payee's account, without it the account that was named last; `party` says which
    balance is paid out."""

    amount_minor: PositiveMinor
    currency: Currency
    instrument: Annotated[ShortText, whole(RequestPayout, "instrument")] | None = None
    party: Annotated[str, Field(pattern=worded("^(creator|agency)$", "creator or agency"))] = "creator"
    owner_id: Uuid | None = None


class PayoutAccountBody(Fields):
    """Where payouts of one currency go; `instrument` is the provider's token of the account."""

    currency: Currency
    instrument: Annotated[ShortText, whole(ChangePayoutAccount, "instrument")]


class RefundBody(Fields):
    """Returns free deposit to the instrument it came from."""

    deposit_id: Uuid
    amount_minor: PositiveMinor


class OwnMoneyBody(Fields):
    """Money of the platform, paid in to cover costs."""

    amount_minor: PositiveMinor
    currency: Currency


class IdentifyBody(Fields):
    """Money in suspense that turned out to be a brand's."""

    brand_id: Uuid
    amount_minor: PositiveMinor
    currency: Currency
    reason: Annotated[ShortText, whole(IdentifyMoney, "reason")]


class ReleaseBody(Fields):
    """A part of what is left; both 0 release all of it."""

    fee_minor: AmountMinor = 0
    brand_fee_minor: AmountMinor = 0


class CancelBody(Fields):
    """`kill_fee_minor` of the creator's fee goes to the creator, the rest back to the brand."""

    kill_fee_minor: AmountMinor = 0
    reason: ShortText


class FeePolicyBody(Fields):
    """The fees of all offers from `since` on: what the brand pays on top, and what the creator leaves of its fee."""

    since: UtcDatetime
    brand_fee_bps: Annotated[int, whole(ProposeFeePolicy, "brand_fee_bps")]
    creator_fee_bps: Annotated[int, whole(ProposeFeePolicy, "creator_fee_bps")]


class RejectionBody(Fields):
    reason: Annotated[ShortText, whole(RejectFeePolicy, "reason")]


class TaxResidenceBody(Fields):
    """`country` by ISO 3166-1 alpha-2; `reference` names the proof that finance has seen."""

    country: Annotated[
        str, Field(pattern=worded("^[A-Z]{2}$", "a country of ISO 3166-1: two capitals"), examples=["CN"])
    ]
    reference: Annotated[ShortText, whole(SetTaxResidence, "reference")]


class ReferenceRateBody(Fields):
    """`cny_minor` fen were worth `per_minor` minor units: 71234 for 10000 is 7.1234 yuan for a dollar."""

    cny_minor: Annotated[int, whole(SetReferenceRate, "cny_minor")]
    per_minor: Annotated[int, whole(SetReferenceRate, "per_minor")]


class TieBody(Fields):
    """Why it is right that the payee is paid by a brand that it is tied to."""

    reason: Annotated[ShortText, whole(ClearTie, "reason")]


class ResolveBody(Fields):
    """What was done about a discrepancy."""

    reason: Annotated[ShortText, whole(ResolveDiscrepancy, "reason")]
