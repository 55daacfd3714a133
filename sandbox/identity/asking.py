"""What a client may ask of the authorization endpoint: authorization code with PKCE (S256), and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sandbox.identity.flows import Asked, Refusal

CLIENT_ID = "console"
STATE_LIMIT, NONCE_LIMIT = 500, 200
ASKED = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt",
    "ui_locales", "request", "request_uri", "response_mode",
)  # fmt: skip
"""Parameters that are looked at, and kept by the page; others are ignored, as the standard has it."""
SCOPES = ("openid", "profile", "offline_access")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


@dataclass(frozen=True, slots=True)
class Client:
    """A public client: no secret, PKCE, and addresses that are compared to the letter."""

    id: str
    redirect_uri: str
    after_sign_out: str

    @classmethod
    def console(cls, url: str) -> "Client":
        """The console at an address."""
        base = url.rstrip("/")
        return cls(CLIENT_ID, f"{base}/signed-in", f"{base}/")

    @property
    def origin(self) -> str:
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


class Stranger(Exception):
    """A client or an address that is not registered: it is told on a page, since nothing is sent to such an address."""


def checked(given: Mapping[str, str], client: Client) -> Asked:
    """The request of the one client; raises Stranger, or Refusal, which is the client's to hear at its address."""
    if given.get("client_id") != client.id or given.get("redirect_uri") != client.redirect_uri:
        raise Stranger
    state, nonce, scope = given.get("state", ""), given.get("nonce", ""), given.get("scope", "")
    _check_form(given)
    if len(state) > STATE_LIMIT or len(nonce) > NONCE_LIMIT:
        raise Refusal("invalid_request", f"state has {STATE_LIMIT} characters at most, nonce {NONCE_LIMIT}")
    if "openid" not in scope.split():
        raise Refusal("invalid_scope", "scope has to name openid")
    known = " ".join(one for one in SCOPES if one in scope.split())
    return Asked(client.id, client.redirect_uri, known, state, nonce, given["code_challenge"])


def _check_form(given: Mapping[str, str]) -> None:
    if "request" in given or "request_uri" in given:
        raise Refusal("request_not_supported", "say the parameters in the address")
    if given.get("response_type") != "code" or given.get("response_mode", "query") != "query":
        raise Refusal("unsupported_response_type", "response_type has to be code")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE(given.get("code_challenge", "")):
        raise Refusal("invalid_request", "code_challenge by code_challenge_method S256 is needed")
    if given.get("prompt") == "none":
        raise Refusal("login_required", "people choose who they are each time")


def answer(asked_uri: str, issuer: str, state: str, **told: str) -> str:
    """The client's address with an answer; `iss` (RFC 9207) says from whom, so that two providers are not mixed up."""
    told |= {"iss": issuer} | ({"state": state} if state else {})
    return f"{asked_uri}?{urlencode(told)}"
