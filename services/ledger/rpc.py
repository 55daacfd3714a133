"""Questions over gRPC: who asks, what is read, how it looks on the wire."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import queries_pb2 as pb
from dandelion.ledger.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp, time_of
from google.protobuf.message import Message

from kernel.core.decider import Actor
from kernel.core.faults import Forbidden, Invalid
from kernel.core.money import checked_currency
from kernel.edge.fields import TEXT_LIMIT
from kernel.edge.grpc import Rpc, RpcService, caller
from kernel.edge.page_tokens import PageTokens, page_size
from kernel.host.app import App
from kernel.processors.keyset import Row, chosen
from kernel.runtime.roles import Role
from services.ledger.domain.accounts import Account, Code, Side
from services.ledger.ports import Anchors, anchors_of
from services.ledger.projections import BALANCES_PROJECTION, ESCROWS_PROJECTION
from services.ledger.reads.balances import BalanceReads, Totals, Wanted
from services.ledger.reads.verify import verify

STAFF = ("finance", "operator", "auditor")
LINES_DEFAULT, LINES_LIMIT = 100, 1_000
SIDES = {Side.DEBIT: pb.SIDE_DEBIT, Side.CREDIT: pb.SIDE_CREDIT}


class BalanceQueries(grpc_pb.BalanceQueryServiceServicer):
    """Parties see their own accounts; finance, operators and auditors see all."""

    def __init__(self, app: App, anchors: Anchors) -> None:
        self._app, self._anchors = app, anchors
        self._reads = BalanceReads(app.database)
        self._tokens = PageTokens(app.fingerprint_key)

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
        size = page_size(request.page_size, LINES_DEFAULT, LINES_LIMIT)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        found = await self._reads.statement(_wanted(request, actor), after, size, actor)
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        page = common.PageInfo(next_page_token=token)
        return pb.ListStatementResponse(lines=map(_line, found.rows), page=page)

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


def _owner(asked: str, actor: Actor) -> str:
    """The caller's own organisation, or for staff any; Forbidden `balance.not_a_party`."""
    if asked in ("", actor.tenant):
        return actor.tenant
    if actor.roles.isdisjoint(STAFF):
        raise Forbidden("balance.not_a_party")
    return _text(asked, "owner_id")


def _text(value: str, field: str) -> str:
    if len(value) > min(200, TEXT_LIMIT) or "\x00" in value:
        raise Invalid("text.malformed", field=field)
    return value


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
        _text(request.account, "account"),
        _currency(request.currency),
        _text(request.campaign_id, "campaign_id"),
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


def make_rpc(app: App) -> Role:
    """The gRPC server of the ledger."""
    add = partial(grpc_pb.add_BalanceQueryServiceServicer_to_server, BalanceQueries(app, anchors_of(app.settings)))
    name = pb.DESCRIPTOR.services_by_name["BalanceQueryService"].full_name
    made = Rpc([RpcService(name, add)], app.verifier, health=app.health, reflection=app.settings.reflection)
    return made.role(f"{app.settings.host}:{app.settings.rpc_port}")
