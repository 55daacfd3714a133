"""The console as a client of the OpenID provider that a discovery document describes: code flow, PKCE, refresh, sign-out."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx
import jwt

from console.identity.fetching import Away, Fetched, Refused, fetched, refusal_of
from console.identity.tokens import Reader, Tokens, Wrong, key_id, name_of, usable

SCOPE = "openid profile"
DISCOVERY = "/.well-known/openid-configuration"
DOCUMENT_S, KEYS_RETRY_S = 3_600.0, 10.0
"""The document and the keys are fetched again so often; for a key that is not known yet, at most so often."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Settings(Protocol):
    """What the console is told of its provider."""

    @property
    def issuer(self) -> str: ...
    @property
    def issuer_inside(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret_file(self) -> Path | None: ...
    @property
    def base_url(self) -> str: ...
    @property
    def session_keys_file(self) -> Path | None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One sign-in that was begun: what its answer has to bring back."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider that the settings name. Every wait for it has a limit (fetching.py)."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.issuer, self.client_id = settings.issuer, settings.client_id
        self._outside = settings.issuer.rstrip("/")
        self._inside = settings.issuer_inside.rstrip("/") or self._outside
        self._base = settings.base_url.rstrip("/")
        self._secret = settings.client_secret_file.read_text().strip() if settings.client_secret_file else ""
        self._clock, self._http = clock, Fetched.client(transport)
        self._reader = Reader(settings.issuer, self.client_id, clock)
        self._document: Mapping[str, Any] = {}
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._document_at = self._keys_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def redirect_uri(self) -> str:
        return f"{self._base}/signed-in"

    async def authorization_url(self, asked: Asked, locales: str = "") -> str:
        """Where a browser begins to sign in. Raises Away."""
        document = await self._described()
        given = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "scope": SCOPE,
            "state": asked.state, "nonce": asked.nonce, "code_challenge": challenge_of(asked.verifier),
            "code_challenge_method": "S256",
        } | ({"ui_locales": locales} if locales else {})  # fmt: skip
        return _with(document["authorization_endpoint"], given)

    async def check_issuer(self, told: str | None) -> None:
        """`iss` of an answer (RFC 9207) has to be this provider: another one's answer may come here by its own doing.

        Raises Refused `issuer`, Away.
        """
        document = await self._described()
        if told is None and not document.get("authorization_response_iss_parameter_supported"):
            return
        if told != self.issuer:
            raise Refused("issuer")

    async def exchange(self, code: str, asked: Asked) -> Tokens:
        """Tokens for a code. Raises Refused where the provider refuses it or its tokens are wrong; Away."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri,
            "code_verifier": asked.verifier,
        }  # fmt: skip
        answer = await self._post("token_endpoint", form)
        return await self._read(answer, asked.nonce)

    async def refresh(self, before: Tokens) -> Tokens:
        """The next tokens of a person. Raises Refused where the sign-in has ended, Away."""
        answer = await self._post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": before.refresh})
        found = await self._read({"refresh_token": before.refresh, **answer}, None, before)
        if found.subject != before.subject:
            raise Refused("subject")
        return found

    async def revoke(self, refresh: str) -> None:
        """Ends a sign-in at the provider, where it can be ended so (RFC 7009). Raises Refused, Away."""
        if refresh and (await self._described()).get("revocation_endpoint"):
            await self._post("revocation_endpoint", {"token": refresh, "token_type_hint": "refresh_token"})

    async def sign_out_url(self, id_token: str) -> str:
        """Where a browser signs out at the provider, and comes back from; the console's own front without one. Raises Away."""
        end = (await self._described()).get("end_session_endpoint")
        if not isinstance(end, str):
            return "/"
        given = {"client_id": self.client_id, "post_logout_redirect_uri": f"{self._base}/"}
        return _with(end, given | ({"id_token_hint": id_token} if id_token else {}))

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, endpoint: str, form: Mapping[str, str]) -> dict[str, Any]:
        document = await self._described()
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        given, headers = {**form, "client_id": self.client_id}, {}
        if self._secret and "client_secret_basic" in methods:
            pair = f"{quote(self.client_id, safe='')}:{quote(self._secret, safe='')}"
            headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        elif self._secret:
            given["client_secret"] = self._secret
        answer = await fetched(self._http, "POST", self._from_here(document[endpoint]), given, headers)
        if answer.status != 200:
            raise refusal_of(answer)
        return answer.document() if endpoint == "token_endpoint" else {}

    async def _read(self, answer: Mapping[str, Any], nonce: str | None, before: Tokens | None = None) -> Tokens:
        access, id_token, refresh = (
            str(answer.get(name) or "") for name in ("access_token", "id_token", "refresh_token")
        )
        try:
            if id_token or before is None:
                known = self._reader.id_claims(id_token, await self._keys_for(id_token), nonce)
                subject, name = str(known["sub"]), name_of(known)
            else:
                subject, name, id_token = before.subject, before.name, before.id_token
            claims = self._reader.access_claims(access, await self._keys_for(access), subject)
        except Wrong as wrong:
            raise Refused(f"token_{wrong}") from wrong
        since, until = float(claims["iat"]), float(claims["exp"])
        return Tokens(access, refresh, id_token, since, until, subject, name, claims["tenant"], tuple(claims["roles"]))

    async def _keys_for(self, token: str) -> Mapping[str, jwt.PyJWK]:
        """The provider's keys, fetched where they are old or the token's is not among them. Raises Wrong, Away."""
        kid, age_s = key_id(token), self._clock() - self._keys_at
        if age_s > DOCUMENT_S or (kid not in self._keys and age_s > KEYS_RETRY_S):
            document = await self._described()
            async with self._lock:
                answer = await fetched(self._http, "GET", self._from_here(document["jwks_uri"]))
                try:
                    self._keys, self._keys_at = usable(answer.document()), self._clock()
                except ValueError as error:
                    raise Away("keys") from error
        return self._keys

    async def _described(self) -> Mapping[str, Any]:
        """The discovery document; an old one serves where no newer one comes. Raises Away."""
        if self._clock() - self._document_at <= DOCUMENT_S:
            return self._document
        async with self._lock:
            if self._clock() - self._document_at > DOCUMENT_S:
                try:
                    self._document, self._document_at = await self._discovered(), self._clock()
                except Away:
                    if not self._document:
                        raise
        return self._document

    async def _discovered(self) -> Mapping[str, Any]:
        answer = await fetched(self._http, "GET", f"{self._inside}{DISCOVERY}")
        document = answer.document()
        if answer.status != 200 or document.get("issuer") != self.issuer:
            raise Away("discovery")
        if not all(isinstance(document.get(name), str) for name in NEEDED):
            raise Away("discovery")
        return document

    def _from_here(self, address: str) -> str:
        """An address of the provider as the console reaches it."""
        return self._inside + address[len(self._outside) :] if address.startswith(f"{self._outside}/") else address


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with(address: str, given: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(given)}"
