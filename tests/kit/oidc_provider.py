"""An OpenID provider that is not ours: Authlib's authorization server over HTTP, in a process of its own.

`python -m tests.kit.oidc_provider realm.json RS256` prints its address. Its users, roles and mappers are those of a realm file
of Keycloak. People sign in by authorization code with PKCE, are refreshed and sign out (oidc_grants.py); `POST /rotate` makes
a new signing key and keeps the old one in the key set, `POST /retire` takes the old keys out of it.
"""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

from tests.kit.oidc_grants import Client, Codes, EndSession, Refreshes, Revocation, User, save_token

CALLBACK = "https://console.example.com/signed-in"


class Realm:
    """A realm file: what its client's mappers put into the access token of a user."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.life_s = int(document["accessTokenLifespan"])
        self._users = {user["username"]: user for user in document["users"]}
        (client,) = (one for one in document["clients"] if one.get("protocolMappers"))
        self._mappers = client["protocolMappers"]
        after = client["attributes"].get("post.logout.redirect.uris", "").split("##")
        secret = "" if client["publicClient"] else client["secret"]
        self.client = Client(client["clientId"], tuple(client["redirectUris"]), tuple(after), secret)
        assert client["attributes"]["access.token.header.type.rfc9068"] == "true", "it makes no other kind"
        assert CALLBACK in client["redirectUris"]

    def audiences(self) -> list[str]:
        return [one["config"]["included.client.audience"] for one in self._of("oidc-audience-mapper")]

    def claims(self, name: str) -> dict[str, Any]:
        """As the mappers of a user attribute and of the roles at one client say; a user without them lacks the claim."""
        user, found = self._users[name], dict[str, Any]()
        for config in (one["config"] for one in self._of("oidc-usermodel-attribute-mapper")):
            if config["user.attribute"] in user.get("attributes", {}):
                found[config["claim.name"]] = user["attributes"][config["user.attribute"]][0]
        for config in (one["config"] for one in self._of("oidc-usermodel-client-role-mapper")):
            roles = user.get("clientRoles", {}).get(config["usermodel.clientRoleMapping.clientId"])
            if roles:
                found[config["claim.name"]] = roles
        return found

    def _of(self, kind: str) -> list[Any]:
        return [one for one in self._mappers if one["protocolMapper"] == kind]


class Keys:
    """The provider's signing keys, newest first; beside them a key for encryption, as real sets have."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm, self.signing = algorithm, list[Any]()
        self.other = RSAKey.generate_key(2048, {"use": "enc", "alg": "RSA-OAEP", "kid": "enc-1"}, private=False)
        self.rotate()

    def rotate(self) -> None:
        told: Any = {"use": "sig", "alg": self.algorithm, "kid": secrets.token_hex(6)}
        made: Any = RSAKey.generate_key(2048, told) if self.algorithm == "RS256" else ECKey.generate_key("P-256", told)
        self.signing.insert(0, made)

    def public_set(self) -> Any:
        return KeySet(self.signing)

    def current(self) -> Any:
        return KeySet([self.signing[0]])

    def public(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in (*self.signing, self.other)]}


def provider(realm: Realm, algorithm: str, issuer: str) -> Flask:
    """The provider's endpoints: discovery document, key set, sign-in, tokens, and the two that rotate its keys."""
    app, keys = Flask("provider"), Keys(algorithm)
    server = _server(app, realm, keys, issuer)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        return jsonify(
            issuer=issuer,
            jwks_uri=f"{issuer}/keys",
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            revocation_endpoint=f"{issuer}/revoke",
            end_session_endpoint=f"{issuer}/end",
            token_endpoint_auth_methods_supported=["none", "client_secret_basic"],
        )

    @app.get("/keys")
    def key_set() -> Any:
        return jsonify(keys.public())

    @app.post("/authorize")
    def authorize() -> Any:
        return server.create_authorization_response(grant_user=User(request.form["username"]))

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.post("/revoke")
    def revoke() -> Any:
        return server.create_endpoint_response("revocation")

    @app.get("/end")
    def end() -> Any:
        return server.create_endpoint_response("end_session") or Response("signed out")

    @app.post("/rotate")
    def rotate() -> Response:
        keys.rotate()
        return Response(status=204)

    @app.post("/retire")
    def retire() -> Response:
        del keys.signing[1:]
        return Response(status=204)

    return app


def _server(app: Flask, realm: Realm, keys: Keys, issuer: str) -> Any:
    class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return keys.current()

        def get_audiences(self, client: Client, user: User, scope: str) -> list[str]:
            return realm.audiences()

        def get_extra_claims(self, client: Client, kind: str, user: User, scope: str) -> dict[str, Any]:
            return realm.claims(user.name)

    class Identity(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, asked: Any) -> bool:
            return False

        def resolve_client_private_key(self, client: Client) -> Any:
            return keys.current()

        def get_client_algorithm(self, client: Client) -> str:
            return keys.algorithm

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            return {"iss": issuer, "aud": [client.client_id]}

        def generate_user_info(self, user: User, scope: str) -> UserInfo:
            return UserInfo(sub=user.name, **realm.claims(user.name))

    class End(EndSession):
        pass

    End.keys = keys
    found = {realm.client.client_id: realm.client}
    server = AuthorizationServer(app, query_client=found.get, save_token=save_token)
    server.register_token_generator(
        "default",
        Tokens(
            issuer,
            keys.algorithm,
            refresh_token_generator=lambda **_: secrets.token_urlsafe(32),
            expires_generator=lambda *_: realm.life_s,
        ),
    )
    server.register_grant(Refreshes)
    server.register_endpoint(Revocation)
    server.register_endpoint(End)
    server.register_grant(Codes, [CodeChallenge(required=True), Identity(require_nonce=False)])
    return server


def main() -> None:
    listening = make_server("127.0.0.1", 0, Flask("none"), threaded=True)
    issuer = f"http://127.0.0.1:{listening.port}"
    realm = Realm(json.loads(Path(sys.argv[1]).read_text()))
    listening.app = provider(realm, sys.argv[2], issuer)
    sys.stdout.write(f"{issuer}\n")
    sys.stdout.flush()
    listening.serve_forever()


if __name__ == "__main__":
    main()
