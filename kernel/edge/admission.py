"""Admission to an edge, the same over HTTP and gRPC: who calls, how often it may, and how much of it runs at once.

Every limit is per principal, per tenant and in all, so that one tenant at its limit changes nothing for another.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field

from kernel.core.decider import Actor
from kernel.core.faults import Exhausted, Unauthenticated
from kernel.edge.incoming import Network, client_address, principal_of
from kernel.edge.limits import Allowance, Buckets, Rate, Share, Slots
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.open_streams import OpenStreams
from kernel.runtime import telemetry
from kernel.runtime.settings import Settings

_caller: ContextVar[Actor | None] = ContextVar("caller", default=None)


def caller() -> Actor:
    """Actor whose call is being handled; raises LookupError outside of a call."""
    found = _caller.get()
    if found is None:
        raise LookupError("no call is being handled")
    return found


def set_caller(actor: Actor) -> None:
    """Sets who `caller()` is for the rest of this task."""
    _caller.set(actor)


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Limits of one process. docs/performance.md says what a process serves: a tenant gets about a tenth of it."""

    rate: Rate = field(default_factory=lambda: Rate(50, 200))
    """Requests of one principal."""
    tenant_rate: Rate = field(default_factory=lambda: Rate(100, 400))
    refusals: Rate = field(default_factory=lambda: Rate(5, 100))
    """Tokens refused from one address; past them only tokens that were accepted before are looked at."""
    calls: Share = field(default_factory=lambda: Share(32, 64, 400))
    """Unary calls and HTTP requests under way."""
    streams: Share = field(default_factory=lambda: Share(10, 40, 400))
    """Streams: places of their own, so that no stream takes a call's."""
    waits: Share = field(default_factory=lambda: Share(8, 16, 200))
    """Queries that wait for their own write (`at_least`)."""
    message_s: float = 10
    """Time for the message of a gRPC call to arrive."""

    @classmethod
    def of(cls, settings: Settings) -> "AdmissionLimits":
        """The limits that the settings name; the others as they are."""
        streams = Share(settings.streams_per_principal, settings.streams_per_tenant, settings.streams)
        return cls(
            Rate(settings.rate_per_s, settings.rate_burst),
            Rate(settings.tenant_rate_per_s, settings.tenant_rate_burst),
            streams=streams,
            message_s=settings.head_limit_s,
        )


class Admission:
    """Verifies tokens and takes from the buckets and slots of one service in this process."""

    def __init__(
        self, verifier: Verifier, limits: AdmissionLimits | None = None, trusted: Sequence[Network] = ()
    ) -> None:
        """`trusted` are the proxies whose word about a client's address is believed."""
        self.verifier, self.trusted = verifier, trusted
        given = limits or AdmissionLimits()
        self._rates, self._tenant_rates = Buckets(given.rate), Buckets(given.tenant_rate)
        self._refusals = Buckets(given.refusals)
        self.calls, self.streams = Slots("calls", given.calls), Slots("streams", given.streams)
        self.waits = Slots("waits", given.waits)
        self.open = OpenStreams(verifier)
        self.message_s = given.message_s

    async def authenticate(self, token: str, peer: str, forwarded: Sequence[str] = ()) -> Actor:
        """Actor of a token; raises Unauthenticated, and Exhausted `token.refusals_exhausted` for an address that guesses.

        `forwarded` are the lines of X-Forwarded-For.
        """
        if not token:
            telemetry.count("tokens_refused_total", code="token.missing")
            raise Unauthenticated("token.missing", do="send Authorization: Bearer <access token>")
        address = principal_of(client_address(peer, forwarded, self.trusted))
        wait_s = 0 if self.verifier.has_proven(token) else self._refusals.wait_s(address)
        if wait_s:
            telemetry.count("tokens_refused_total", code="token.refusals_exhausted")
            raise Exhausted("token.refusals_exhausted", retry_after_s=wait_s)
        try:
            return await self.verifier.verify(token)
        except Unauthenticated as refused:
            self._refusals.take(address)
            telemetry.count("tokens_refused_total", code=refused.code)
            raise

    def take(self, actor: Actor, cost: int = 1) -> tuple[Allowance, Exhausted | None]:
        """Takes `cost` requests from the principal's bucket, then from its tenant's; Exhausted says by `of` which is empty.

        A principal over its own rate takes nothing from its tenant.
        """
        allowance, exhausted = self._rates.take((actor.tenant, actor.id), cost)
        if exhausted:
            return allowance, Exhausted(exhausted.code, **{**exhausted.facts, "of": "principal"})
        of_tenant, exhausted = self._tenant_rates.take(actor.tenant, cost)
        if exhausted:
            return of_tenant, Exhausted(exhausted.code, **{**exhausted.facts, "of": "tenant"})
        return allowance, None

    def hold_wait(self) -> AbstractContextManager[None]:
        """The place of the call's caller among those who wait for their own write; none outside of a call."""
        actor = _caller.get()
        return nullcontext() if actor is None else self.waits.hold(actor)
