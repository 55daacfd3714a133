"""Who calls is asked before the first byte of a body is read: a stranger's body is neither kept nor parsed."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.core.faults import Fault
from kernel.edge import http_errors


class RefusedBeforeBody(HTTPException):
    """A fault met while a body was to be read: FastAPI lets no other exception through there."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(http_errors.status_of(fault))
        self.fault = fault


class TokenFirst:
    """ASGI middleware, the innermost: on a route that depends on `needs`, `identify` goes before the body."""

    def __init__(self, app: ASGIApp, identify: Callable[[Request], Awaitable[Any]], needs: Callable[..., Any]) -> None:
        self.app, self._identify, self._needs = app, identify, needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, self._after_token(scope, receive) if scope["type"] == "http" else receive, send)

    def _after_token(self, scope: Scope, receive: Receive) -> Receive:
        is_known = False

        async def receiving() -> Message:
            nonlocal is_known
            if not is_known and _depends(_dependant(scope), self._needs):
                try:
                    await self._identify(Request(scope))
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
