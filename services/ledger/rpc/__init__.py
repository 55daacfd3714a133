"""Questions over gRPC: who asks, what is read, how it looks on the wire."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import queries_pb2 as pb
from dandelion.ledger.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp, time_of
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.clock import Clock, system_clock
from kernel.core.decider import Actor
from kernel.core.faults import Forbidden, Invalid
from kernel.core.money import checked_currency
from kernel.edge.grpc import RpcService, caller
from kernel.edge.page_tokens import Cursor, page_size
from kernel.host.app import App
from kernel.processors.keyset import Page, Row, chosen
from services.ledger.domain.accounts import Account, Code, Side
from services.ledger.domain.fees import FIRST, policy_at
from services.ledger.domain.policies import ONLY
from services.ledger.domain.policies import POLICIES as APPROVED
from services.ledger.domain.tax import rate_month
from services.ledger.domain.waiting import RATE_UNKNOWN
from services.ledger.ports import Anchors, anchors_of
from services.ledger.projections import (
    BALANCES_PROJECTION,
    DEFERRED_PROJECTION,
    ESCROWS_PROJECTION,
    POLICIES_PROJECTION,
    RATES_PROJECTION,
    RESIDENCES_PROJECTION,
)
from services.ledger.reads.balances import BalanceReads, Totals, Wanted
from services.ledger.reads.discrepancies import WorkList
from services.ledger.reads.listed import ListReads
from services.ledger.reads.moves import STAFF
from services.ledger.reads.payees import PayeeReads
from services.ledger.reads.rows import inline_row
from services.ledger.reads.verify import verify
from services.ledger.rpc.history import shared_queries
from services.ledger.rpc.listed import ListQueries, checked_filter
from services.ledger.rpc.moves import LINES_DEFAULT, LINES_LIMIT, list_moves

SIDES = {Side.DEBIT: pb.SIDE_DEBIT, Side.CREDIT: pb.SIDE_CREDIT}


class BalanceQueries(ListQueries, grpc_pb.BalanceQueryServiceServicer):
    """Parties see their own accounts; finance, operators and auditors see all."""

    def __init__(self, app: App, anchors: Anchors, clock: Clock = system_clock) -> None:
        self._app, self._anchors, self._clock = app, anchors, clock
        self._reads = BalanceReads(app.database)
        self._payees, self._work_list = PayeeReads(app.database), WorkList(app.database)
        self._lists = ListReads(app.database)
        self._tokens = app.page_tokens

    async def GetBalances(self, request: pb.GetBalancesRequest, context: Any) -> pb.GetBalancesResponse:  # noqa: N802
        actor, currency = caller(), _currency(request.currency)
        owner = _owner(request.owner_id, actor)
        for projection in (BALANCES_PROJECTION, ESCROWS_PROJECTION):
            await self._app.at_least(request.at_least, projection.name)
        accounts = await self._reads.balances(owner, currency, _time(request, "as_of"), actor)
        held = await self._reads.in_escrow(owner, currency, actor)
        return pb.GetBalancesResponse(
            balances=map(_balance, accounts),
            in_escrow=[common.Money(minor=minor, currency=name) for name, minor in held.items()],
        )

    async def ListStatement(self, request: pb.ListStatementRequest, context: Any) -> pb.ListStatementResponse:  # noqa: N802
        actor = caller()
        await self._app.at_least(request.at_least, BALANCES_PROJECTION.name)
        size, after = self._paging(request, actor)
        found = await self._reads.statement(_wanted(request, actor), after, size, actor)
        return pb.ListStatementResponse(lines=map(_line, found.rows), page=self._page(request, found, actor))

    async def GetTrialBalance(self, request: pb.GetTrialBalanceRequest, context: Any) -> pb.GetTrialBalanceResponse:  # noqa: N802
        actor = caller()
        actor.require(*STAFF)
        await self._app.at_least(request.at_least, BALANCES_PROJECTION.name)
        currency, as_of = _currency(request.currency), _time(request, "as_of")
        totals = await self._reads.trial_balance(currency, as_of, actor)
        return pb.GetTrialBalanceResponse(rows=map(_total_row, totals), totals=_by_currency(totals))

    async def VerifyLedger(self, request: pb.VerifyLedgerRequest, context: Any) -> pb.VerifyLedgerResponse:  # noqa: N802
        caller().require(*STAFF)
        await self._app.at_least(request.at_least, BALANCES_PROJECTION.name)
        found = await verify(self._app.log, self._app.service.codec, self._anchors)
        checks = [
            pb.VerificationCheck(name=one.invariant, ok=one.ok, checked=one.checked, problems=one.problems)
            for one in found.checks
        ]
        return pb.VerifyLedgerResponse(ok=found.ok, checks=checks, position=found.position, root_hash=found.root)

    async def GetTaxResidence(self, request: pb.GetTaxResidenceRequest, context: Any) -> pb.GetTaxResidenceResponse:  # noqa: N802
        actor = caller()
        await self._app.at_least(request.at_least, RESIDENCES_PROJECTION.name)
        row = await self._payees.residence(_owner(request.payee_id, actor), actor)
        names = ("payee_id", "country", "reference")
        return pb.GetTaxResidenceResponse(**{name: row[name] for name in names}, verified_at=stamp(row["verified_at"]))

    async def ListDeferredPayments(  # noqa: N802
        self, request: pb.ListDeferredPaymentsRequest, context: Any
    ) -> pb.ListDeferredPaymentsResponse:
        actor = caller()
        await self._app.at_least(request.at_least, DEFERRED_PROJECTION.name)
        _, falling = chosen(request.order_by, ("deferred_at", "deferred_at desc"))
        size, after = self._paging(request, actor)
        found = await self._payees.deferred(falling, after, size, actor)
        return pb.ListDeferredPaymentsResponse(
            payments=[_deferred(row, rate_month(self._clock())) for row in found.rows],
            page=self._page(request, found, actor),
        )

    async def ListReferenceRates(  # noqa: N802
        self, request: pb.ListReferenceRatesRequest, context: Any
    ) -> pb.ListReferenceRatesResponse:
        actor = caller()
        await self._app.at_least(request.at_least, RATES_PROJECTION.name)
        _, falling = chosen(request.order_by, ("month desc", "month"))
        size, after = self._paging(request, actor)
        found = await self._payees.rates(_currency(request.currency), falling, after, size, actor)
        return pb.ListReferenceRatesResponse(rates=map(_rate, found.rows), page=self._page(request, found, actor))

    async def ListFeePolicies(self, request: pb.ListFeePoliciesRequest, context: Any) -> pb.ListFeePoliciesResponse:  # noqa: N802
        actor = caller()
        await self._app.at_least(request.at_least, POLICIES_PROJECTION.name)
        _, falling = chosen(request.order_by, ("since desc", "since"))
        size, after = self._paging(request, actor)
        found = await self._payees.policies(falling, after, size, actor)
        row = await inline_row(self._app.database, APPROVED, ONLY)
        now = policy_at(await self._app.log.now(), row.policies if row else (FIRST,))
        return pb.ListFeePoliciesResponse(
            policies=[_policy(row, actor) for row in found.rows], page=self._page(request, found, actor),
            in_force=pb.FeePolicy(
                fee_policy=now.name, status=pb.FEE_POLICY_STATUS_APPROVED, since=stamp(now.since),
                brand_fee_bps=now.brand_fee_bps, creator_fee_bps=now.creator_fee_bps,
            ),
        )  # fmt: skip

    def _paging(self, request: Any, actor: Actor) -> tuple[int, Cursor | None]:
        size = page_size(request.page_size, LINES_DEFAULT, LINES_LIMIT)
        return size, self._tokens.open(request, request.page_token, actor.tenant)

    def _page(self, request: Any, found: Page, actor: Actor) -> common.PageInfo:
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return common.PageInfo(next_page_token=token)

    async def ListDiscrepancies(  # noqa: N802
        self, request: pb.ListDiscrepanciesRequest, context: Any
    ) -> pb.ListDiscrepanciesResponse:
        actor = caller()
        actor.require(*STAFF)
        await self._app.at_least(request.at_least, BALANCES_PROJECTION.name)
        _, falling = chosen(request.order_by, ("noted_at", "noted_at desc"))
        size, after = self._paging(request, actor)
        found = await self._work_list.page(checked_filter(request.origin, "origin"), falling, after, size)
        page = self._page(request, found, actor)
        return pb.ListDiscrepanciesResponse(discrepancies=map(_discrepancy, found.rows), page=page)

    async def ListHandMoves(self, request: pb.ListHandMovesRequest, context: Any) -> pb.ListHandMovesResponse:  # noqa: N802
        return await list_moves(self._app, request, caller())


def _owner(asked: str, actor: Actor) -> str:
    """The caller's own organisation, or for staff any; Forbidden `balance.not_a_party`."""
    if asked in ("", actor.tenant):
        return actor.tenant
    if actor.roles.isdisjoint(STAFF):
        raise Forbidden("balance.not_a_party")
    return checked_filter(asked, "owner_id")


def _currency(value: str) -> str:
    return checked_currency(value) if value else ""


def _time(request: Message, field: str) -> datetime | None:
    if not request.HasField(field):
        return None
    try:
        return time_of(getattr(request, field))
    except ValueError as error:
        raise Invalid("time.out_of_range", field=field) from error


def _wanted(request: pb.ListStatementRequest, actor: Actor) -> Wanted:
    _, falling = chosen(request.order_by, ("position", "position desc"))
    return Wanted(
        _owner(request.owner_id, actor),
        checked_filter(request.account, "account"),
        _currency(request.currency),
        checked_filter(request.campaign_id, "campaign_id"),
        _time(request, "recorded_from"),
        _time(request, "recorded_until"),
        falling,
    )


def _balance(account: Account) -> pb.Balance:
    return pb.Balance(
        account=account.code,
        owner=account.owner,
        currency=account.currency,
        normal_side=SIDES[account.kind.side],
        balance_minor=account.balance_minor,
        spendable_minor=account.spendable_minor,
        debits_pending_minor=account.debits_pending,
        debits_posted_minor=account.debits_posted,
        credits_pending_minor=account.credits_pending,
        credits_posted_minor=account.credits_posted,
    )


LINE = (
    "position", "chain_id", "kind", "account", "currency", "amount_minor", "balance_minor", "campaign_id",
    "collaboration_id", "deliverable_id", "counterparty",
)  # fmt: skip
"""Columns of a statement line that stand in its message by the same name."""


def _line(row: Row) -> pb.StatementLine:
    return pb.StatementLine(**{name: row[name] for name in LINE}, recorded_at=stamp(row["recorded_at"]))


DEFERRED = (
    "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "payee_id", "reason",
    "amount_minor", "currency",
)  # fmt: skip


def _deferred(row: Row, month: str) -> pb.DeferredPayment:
    said = {name: row[name] for name in DEFERRED} | {"rate_month": month if row["reason"] == RATE_UNKNOWN else ""}
    return pb.DeferredPayment(**said, deferred_at=stamp(row["deferred_at"]))


def _rate(row: Row) -> pb.ReferenceRate:
    names = ("currency", "month", "cny_minor", "per_minor")
    return pb.ReferenceRate(**{name: row[name] for name in names}, set_at=stamp(row["set_at"]))


def _policy(row: Row, actor: Actor) -> pb.FeePolicy:
    """Who of finance did it is for staff."""
    found = pb.FeePolicy(
        policy_id=row["policy_id"], fee_policy=row["name"], status=number(pb.FeePolicyStatus, row["status"]),
        since=stamp(row["since"]), brand_fee_bps=row["brand_fee_bps"], creator_fee_bps=row["creator_fee_bps"],
        changed_at=stamp(row["changed_at"]),
    )  # fmt: skip
    if not actor.roles.isdisjoint(STAFF):
        found.proposed_by, found.approved_by, found.reason = row["proposed_by"], row["approved_by"], row["reason"]
    return found


CLAIM = ("discrepancy_id", "origin", "word", "reference", "currency", "gross_minor", "fee_minor", "code")
"""Columns of the work list that stand in its message by the same name."""


def _discrepancy(row: Row) -> pb.Discrepancy:
    claim = {name: row[name] for name in CLAIM}
    return pb.Discrepancy(**claim, provider_reference=row["provider_ref"], noted_at=stamp(row["noted_at"]))


def _total_row(row: Totals) -> pb.TrialBalanceRow:
    kind = Account(row.currency, Code(row.account).value, "").kind
    net = row.debits_minor - row.credits_minor
    return pb.TrialBalanceRow(
        account=row.account,
        currency=row.currency,
        normal_side=SIDES[kind.side],
        debits_minor=row.debits_minor,
        credits_minor=row.credits_minor,
        balance_minor=net if kind.side is Side.DEBIT else -net,
        accounts=row.accounts,
    )


def _by_currency(totals: Sequence[Totals]) -> Iterable[pb.TrialBalanceTotal]:
    for currency in sorted({row.currency for row in totals}):
        mine = [row for row in totals if row.currency == currency]
        debits, credits = sum(row.debits_minor for row in mine), sum(row.credits_minor for row in mine)
        yield pb.TrialBalanceTotal(currency=currency, debits_minor=debits, credits_minor=credits)


def make_queries(app: App) -> list[RpcService]:
    """The queries of the ledger, for both edges."""
    queries, described = (
        BalanceQueries(app, anchors_of(app.settings)),
        pb.DESCRIPTOR.services_by_name["BalanceQueryService"],
    )
    return [
        RpcService.of(described, grpc_pb.add_BalanceQueryServiceServicer_to_server, queries),
        *shared_queries(app),
    ]
