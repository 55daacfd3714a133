"""The operator's questions about a running service, and the one thing that an operator asks of it: to retry a parked key."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from kernel import VERSION
from kernel.core.check import CheckResult
from kernel.edge.fields import Body, ShortText
from kernel.edge.grpc import RpcService, caller
from kernel.edge.http import CommandRequest
from kernel.edge.page_tokens import page_size
from kernel.eventlog.backpressure import relay_lag
from kernel.host.app import App
from kernel.host.operations.retry import retry_key
from kernel.host.operations.standing import ParkedQuery, consumer_lags, counts, late_deadlines, parked_keys
from kernel.processors.keyset import Page, chosen
from kernel.verify.invariants import LIGHT

logger = logging.getLogger(__name__)

READERS = ("operator", "auditor")
PROBLEMS_LIMIT = 20


class OperationsQueries:
    """Servicer of OperationsQueryService over the generated messages in `wire` (dandelion.operations.v1.queries_pb2)."""

    def __init__(self, app: App, wire: Any) -> None:
        self._app, self._wire = app, wire

    async def GetServiceStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        caller().require(*READERS)
        app = self._app
        await app.database.bound_log()
        head, lag, waits = await app.log.head(), await relay_lag(app.log), await counts(app)
        return self._wire.GetServiceStatusResponse(
            service=app.service.name,
            version=VERSION,
            head=head.position,
            appended_at=head.at,
            relay_behind=lag.events,
            relay_behind_s=lag.seconds,
            consumers=[self._wire.ConsumerLag(**one._asdict()) for one in await consumer_lags(app)],
            invariants=[self._result(await check(app)) for check in LIGHT],
            **waits._asdict(),
        )

    async def ListParkedKeys(self, request: Any, context: Any) -> Any:  # noqa: N802
        caller().require(*READERS)
        _, falling = chosen(request.order_by, ("parked_at", "parked_at desc"))
        size, after = page_size(request.page_size), self._after(request)
        asked = ParkedQuery(request.consumer, request.include_retried, falling, after, size)
        found = await parked_keys(self._app, asked)
        keys = [self._wire.ParkedKey(**row) for row in found.rows]
        return self._wire.ListParkedKeysResponse(keys=keys, page=self._page(request, found))

    async def ListLateDeadlines(self, request: Any, context: Any) -> Any:  # noqa: N802
        caller().require(*READERS)
        _, falling = chosen(request.order_by, ("due_at", "due_at desc"))
        found = await late_deadlines(self._app, falling, self._after(request), page_size(request.page_size))
        deadlines = [self._wire.LateDeadline(**row) for row in found.rows]
        return self._wire.ListLateDeadlinesResponse(deadlines=deadlines, page=self._page(request, found))

    def _result(self, found: CheckResult) -> Any:
        problems: Sequence[str] = found.problems[:PROBLEMS_LIMIT]
        return self._wire.InvariantResult(
            name=found.invariant, ok=found.ok, checked=found.checked, problems=[one[:500] for one in problems]
        )

    def _after(self, request: Any) -> Any:
        return self._app.page_tokens.open(request, request.page_token, caller().tenant)

    def _page(self, request: Any, found: Page) -> dict[str, str]:
        token = self._app.page_tokens.seal(request, found.next, caller().tenant) if found.next else ""
        return {"next_page_token": token}


def operations_service(app: App, wire: Any, stubs: Any) -> RpcService:
    """OperationsQueryService for both edges; `wire` and `stubs` are the generated modules of dandelion.operations.v1."""
    described = wire.DESCRIPTOR.services_by_name["OperationsQueryService"]
    add = stubs.add_OperationsQueryServiceServicer_to_server
    return replace(RpcService.of(described, add, OperationsQueries(app, wire)), commands=_routes(app))


class RetryBody(Body):
    """A parked key, as ListParkedKeys has it."""

    consumer: ShortText
    key: ShortText


class Retried(BaseModel):
    """`handled` events are done and no longer parked; 0: the key is an effect's, whose own process tries it within a second."""

    handled: int


def _routes(app: App) -> APIRouter:
    """What an operator asks of a service."""
    router = APIRouter(prefix="/operations", tags=["operations"])

    @router.post("/retry")
    async def retry(body: RetryBody, request: CommandRequest) -> Retried:
        """Handles a parked key's events again, in order; what still fails stays parked as it was."""
        request.actor.require("operator")
        handled = await retry_key(app, body.consumer, body.key)
        logger.info("parked key retried", extra={"consumer": body.consumer, "stream": body.key})
        return Retried(handled=handled)

    return router
