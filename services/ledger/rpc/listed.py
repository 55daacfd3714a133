"""The lists of transfers, escrows, releases and payout accounts over gRPC."""

from collections.abc import Awaitable, Callable
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as pb_events
from dandelion.ledger.v1 import queries_pb2 as pb
from dandelion.ledger.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word
from pydantic import TypeAdapter

from kernel.core.decider import Actor
from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import Page, Row, chosen
from kernel.processors.projector import Projection
from services.ledger.domain.events import Payee, ReleaseKind
from services.ledger.domain.tax import CN_CURRENCY, Rule, Withholding
from services.ledger.projections.listed import (
    ACCOUNTS_PROJECTION,
    LISTED_ESCROWS_PROJECTION,
    RELEASES_PROJECTION,
    TRANSFERS_PROJECTION,
)
from services.ledger.reads.listed import Cut, EscrowTotal, ListReads
from services.ledger.reads.moves import STAFF
from services.ledger.rpc.moves import LINES_DEFAULT, LINES_LIMIT

LONGEST = 200
"""Of a text that filters."""
SHOWN_CHARACTERS = 4
"""Of an account, so many last characters at most are shown, and a third of it at most."""


class ListQueries(grpc_pb.BalanceQueryServiceServicer):
    """The lists' part of BalanceQueryService: each is read as its caller, whose rows they are."""

    _app: App
    _lists: ListReads

    async def ListTransfers(self, request: pb.ListTransfersRequest, context: Any) -> pb.ListTransfersResponse:  # noqa: N802
        actor, equal = caller(), {"owner": request.owner_id, "currency": request.currency}
        equal |= {"kind": word(pb.TransferKind, request.kind), "status": word(pb.TransferStatus, request.status)}
        orders = ("requested_at desc", "requested_at")
        found, page = await self._listed(request, actor, TRANSFERS_PROJECTION, orders, equal, self._lists.transfers)
        return pb.ListTransfersResponse(transfers=map(_transfer, found.rows), page=page)

    async def ListEscrows(self, request: pb.ListEscrowsRequest, context: Any) -> pb.ListEscrowsResponse:  # noqa: N802
        actor = caller()
        equal = _equal(request, "campaign_id", "collaboration_id", "brand_id", "creator_id", "currency")
        equal |= {"status": word(pb.EscrowStatus, request.status)}
        orders = ("held_at desc", "held_at")
        found, page = await self._listed(request, actor, LISTED_ESCROWS_PROJECTION, orders, equal, self._lists.escrows)
        totals = await self._lists.escrow_totals(equal, actor)
        return pb.ListEscrowsResponse(escrows=map(_escrow, found.rows), page=page, totals=map(_total, totals))

    async def ListReleases(self, request: pb.ListReleasesRequest, context: Any) -> pb.ListReleasesResponse:  # noqa: N802
        actor = caller()
        names = ("campaign_id", "collaboration_id", "deliverable_id", "brand_id", "creator_id", "currency")
        orders, equal = ("released_at desc", "released_at"), _equal(request, *names)
        found, page = await self._listed(request, actor, RELEASES_PROJECTION, orders, equal, self._lists.releases)
        return pb.ListReleasesResponse(releases=[_release(row, actor) for row in found.rows], page=page)

    async def ListPayoutAccounts(  # noqa: N802
        self, request: pb.ListPayoutAccountsRequest, context: Any
    ) -> pb.ListPayoutAccountsResponse:
        actor, orders, equal = caller(), ("changed_at desc", "changed_at"), {"owner": request.owner_id}
        read = self._lists.payout_accounts
        found, page = await self._listed(request, actor, ACCOUNTS_PROJECTION, orders, equal, read)
        return pb.ListPayoutAccountsResponse(accounts=map(_account, found.rows), page=page)

    async def _listed(
        self,
        request: Any,
        actor: Actor,
        projection: Projection,
        orders: tuple[str, str],
        equal: dict[str, str],
        read: Callable[[Cut, Actor], Awaitable[Page]],
    ) -> tuple[Page, common.PageInfo]:
        """A page of a list, and what leads to the next one."""
        _, falling = chosen(request.order_by, orders)
        size, tokens = page_size(request.page_size, LINES_DEFAULT, LINES_LIMIT), self._app.page_tokens
        after = tokens.open(request, request.page_token, actor.tenant)
        equal = {name: checked_filter(value, name) for name, value in equal.items()}
        await self._app.at_least(request.at_least, projection.name)
        found = await read(Cut(equal, falling, after, size), actor)
        token = tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return found, common.PageInfo(next_page_token=token)


def _equal(request: Any, *names: str) -> dict[str, str]:
    return {name: getattr(request, name) for name in names}


def masked(account: str) -> str:
    """All but the last characters of an account; "" for none."""
    shown = min(SHOWN_CHARACTERS, len(account) // 3)
    return f"…{account[len(account) - shown :]}" if account else ""


TRANSFER = ("transfer_id", "currency", "source_id", "amount_minor", "refunded_minor", "settled_minor", "reversed_minor")
"""Columns of a transfer that stand in its message by the same name, but for its reason."""


def _transfer(row: Row) -> pb.Transfer:
    return pb.Transfer(
        **{name: row[name] for name in TRANSFER}, owner_id=row["owner"], reason=row["reason"],
        kind=number(pb.TransferKind, row["kind"]), status=number(pb.TransferStatus, row["status"]),
        instrument=masked(row["instrument"]), provider_reference=row["provider_ref"],
        requested_at=stamp(row["requested_at"]), confirmed_at=stamp(row["said_at"]),
        expires_at=stamp(row["expires_at"]), changed_at=stamp(row["changed_at"]),
    )  # fmt: skip


ESCROW = (
    "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id", "currency", "fee_minor",
    "brand_fee_minor", "released_minor", "returned_minor", "clawed_back_minor", "revision",
)  # fmt: skip


def _escrow(row: Row) -> pb.Escrow:
    return pb.Escrow(
        **{name: row[name] for name in ESCROW}, status=number(pb.EscrowStatus, row["status"]),
        gross_minor=row["fee_minor"] + row["brand_fee_minor"], fee_policy=row["policy_id"],
        left_minor=row["fee_left_minor"] + row["brand_fee_left_minor"], held_at=stamp(row["held_at"]),
        expires_at=stamp(row["expires_at"]), changed_at=stamp(row["changed_at"]),
    )  # fmt: skip


def _total(total: EscrowTotal) -> pb.EscrowTotal:
    return pb.EscrowTotal(
        currency=total.currency, escrows=total.escrows, gross_minor=total.gross_minor, left_minor=total.left_minor,
        released_minor=total.released_minor, returned_minor=total.returned_minor,
    )  # fmt: skip


RELEASE = (
    "release_id", "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id", "currency",
    "gross_minor", "fee_minor", "vat_minor", "agency_minor", "agency_bps",
)  # fmt: skip
PAYEES: TypeAdapter[tuple[Payee, ...]] = TypeAdapter(tuple[Payee, ...])


def _release(row: Row, actor: Actor) -> pb.Release:
    """A payee's tax is between it and the tax office: neither the brand nor another payee sees it."""
    staff = not actor.roles.isdisjoint(STAFF)
    payees = [one for one in PAYEES.validate_json(row["payees"]) if staff or one.creator_id == actor.tenant]
    return pb.Release(
        **{name: row[name] for name in RELEASE}, kind=number(pb_events.ReleaseKind, row["kind"]),
        brand_fee_minor=row["brand_revenue_minor"], creator_fee_minor=row["creator_revenue_minor"],
        payees=[_payee(one, row["currency"]) for one in payees], fee_policy=row["policy_id"],
        partial=not row["final"] and row["kind"] == ReleaseKind.SETTLEMENT.value, released_at=stamp(row["released_at"]),
    )  # fmt: skip


def _payee(payee: Payee, currency: str) -> pb.PayeeShare:
    return pb.PayeeShare(
        payee_id=payee.creator_id,
        share_minor=payee.share_minor,
        tax_minor=payee.tax.withheld_minor,
        recovered_minor=payee.recovered_minor,
        net_minor=payee.net_minor,
        tax=_tax(payee.tax, currency),
    )


def _tax(tax: Withholding, currency: str) -> pb.WithholdingTerms:
    taxed = tax.rule is not Rule.NONE
    return pb.WithholdingTerms(
        tax_rule=tax.rule, authority=tax.authority, period=f"{tax.year}-{tax.month:02d}", first_month=tax.first_month,
        income_minor=tax.income_minor, tax_minor=tax.withheld_minor, year_income_minor=tax.income_to_date_minor,
        year_base_minor=tax.base_minor, rate_bps=tax.rate_bps, year_withheld_before_minor=tax.withheld_before_minor,
        year_currency=CN_CURRENCY if taxed else currency, rate_cny_minor=tax.rate_cny_minor,
        rate_per_minor=tax.rate_per_minor,
    )  # fmt: skip


def _account(row: Row) -> pb.PayoutAccount:
    return pb.PayoutAccount(
        owner_id=row["owner"], currency=row["currency"], account=masked(row["instrument"]), proven=row["proven"],
        next_account=masked(row["next_instrument"]), next_usable_at=stamp(row["next_usable_at"]),
        changed_at=stamp(row["changed_at"]),
    )  # fmt: skip


def checked_filter(value: str, field: str) -> str:
    """Raises Invalid `text.malformed` for a text that no column can be compared with."""
    if len(value) > LONGEST or "\\x00" in value:
        raise Invalid("text.malformed", field=field)
    return value
