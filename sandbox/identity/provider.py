"""The provider behind its endpoints: who may be, what was begun, and the tokens that come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from kernel.core.clock import Clock, system_clock
from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.identity.asking import CLIENT_ID, SCOPES, Client
from sandbox.identity.flows import Family, Flows, Refusal
from sandbox.identity.people import People
from sandbox.identity.settings import IdentitySettings
from sandbox.store import Store

ID_TOKEN = "JWT"


@dataclass(frozen=True, slots=True)
class Provider:
    """Everything that the endpoints need."""

    settings: IdentitySettings
    issuer: Issuer
    client: Client
    people: People
    flows: Flows
    store: Store

    @classmethod
    def opened(cls, settings: IdentitySettings, clock: Clock = system_clock) -> "Provider":
        """On the key and the store that the settings name; raises OSError without the key."""
        store = Store(settings.store)
        issuer = Issuer.of(settings.key_file, settings.url, settings.audience, clock)
        flows = Flows(store, clock, settings.session_s)
        return cls(settings, issuer, Client.console(settings.console_url), People(store), flows, store)

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        url = self.settings.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks.json",
            "end_session_endpoint": f"{url}/end_session",
            "revocation_endpoint": f"{url}/revoke",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": ["sub", "name", "tenant", "roles", "organisation", "sid", "nonce", "auth_time"],
            "ui_locales_supported": ["zh-CN", "en"],
        }

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint; raises Refusal."""
        if form.get("client_id") != CLIENT_ID:
            raise Refusal("invalid_client", "the one client here is `console`")
        match form.get("grant_type"):
            case "authorization_code":
                told = [form.get(name, "") for name in ("code", "client_id", "redirect_uri", "code_verifier")]
                return self._tokens(*self.flows.exchange(*told), is_first=True)
            case "refresh_token":
                return self._tokens(*self.flows.refresh(form.get("refresh_token", ""), CLIENT_ID), is_first=False)
        raise Refusal("unsupported_grant_type", "authorization_code and refresh_token are known here")

    def _tokens(self, family: Family, refresh: str, is_first: bool) -> dict[str, Any]:
        one, life_s = self.people.get(family.subject), self.settings.access_s
        about = {
            "sub": one.subject, "aud": family.client, "name": one.name, "tenant": one.tenant, "roles": sorted(one.roles),
            "organisation": one.organisation, "sid": family.id, "auth_time": int(family.begun),
        }  # fmt: skip
        nonce = {"nonce": family.nonce} if is_first and family.nonce else {}
        return {
            "access_token": self.issuer.issue(one.subject, one.tenant, *one.roles, ttl_s=life_s),
            "id_token": self.issuer.sign(about | nonce, life_s, ID_TOKEN),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": life_s,
            "scope": family.scope,
        }

    def sign_out(self, hint: str) -> None:
        """Ends the sign-in that an id token of this provider names, also one that is over; another is let be."""
        try:
            known = jwt.decode(
                hint, self.issuer.key.public_key(), algorithms=["EdDSA"], issuer=self.settings.url,
                options={"verify_exp": False, "verify_aud": False},
            )  # fmt: skip
        except jwt.PyJWTError:
            return
        self.flows.end(str(known.get("sid", "")))
