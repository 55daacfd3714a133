"""Sessions of signed-in people. All of a session lies sealed in the browser's cookie; the console keeps no store."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import httpx
from starlette.requests import Request
from starlette.responses import Response

from console.identity import cookies
from console.identity.fetching import Away, Refused
from console.identity.kept import BEGUN_S, Begun, Session, read_begun, written
from console.identity.oidc import Provider, Settings
from console.identity.person import Person
from console.identity.renewals import Renewals
from console.identity.sealing import Seal
from console.identity.tokens import Tokens
from console.operations import REFRESHES

LIFE_S = 12 * 3_600
"""A person signs in anew after so long, whatever the provider allows."""
EARLY_S = 60.0
"""An access token is refreshed so long before its end, or in the last third of a shorter life."""
REST_S = 5.0
"""After the provider did not answer, tokens that are still good are not refreshed for so long."""
ENDED_LIMIT = 10_000


class Sessions:
    """Reads, refreshes, writes and ends sessions. `clock` gives Unix seconds; `transport` replaces the network."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.provider, self.seal, self.clock = (
            Provider(settings, clock, transport),
            Seal.of(settings.session_keys_file),
            clock,
        )
        self._renewals = Renewals(self.provider)
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._rests_until = float("-inf")

    async def person(self, request: Request) -> Person | None:
        """Who is signed in; None for nobody. Refreshes a token near its end; `write` then gives the browser the next one.

        None too where the token has ended and the provider does not answer: the cookie stays, and may be good again.
        """
        session = self.session(request)
        if session is None:
            return None
        now = self.clock()
        if session.tokens.until - now <= self._early_s(session) and now >= self._rests_until:
            session = await self._renewed(request, session)
        return session.person() if session is not None and session.tokens.until > self.clock() else None

    def session(self, request: Request) -> Session | None:
        """The session that a request brings, or that it was given while it is answered."""
        if hasattr(request.state, "session"):
            found: Session | None = request.state.session
            return found
        text = cookies.read(request.cookies, cookies.SESSION)
        brought = self._opened(text) if text else None
        if brought is not None and (brought.id in self._ended or self.clock() - brought.begun > LIFE_S):
            brought = None
        if brought is None:
            request.state.session = None
            return None
        newest = self._renewals.newest(brought)
        request.state.session, request.state.session_is_new = newest, newest is not brought
        return newest

    def sign_in(self, request: Request, tokens: Tokens) -> None:
        """A new session, with an id that no earlier one had. Raises Refused where no browser keeps such long tokens."""
        self._give(request, Session(secrets.token_urlsafe(16), self.clock(), tokens))

    def end(self, request: Request) -> None:
        """Ends the session of a request, in this process at once and in the browser with the answer."""
        session = self.session(request)
        if session is not None:
            self._ended[session.id] = None
            while len(self._ended) > ENDED_LIMIT:
                self._ended.popitem(last=False)
        request.state.session = None

    def write(self, request: Request, response: Response) -> None:
        """Gives the browser the session as it is now, where that is not what the browser has."""
        if hasattr(request.state, "begun"):
            self._write_begun(request, response)
        if not hasattr(request.state, "session"):
            return
        session: Session | None = request.state.session
        if session is None or session.id in self._ended:
            cookies.drop(response, request.cookies, cookies.SESSION)
        elif getattr(request.state, "session_is_new", False):
            left_s = int(session.begun + LIFE_S - self.clock())
            sealed = self.seal.seal(cookies.SESSION, session.written())
            cookies.put(response, request.cookies, cookies.SESSION, sealed, max(left_s, 0))

    def begun(self, request: Request) -> list[Begun]:
        """Sign-ins that this browser has begun. What `request.state.begun` is set to takes their place."""
        plain = self.seal.open(cookies.SIGN_IN, cookies.read(request.cookies, cookies.SIGN_IN))
        return read_begun(plain, self.clock()) if plain is not None else []

    def _write_begun(self, request: Request, response: Response) -> None:
        if begun := request.state.begun:
            sealed = self.seal.seal(cookies.SIGN_IN, written(begun))
            cookies.put(response, request.cookies, cookies.SIGN_IN, sealed, BEGUN_S)
        else:
            cookies.drop(response, request.cookies, cookies.SIGN_IN)

    async def close(self) -> None:
        await self.provider.close()

    def _opened(self, text: str) -> Session | None:
        plain = self.seal.open(cookies.SESSION, text)
        try:
            return Session.read(plain) if plain is not None else None
        except ValueError:
            return None

    def _early_s(self, session: Session) -> float:
        return min(EARLY_S, (session.tokens.until - session.tokens.since) / 3)

    async def _renewed(self, request: Request, session: Session) -> Session | None:
        if not session.tokens.refresh:
            return session
        try:
            later = await self._renewals.renewed(session)
            self._give(request, later)
            REFRESHES.labels("ok").inc()
        except Refused:
            REFRESHES.labels("refused").inc()
            self.end(request)
            return None
        except Away:
            REFRESHES.labels("away").inc()
            self._rests_until = self.clock() + REST_S
            return session
        return later

    def _give(self, request: Request, session: Session) -> None:
        """Without its id token, which serves the sign-out alone, where it is too long with it."""
        if not self._fits(session):
            session = session.with_tokens(replace(session.tokens, id_token=""))
        if not self._fits(session):
            raise Refused("tokens_too_long")
        request.state.session, request.state.session_is_new = session, True

    def _fits(self, session: Session) -> bool:
        return len(session.written()) * 4 / 3 + 100 < cookies.PARTS * cookies.PART_BYTES
