"""The OpenID provider that is not ours, in a process of its own, with the realm of docs/identity.md."""

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from kernel.edge.tokens.auth import Verifier
from tests.kit.oidc_provider import CALLBACK

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "identity.md").read_text()
(REALM,) = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
(SETTINGS,) = (
    dict(line.split("=", 1) for line in text.splitlines()) for text in re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
)
(CLIENT,) = (one for one in REALM["clients"] if one.get("publicClient"))


@dataclass(frozen=True)
class Provider:
    """The provider that runs at an address."""

    issuer: str

    def sign_in(self, user: str) -> dict[str, Any]:
        """The answer of the token endpoint after a sign-in by authorization code with PKCE."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": CLIENT["clientId"], "redirect_uri": CALLBACK, "scope": "openid",
            "nonce": secrets.token_hex(8), "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        with httpx.Client(base_url=self.issuer) as browser:
            told = browser.post("/authorize", params=asked, data={"username": user})
            (code,) = parse_qs(urlsplit(told.headers["location"]).query)["code"]
            form = {
                "grant_type": "authorization_code", "client_id": CLIENT["clientId"], "code": code,
                "redirect_uri": CALLBACK, "code_verifier": verifier,
            }  # fmt: skip
            answer: dict[str, Any] = browser.post("/token", data=form).raise_for_status().json()
            return answer

    def access(self, user: str) -> str:
        return str(self.sign_in(user)["access_token"])

    def told(self, what: str) -> None:
        httpx.post(f"{self.issuer}/{what}").raise_for_status()

    def jwks(self) -> str:
        """Where its discovery document says that its keys are."""
        return str(httpx.get(f"{self.issuer}/.well-known/openid-configuration").json()["jwks_uri"])

    def verifier(self, **changes: Any) -> Verifier:
        return Verifier(**{"jwks": self.jwks(), "issuer": self.issuer, "audience": SETTINGS["DANDELION_TOKEN_AUDIENCE"],
                           "algorithms": {"RS256", "ES256"}} | changes)  # fmt: skip


@contextmanager
def provider(folder: Path, realm: dict[str, Any], algorithm: str) -> Iterator[Provider]:
    """The provider with a realm, in a process of its own until the block ends."""
    (folder / "realm.json").write_text(json.dumps(realm))
    command = [sys.executable, "-m", "tests.kit.oidc_provider", str(folder / "realm.json"), algorithm]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}", "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with (folder / "provider.log").open("w") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address, (folder / "provider.log").read_text()
            yield Provider(address)
        finally:
            process.kill()
            process.communicate()
