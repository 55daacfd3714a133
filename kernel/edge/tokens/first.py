"""Who calls is asked before the first byte of a body is read: a stranger's body is neither kept nor parsed."""

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException, Request
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from kernel.edge import http_errors
from kernel.edge.tokens.bearer import bearer_token

bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", scheme_name="bearer", description="RFC 9068 access token")


async def identify(request: Request) -> Actor:
    """Authenticates the caller by the bearer token and takes one request from its buckets, once for a request.

    A request with a body comes here before the body is read, any other by the dependency `actor`."""
    found: Actor | None = getattr(request.state, "caller", None)
    if found is not None:
        return found
    admission = request.app.state.edge.admission
    given = await bearer(request)
    host = request.client.host if request.client else ""  # TrustedProxies has set it
    token = given.credentials if given else bearer_token(request.headers.get("authorization", ""))
    caller: Actor = await admission.authenticate(token, host)
    allowance, exhausted = admission.take(caller)
    request.state.headers.update(allowance.headers())
    if exhausted:
        raise exhausted
    request.state.caller = caller
    return caller


class RefusedBeforeBody(HTTPException):
    """A fault met while a body was to be read: FastAPI lets no other exception through there."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(http_errors.status_of(fault))
        self.fault = fault


class TokenFirst:
    """ASGI middleware, the innermost: on a route that depends on `needs`, the token goes before the body."""

    def __init__(self, app: ASGIApp, needs: Callable[..., Any]) -> None:
        self.app, self._needs = app, needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, self._after_token(scope, receive) if scope["type"] == "http" else receive, send)

    def _after_token(self, scope: Scope, receive: Receive) -> Receive:
        is_known = False

        async def receiving() -> Message:
            nonlocal is_known
            if not is_known and _depends(_dependant(scope), self._needs):
                try:
                    await identify(Request(scope))
                except Fault as fault:
                    raise RefusedBeforeBody(fault) from fault
            is_known = True
            return await receive()

        return receiving


def _dependant(scope: Scope) -> Any:
    """What the matched route depends on, as FastAPI keeps it; None outside of a route."""
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(route, "dependant", None)


def _depends(dependant: Any, needed: Callable[..., Any]) -> bool:
    return dependant is not None and any(one.call is needed or _depends(one, needed) for one in dependant.dependencies)


async def on_refused(request: Request, error: Exception) -> Any:
    """The problem of the fault."""
    assert isinstance(error, RefusedBeforeBody)
    return http_errors.problem_response(error.fault, request.scope)
