"""What the provider remembers of a sign-in: a code for one exchange, then a family of refresh tokens of which the last is good.

Refresh tokens rotate (RFC 9700, 4.14): each is used once, and one that comes back ends its family, because two have it.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kernel.core.clock import Clock
from sandbox.bounded import Bounded
from sandbox.store import Store

CODE_S = 60
CODES_LIMIT = 1_000
FAMILIES_LIMIT = 10_000


class Refusal(Exception):
    """An error of RFC 6749, section 5.2; the text is its code, `why` says more to whoever builds the client."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code)
        self.code, self.why = code, why


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asked for, as it was checked: where the answer goes, what is proven at the exchange."""

    client: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Family:
    """A sign-in that is refreshed: the newest token's hash ("" once it is ended), and until when (Unix, s). `id` is `sid` of
    its id tokens."""

    id: str
    subject: str
    client: str
    scope: str
    nonce: str
    begun: float
    until: float
    newest: str = ""


@dataclass(frozen=True, slots=True)
class _Code:
    asked: Asked
    subject: str
    until: float
    handle: str


class Flows:
    """Codes live a minute and in memory; families outlive the process. Of each kind the oldest is dropped past its limit."""

    def __init__(self, store: Store, clock: Clock, session_s: float) -> None:
        self._clock, self._session_s = clock, session_s
        self._codes: Bounded[_Code] = Bounded(CODES_LIMIT)
        self._families: Bounded[Family] = Bounded(FAMILIES_LIMIT, store.shelf("family", asdict, _read))

    def code_for(self, asked: Asked, subject: str) -> str:
        """The code that a browser takes back to the client."""
        code = secrets.token_urlsafe(32)
        self._codes.put(_hashed(code), _Code(asked, subject, self._now() + CODE_S, secrets.token_urlsafe(24)))
        return code

    def exchange(self, code: str, client: str, redirect_uri: str, verifier: str) -> tuple[Family, str]:
        """The family that begins with a code, and its first token; raises Refusal. A code that comes twice ends its family."""
        found = self._codes.get(_hashed(code))
        if found is None or found.until < self._now():
            raise Refusal("invalid_grant", "the code is unknown or older than a minute")
        if self._families.get(_sid(found.handle)) is not None:
            self.end(_sid(found.handle))
            raise Refusal("invalid_grant", "the code was used before: what it gave is ended")
        if (found.asked.client, found.asked.redirect_uri) != (client, redirect_uri):
            raise Refusal("invalid_grant", "the code is of another client or address")
        if not hmac.compare_digest(challenge_of(verifier), found.asked.challenge):
            raise Refusal("invalid_grant", "the code_verifier is not that of the code_challenge")
        return self._renew(self._family(found), found.handle)

    def refresh(self, token: str, client: str) -> tuple[Family, str]:
        """The family of a refresh token, and its next token; raises Refusal. A token that was used before ends the family."""
        handle = token.partition(".")[0]
        family = self._families.get(_sid(handle))
        if family is None or family.until < self._now() or family.client != client or not family.newest:
            raise Refusal("invalid_grant", "the refresh token is unknown, ended or another client's")
        if not hmac.compare_digest(_hashed(token), family.newest):
            self.end(family.id)
            raise Refusal("invalid_grant", "the refresh token was used before: its family is ended")
        return self._renew(family, handle)

    def end(self, id_: str) -> None:
        """Ends a family: none of its tokens is good any more. It is remembered, so that its code is known as used."""
        if (known := self._families.get(id_)) is not None:
            self._families.put(id_, replace(known, newest=""))

    def revoke(self, token: str, client: str) -> None:
        """Ends the family of a refresh token, whichever of its tokens it is; another's and unknown ones are let be."""
        family = self._families.get(_sid(token.partition(".")[0]))
        if family is not None and family.client == client:
            self.end(family.id)

    def _family(self, code: _Code) -> Family:
        asked, now = code.asked, self._now()
        id_ = _sid(code.handle)
        return Family(id_, code.subject, asked.client, asked.scope, asked.nonce, now, now + self._session_s)

    def _renew(self, family: Family, handle: str) -> tuple[Family, str]:
        token = f"{handle}.{secrets.token_urlsafe(32)}"
        renewed = replace(family, newest=_hashed(token))
        self._families.put(family.id, renewed)
        return renewed, token

    def _now(self) -> float:
        return self._clock().timestamp()


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _sid(handle: str) -> str:
    """The id of a family, which tells nothing of the handle that its refresh tokens begin with."""
    return _hashed(handle)[:32]


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _read(saved: Mapping[str, Any]) -> Family:
    return Family(**saved)
