"""What tests/kit/oidc_provider.py remembers and grants: clients, codes, refresh tokens, revocation, sign-out; all Authlib's."""

import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint


@dataclass(frozen=True)
class Client:
    """A client of the realm file: public with PKCE alone, or with a secret."""

    client_id: str
    redirect_uris: tuple[str, ...]
    after_sign_out: tuple[str, ...]
    secret: str = ""

    @property
    def client_metadata(self) -> dict[str, Any]:
        return {"post_logout_redirect_uris": self.after_sign_out}

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri in self.redirect_uris

    def check_client_secret(self, secret: str) -> bool:
        return bool(self.secret) and secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind in ("authorization_code", "refresh_token")


@dataclass
class User:
    name: str

    def get_user_id(self) -> str:
        return self.name


@dataclass
class Code:
    """An authorization code that waits for its exchange."""

    code: str
    user: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str = "S256"
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Granted:
    """A refresh token, and the sign-in that it is of: `family` is shared by all that came of one code."""

    token: str
    user: str
    client_id: str
    scope: str
    family: list[bool]
    """[True] while the sign-in goes on."""
    is_used: bool = False

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client_id

    def get_scope(self) -> str:
        return self.scope


CODES: dict[str, Code] = {}
GRANTED: dict[str, Granted] = {}
"""One provider a process."""
METHODS = ("none", "client_secret_basic")


def save_token(token: dict[str, Any], asked: Any) -> None:
    if refresh := token.get("refresh_token"):
        before = getattr(asked, "refresh_token", None)
        family = before.family if before else [True]
        GRANTED[refresh] = Granted(refresh, asked.user.name, asked.client.client_id, token["scope"], family)


class Codes(AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def save_authorization_code(self, code: str, asked: Any) -> None:
        given = asked.payload.data
        CODES[code] = Code(
            code,
            asked.user.name,
            asked.payload.redirect_uri,
            asked.payload.scope,
            given.get("nonce", ""),
            given["code_challenge"],
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return CODES.get(code)

    def delete_authorization_code(self, code: Code) -> None:
        del CODES[code.code]

    def authenticate_user(self, code: Code) -> User:
        return User(code.user)


class Refreshes(RefreshTokenGrant):  # type: ignore[misc]
    """Of a public client refresh tokens rotate, and one that comes twice ends the sign-in; of one with a secret they stay."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802  # Authlib's name
        return not self.request.client.secret

    def authenticate_refresh_token(self, token: str) -> Granted | None:
        known = GRANTED.get(token)
        if known is not None and known.is_used:
            known.family[:] = [False]
        return known if known is not None and known.family == [True] else None

    def authenticate_user(self, granted: Granted) -> User:
        return User(granted.user)

    def revoke_old_credential(self, granted: Granted) -> None:
        granted.is_used = self.INCLUDE_NEW_REFRESH_TOKEN


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token: str, hint: str | None) -> Granted | None:
        return GRANTED.get(token)

    def revoke_token(self, granted: Granted, asked: Any) -> None:
        granted.family[:] = [False]


class EndSession(EndSessionEndpoint):  # type: ignore[misc]
    keys: Any = None

    def get_server_jwks(self) -> Any:
        return self.keys.public_set()

    def end_session(self, asked: Any) -> None:
        for one in GRANTED.values():
            if asked.id_token_claims and one.user == asked.id_token_claims["sub"]:
                one.family[:] = [False]
